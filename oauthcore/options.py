"""The options of a server: what it offers if it is given a value of the right type, and not without."""

from __future__ import annotations

from collections.abc import Mapping

from oauthcore.authorization_details import AuthorizationDetails
from oauthcore.ciba import Ciba
from oauthcore.client_id_metadata import ClientIdMetadata
from oauthcore.device_grant import DeviceGrant
from oauthcore.dpop.settings import Dpop
from oauthcore.endpoints.webfinger import WebFinger
from oauthcore.given import check_kind
from oauthcore.mutual_tls import MutualTls
from oauthcore.profiles.profile import Profile
from oauthcore.pushed_requests import PushedRequests
from oauthcore.request_objects import RequestObjects
from oauthcore.token_exchange import TokenExchange
from oauthcore.user_policy import UserPolicy

# The type of each, and what to do instead of giving another.
OPTIONS: Mapping[str, tuple[type, str]] = {
    "authorization_details": (
        AuthorizationDetails,
        "leave it out, or give types: authorization_details=AuthorizationDetails([DetailType(…)])",
    ),
    "ciba": (Ciba, "leave it out, or turn it on: ciba=Ciba()"),
    "client_id_metadata": (
        ClientIdMetadata,
        "leave it out, or turn it on: client_id_metadata=ClientIdMetadata()",
    ),
    "device": (DeviceGrant, "leave it out, or turn it on: device=DeviceGrant()"),
    "dpop": (Dpop, "leave it out, or turn it on: dpop=Dpop()"),
    "mutual_tls": (MutualTls, "leave it out, or turn it on: mutual_tls=MutualTls()"),
    "profile": (Profile, "leave it out, or give one: profile=Profile.fapi2_security()"),
    "pushed_requests": (PushedRequests, "leave it out, or turn it on: pushed_requests=PushedRequests()"),
    "request_objects": (
        RequestObjects,
        "leave it out, or say what is demanded: request_objects=RequestObjects(required=True)",
    ),
    "token_exchange": (
        TokenExchange,
        "leave it out, or say who may exchange what: token_exchange=TokenExchange(rules=[…])",
    ),
    "user_policy": (UserPolicy, "leave it out, or give one: user_policy=UserPolicy(permits=...)"),
    "webfinger": (WebFinger, 'leave it out, or give its domains: webfinger=WebFinger(["example.com"])'),
}


def check_options(**given: object) -> None:
    """Raise `ConfigurationError` for an option of the wrong type; None is an option that is off."""
    for name, value in given.items():
        kind, remedy = OPTIONS[name]
        check_kind(name, value, (kind, type(None)), remedy)
