"""What a client sends to the backchannel authentication endpoint, in a form or in a JWT (CIBA Core section 7.1)."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping

from oauthcore.ciba import Ciba
from oauthcore.clients.authentication import IN_THE_FORM
from oauthcore.context import Context
from oauthcore.digest import Digest, Secret
from oauthcore.errors import InvalidBindingMessage, InvalidRequest
from oauthcore.jose.compact import InvalidJwt
from oauthcore.jose.jwk import ASYMMETRIC_ALGORITHMS
from oauthcore.jose.registered_claims import SKEW, audience_of, check_times, type_of
from oauthcore.jose.strict_json import is_integer, is_time
from oauthcore.oidc.client_keys import verify_by_keys_of
from oauthcore.per_request import per_request
from oauthcore.records.client import Client
from oauthcore.records.token import SpentAssertion
from oauthcore.wire.parameters import Parameters
from oauthcore.wire.text import decimal

# CIBA Core section 7.1: RFC 6750's characters, 1024 at most. 128 bits take 22 of them.
_NOTIFICATION_TOKEN = re.compile(r"(?=.{22,1024}\Z)[A-Za-z0-9\-._~+/]+=*")
# What fits on the display of a device and of a terminal at a till.
MAX_BINDING_MESSAGE = 100
MAX_EXPIRY_DIGITS = 9
# More than a subject, an e-mail address or a telephone number takes; the application looks it up.
MAX_LOGIN_HINT = 1024
TYPES = frozenset({"", "jwt"})
# Printable to Unicode, and nothing to be seen: fillers of Hangul, and Braille without a dot.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")
HINTS = ("login_hint", "id_token_hint", "login_hint_token")
# What is read of a signed request; `resource` may be a list.
_SIGNED = (*HINTS, "scope", "client_notification_token", "acr_values", "binding_message", "requested_expiry")
# What may stand beside a signed request: only what shows who the client is (CIBA Core section 7.1.1).
_BESIDE = IN_THE_FORM | {"request", "client_id"}


@per_request
class SentRequest:
    """Hold what a client sends, each parameter as text, None where it is missing.

    `spent` remembers that a signed request was used.
    """

    parameters: Mapping[str, str]
    resources: tuple[str, ...]
    spent: SpentAssertion | None = None

    def get(self, name: str) -> str | None:
        """Return the value of a parameter, None if it is missing."""
        return self.parameters.get(name)


def read_request(form: Parameters, client: Client, settings: Ciba, context: Context) -> SentRequest:
    """Return the parameters: those of the signed request if there is one, otherwise those of the form."""
    text = form.get("request")
    if text is None:
        # CIBA Core section 4: who has registered an algorithm signs. Else who has the client's secret could do without.
        if client.backchannel_authentication_request_signing_alg is not None:
            raise InvalidRequest.with_description("this client has to sign its requests")
        if settings.require_signed:
            raise InvalidRequest.with_description("requests have to be signed here").by_setting("ciba.require_signed")
        values = {name: value for name in _SIGNED if (value := form.get(name)) is not None}
        return SentRequest(values, form.all("resource"))
    if unsigned := sorted(form.names - _BESIDE):
        # CIBA Core section 7.1.1: all of them MUST be in the JWT. What is beside it is covered by no signature.
        raise InvalidRequest.with_description(
            "beside request there may be nothing but the client's authentication", f"beside request there is {unsigned}"
        )
    return read_signed_request(text, client, settings, context)


def read_signed_request(text: str, client: Client, settings: Ciba, context: Context) -> SentRequest:
    """Verify a signed request (CIBA Core section 7.1.1): by the client's key, for this server, in time, and once."""
    alg = client.backchannel_authentication_request_signing_alg
    try:
        verified = verify_by_keys_of(client, text, ASYMMETRIC_ALGORITHMS if alg is None else (alg,), context)
        check_times(verified.claims, context.now)
        audience = audience_of(verified.claims)
    except InvalidJwt as invalid:
        raise InvalidRequest.with_description("the signed request is refused", f"request: {invalid}") from None
    members = verified.claims
    # RFC 8725 section 3.11: what was signed for another purpose is no such request, as a request object that
    # stands in a browser's address (RFC 9101 section 10.8), nor is an assertion of the client's.
    is_another = {"response_type", "redirect_uri"} & members.keys() or members.get("sub") == client.client_id
    if type_of(verified.header) not in TYPES or is_another:
        raise InvalidRequest.with_description("the signed request was made for another purpose")
    if members.get("iss") != client.client_id:
        raise InvalidRequest.with_description("iss of the signed request is not the client")
    if context.issuer not in audience:
        raise InvalidRequest.with_description("aud of the signed request is not this server")
    jti, exp, nbf = members.get("jti"), members.get("exp"), members.get("nbf")
    if not isinstance(jti, str) or not jti or not is_time(members.get("iat")) or not is_time(nbf):
        raise InvalidRequest.with_description("jti, iat and nbf are required in a signed request")
    # FAPI-CIBA section 5.2.2: nbf and exp limit the lifetime to 60 minutes. One that is good for longer shows less of
    # when it was made, and its jti has to be remembered for so long.
    assert is_time(exp)
    if exp > nbf + settings.max_request_lifetime:
        raise InvalidRequest.with_description("the signed request lasts too long").by_setting(
            "ciba.max_request_lifetime"
        )
    spent = SpentAssertion(
        key=request_key(client, jti, context), client_id=client.client_id, expires_at=math.ceil(exp) + SKEW
    )
    values = {name: _text(name, members[name]) for name in _SIGNED if members.get(name) is not None}
    resource = members.get("resource", [])
    listed = resource if isinstance(resource, list) else [resource]
    return SentRequest(values, tuple(_text("resource", one) for one in listed), spent)


