"""The device authorization endpoint: a device asks for codes, one for itself and one for its user (RFC 8628)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import attrs

from oauthcore.authorization.checks import validate_access
from oauthcore.authorization.device_limits import find_begun
from oauthcore.authorization.tally import Tally
from oauthcore.clients.authentication import authenticate_client, spend
from oauthcore.clients.developer_mode import explained
from oauthcore.context import Context
from oauthcore.device_grant import DEVICE_CODE, DeviceGrant
from oauthcore.digest import Digest, Secret
from oauthcore.endpoints.endpoint import EndpointRequest
from oauthcore.errors import UnauthorizedClient
from oauthcore.flow.effects import Flow
from oauthcore.flow.outcome import Decision, Event, Insert, Outcome, Require
from oauthcore.records.client import Client
from oauthcore.records.device import DeviceAuthorization, UserCode
from oauthcore.records.interaction import AuthorizationRequest
from oauthcore.user_code import read_user_code, spell_user_code
from oauthcore.wire.http import json_response
from oauthcore.wire.parameters import Parameters

# RFC 8628 section 3.1 has `scope` alone, and lets extensions add others: `resource` (RFC 8707), and what of an
# authentication request of OpenID Connect means anything to a device. Others are ignored, but for request objects,
# which are refused rather than ignored.
PARAMETERS = frozenset(
    {"scope", "resource", "nonce", "max_age", "acr_values", "claims", "claims_locales", "ui_locales"}
    | {"request", "request_uri", "authorization_details"}
)


def device_authorization(incoming: EndpointRequest, settings: DeviceGrant, context: Context) -> Flow[Outcome]:
    """Authenticate the client as the token endpoint does (section 3.1), and begin an authorization."""
    form = incoming.form()
    caller = yield from authenticate_client(incoming.request, form, context)
    begun = yield from explained(begin(incoming, caller.client, settings, context), caller.client, context)
    return spend(caller.spent, begun)


def begin(incoming: EndpointRequest, client: Client, settings: DeviceGrant, context: Context) -> Flow[Outcome]:
    """Begin an authorization for a client that has authenticated."""
    begun: tuple[Tally, ...] = ()
    # A client that authenticates can be told apart and disabled; anybody may use the identifier of a public one.
    if client.is_public:
        begun = yield from find_begun(incoming.request, settings, context)
    facts = DeviceRequestFacts(client, settings, begun)
    return decide(read_device_request(incoming.form(), client), facts, context)


def read_device_request(form: Parameters, client: Client) -> AuthorizationRequest:
    """Read the parameters of a device's request."""
    named: dict[str, Any] = form.among(PARAMETERS)
    if "resource" in named:
        named["resource"] = form.all("resource")
    return AuthorizationRequest(client_id=client.client_id, **named)


@attrs.frozen
class DeviceRequestFacts:
    """Hold on what a device's request is decided: its client, the settings, and what its address has begun before."""

    client: Client
    settings: DeviceGrant
    begun: tuple[Tally, ...] = ()


def decide(request: AuthorizationRequest, facts: DeviceRequestFacts, context: Context) -> Outcome:
    """Issue a device code and a user code, if the client may have what it asks for (section 3.2)."""
    client, settings = facts.client, facts.settings
    if DEVICE_CODE not in client.grant_types:
        raise UnauthorizedClient.with_description(
            "the client is not registered for this grant type", f"the client is not registered for {DEVICE_CODE}"
        ).by_setting("client.grant_types")
    for tally in facts.begun:
        tally.check(context.now)
    # Before anything is shown to a user: what can't be granted is refused at once.
    _ = validate_access(request, client, "device_authorization", context)
    device_code = context.mint()
    user_code = spell_user_code(context.mint())
    expires_at = context.now + settings.lifetime
    authorization = DeviceAuthorization(
        key=context.digest("device_code", device_code),
        client_id=client.client_id,
        request=request,
        issued_at=context.now,
        expires_at=expires_at,
        interval=settings.interval,
        client_generation=client.generation,
    )
    # If another device has just this code, the commit fails, and the next attempt draws another.
    named = UserCode(key=user_code_key(user_code, context), authorization=authorization.key, expires_at=expires_at)
    page = verification_uri(settings, context)
    members = {
        "device_code": device_code.reveal(),
        "user_code": user_code,
        "verification_uri": page,
        # Section 3.3.1: the page shows the code all the same, for the user to compare.
        "verification_uri_complete": f"{page}?{urlencode({'user_code': user_code})}",
        "expires_in": settings.lifetime,
        "interval": settings.interval,
    }
    return Decision(
        json_response(200, members),
        (
            Require(client),
            Insert(authorization),
            Insert(named),
            *(tally.one_more(context.now) for tally in facts.begun),
        ),
        (Event("device_authorization_started", client.client_id),),
    )


def verification_uri(settings: DeviceGrant, context: Context) -> str:
    """Return the page where a user enters the code."""
    return settings.verification_uri or context.issuer.rstrip("/") + context.paths.device


def user_code_key(typed: str, context: Context) -> Digest:
    """Return the key under which a user code is found; raises `ValueError` for what is none."""
    letters = read_user_code(typed)
    if letters is None:
        raise ValueError("it is no user code")
    # 34.5 bits could be tried out by a thief of the database; without the token key there is nothing to try.
    return context.digest("user_code", context.derive("user_code", Secret(letters)))