def request_key(client: Client, jti: str, context: Context) -> Digest:
    """Return what the use of a signed request is remembered by: a `jti` counts for its client alone."""
    return context.digest("request_object", Secret(f"{len(client.client_id)} {client.client_id} {jti}"))


def _text(name: str, value: object) -> str:
    # CIBA Core section 7.1.1: requested_expiry may be a number in JSON.
    if name == "requested_expiry" and is_integer(value):
        return str(value)
    if not isinstance(value, str) or "\0" in value:
        raise InvalidRequest.with_description(f"{name} in the signed request has to be a string")
    return value


def one_hint(sent: SentRequest) -> str:
    """Return the name of the hint; there has to be one, and only one (CIBA Core section 7.1)."""
    given = [name for name in HINTS if sent.get(name)]
    if len(given) != 1:
        raise InvalidRequest.with_description("give one of login_hint, id_token_hint and login_hint_token")
    if given[0] == "login_hint_token":
        raise InvalidRequest.with_description("login_hint_token is not supported here: send a login_hint")
    if given[0] == "login_hint" and len(sent.parameters["login_hint"]) > MAX_LOGIN_HINT:
        raise InvalidRequest.with_description("login_hint is too long")
    return given[0]


def checked_message(message: str | None, settings: Ciba) -> str | None:
    """Return the binding message, which both devices show (CIBA Core section 7.1); it must look the same on both.

    Control characters, and those that change the direction of the text, could make it look like another message.
    """
    if message is None:
        # FAPI-CIBA section 5.2.2: without one, a user who pays can't tell an attacker's request from their own.
        if settings.require_binding_message:
            raise InvalidBindingMessage("binding_message is required").by_setting("ciba.require_binding_message")
        return None
    is_plain = message.isprintable() and not any(unicodedata.category(each) in {"Mn", "Me", "Cf"} for each in message)
    is_seen = is_plain and not _BLANK.intersection(message) and "  " not in f" {message} "
    if not message or len(message) > MAX_BINDING_MESSAGE or not is_seen:
        raise InvalidBindingMessage("binding_message is empty, too long, or not plain text")
    return message


def lifetime_of(requested: str | None, settings: Ciba) -> int:
    """Return for how many seconds the user may answer: as requested, within the server's limits."""
    if requested is None:
        return settings.lifetime
    seconds = decimal(requested, MAX_EXPIRY_DIGITS)
    if not seconds:
        raise InvalidRequest.with_description("requested_expiry is not a positive number of seconds")
    return min(seconds, settings.max_lifetime)


def notification_token(sent: SentRequest, client: Client) -> str | None:
    """Return what a client in ping mode is to be notified with; others need none (CIBA Core section 7.1)."""
    if client.backchannel_token_delivery_mode != "ping":
        return None
    token = sent.get("client_notification_token")
    if token is None or not _NOTIFICATION_TOKEN.fullmatch(token):
        raise InvalidRequest.with_description(
            "client_notification_token has to be there in ping mode, with 22 to 1024 characters of a bearer token"
        )
    return token


def seal_notification(auth_req_id: Secret, token: str, context: Context) -> str:
    """Encrypt what the notification has in it: the server alone needs both later."""
    members = {"auth_req_id": auth_req_id.reveal(), "token": token}
    return context.sealing.seal("notification", json.dumps(members))
