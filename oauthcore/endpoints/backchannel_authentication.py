"""The backchannel authentication endpoint: a client asks something of a user who is elsewhere (CIBA Core section 7)."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence

from oauthcore.authorization.checks import validate_access
from oauthcore.authorization.validated import RequestedAccess
from oauthcore.ciba import GRANT_TYPE, Ciba
from oauthcore.clients.assertion import MAX_LIFETIME
from oauthcore.clients.authentication import IN_THE_FORM, authenticate_client, spend
from oauthcore.context import Context
from oauthcore.digest import Digest, Secret
from oauthcore.endpoints.endpoint import EndpointRequest
from oauthcore.errors import (
    AccessDenied,
    InvalidBindingMessage,
    InvalidRequest,
    InvalidScope,
    UnauthorizedClient,
    UnknownUserId,
)
from oauthcore.find_user import find_user
from oauthcore.flow.effects import Flow, find, find_of, identify
from oauthcore.flow.outcome import Change, Decision, Event, Insert, Outcome, Require
from oauthcore.jose.compact import InvalidJwt
from oauthcore.jose.jwk import ASYMMETRIC_ALGORITHMS
from oauthcore.jose.registered_claims import SKEW, audience_of, check_times, type_of
from oauthcore.jose.strict_json import is_integer, is_time
from oauthcore.oidc.client_keys import verify_by_keys_of
from oauthcore.oidc.id_token_hint import Hint, read_hint
from oauthcore.per_request import per_request
from oauthcore.records.backchannel import BackchannelRequest
from oauthcore.records.client import Client
from oauthcore.records.interaction import AuthorizationRequest
from oauthcore.records.lifecycle import BackchannelState
from oauthcore.records.token import SpentAssertion
from oauthcore.wire.http import json_response
from oauthcore.wire.parameters import Parameters
from oauthcore.wire.text import decimal

# For so many seconds after the time to answer is over, the client is told that it is, and not that it was never there.
KEPT_FOR = 300
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


@per_request
class CheckedRequest:
    """Pair what a client sent with what it asks for by that, which has passed the checks."""

    sent: SentRequest
    access: RequestedAccess


@per_request
class BackchannelFacts:
    """Hold what was found for a request: which user is meant, None if there is none; their other
    requests; and whether the signed request was used before."""

    subject: str | None
    pending: Sequence[BackchannelRequest] = ()
    spent: SpentAssertion | None = None


def backchannel_authentication(incoming: EndpointRequest, settings: Ciba, context: Context) -> Flow[Outcome]:
    """Take a client's request, and answer with the identifier by which it asks for the result."""
    form = incoming.form()
    caller = yield from authenticate_client(incoming.request, form, context)
    check_may_ask(caller.client)
    sent = read_request(form, caller.client, context)
    access = requested_access(sent, caller.client, context)
    # Everything that can be told from the request alone comes first: the application is asked only about a good one.
    hint = one_hint(sent)
    subject = yield from subject_of(hint, sent, caller.client, context)
    spent = None if sent.spent is None else (yield from find(SpentAssertion, sent.spent.key))
    pending = () if subject is None else (yield from find_of(BackchannelRequest, subject))
    facts = BackchannelFacts(subject, pending, spent)
    return spend(caller.spent, decide(CheckedRequest(sent, access), facts, settings, context))


def check_may_ask(client: Client) -> None:
    """Refuse a client that is not registered for CIBA, or can't authenticate (CIBA Core section 4)."""
    if client.is_public:
        raise UnauthorizedClient("a public client may not ask users in the background (CIBA Core section 4)")
    if GRANT_TYPE not in client.grant_types or client.backchannel_token_delivery_mode is None:
        raise UnauthorizedClient(
            "the client is not registered for CIBA: add its grant type, and a backchannel_token_delivery_mode"
        )


def read_request(form: Parameters, client: Client, context: Context) -> SentRequest:
    """Return the parameters: those of the signed request if there is one, otherwise those of the form."""
    text = form.get("request")
    alg = client.backchannel_authentication_request_signing_alg
    if text is None:
        # CIBA Core section 4: who has registered an algorithm signs. Else who has the client's secret could do without.
        if alg is not None:
            raise InvalidRequest.with_description("this client has to sign its requests")
        values = {name: value for name in _SIGNED if (value := form.get(name)) is not None}
        return SentRequest(values, form.all("resource"))
    if unsigned := sorted(form.names - _BESIDE):
        # CIBA Core section 7.1.1: all of them MUST be in the JWT. What is beside it is covered by no signature.
        raise InvalidRequest.with_description(
            "beside request there may be nothing but the client's authentication", f"beside request there is {unsigned}"
        )
    return read_signed_request(text, client, context)


def read_signed_request(text: str, client: Client, context: Context) -> SentRequest:
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
    jti, exp = members.get("jti"), members.get("exp")
    if not isinstance(jti, str) or not jti or not all(is_time(members.get(name)) for name in ("iat", "nbf")):
        raise InvalidRequest.with_description("jti, iat and nbf are required in a signed request")
    # FAPI-CIBA section 5.2.2: at most 60 minutes. Its jti has to be remembered for so long.
    assert is_time(exp)
    if exp > context.now + MAX_LIFETIME + SKEW:
        raise InvalidRequest.with_description("the signed request lasts too long")
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


def requested_access(sent: SentRequest, client: Client, context: Context) -> RequestedAccess:
    """Check what is asked for, by the rows of the table of checks that concern this endpoint."""
    request = AuthorizationRequest(
        client_id=client.client_id,
        scope=sent.get("scope"),
        acr_values=sent.get("acr_values"),
        resource=sent.resources,
    )
    access = validate_access(request, client, "backchannel_authentication", context)
    # CIBA Core section 7.1: scope is REQUIRED and MUST have openid.
    if sent.get("scope") is None or "openid" not in access.scope:
        raise InvalidScope.with_description("scope has to be there, and to have openid")
    return access


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


def subject_of(hint: str, sent: SentRequest, client: Client, context: Context) -> Flow[str | None]:
    """Return the user whom a hint means, None if there is none: the application says so."""
    text = sent.parameters[hint]
    if hint == "login_hint":
        subject = yield from identify(text, client.client_id)
    else:
        proven = yield from read_hint(text, context)
        # An ID token of another client's would let one client ask about users that only the other one knows. And a
        # pairwise `sub` does not say who it is, by design (OIDC Core section 8.1).
        is_own = isinstance(proven, Hint) and proven.client_id == client.client_id and client.subject_type == "public"
        subject = proven.subject if is_own and isinstance(proven, Hint) else None
    if subject is None:
        return None
    # Who may not use the client is unknown to it.
    known = yield from find_user(subject, client, context.user_policy)
    return None if known is None else subject


def decide(request: CheckedRequest, facts: BackchannelFacts, settings: Ciba, context: Context) -> Outcome:
    """Make the request, for its user to find (CIBA Core sections 7.2 and 7.3)."""
    sent, access, client = request.sent, request.access, request.access.client
    # After the signature was verified: who can't sign does not learn which requests there were.
    if facts.spent is not None:
        raise InvalidRequest.with_description("the signed request was sent before")
    message = checked_message(sent.get("binding_message"))
    lifetime = lifetime_of(sent.get("requested_expiry"), settings)
    token = notification_token(sent, client)
    if facts.subject is None:
        raise UnknownUserId("no user is found by the hint")
    # CIBA Core section 15: a client, or who has its credentials, could weary a user with requests until they allow one.
    # It is counted without a lock: as many more as come at the same moment do no harm.
    if sum(is_counted(each, client, settings, context) for each in facts.pending) >= settings.max_pending:
        raise AccessDenied.with_description("too many requests wait for this user already")
    auth_req_id = context.mint()
    answer_before = context.now + lifetime
    sealed = None if token is None else seal_notification(auth_req_id, token, context)
    record = BackchannelRequest(
        key=context.digest("auth_req_id", auth_req_id),
        subject=facts.subject,
        client_id=client.client_id,
        request=access.request,
        requested_at=context.now,
        answer_before=answer_before,
        expires_at=answer_before + KEPT_FOR,
        interval=settings.interval,
        binding_message=message,
        notification=sealed,
        client_generation=client.generation,
    )
    members = {"auth_req_id": auth_req_id.reveal(), "expires_in": lifetime, "interval": settings.interval}
    changes: tuple[Change, ...] = (Require(client), Insert(record))
    if sent.spent is not None:
        # The insert fails if the same request came another time meanwhile.
        changes = (*changes, Insert(sent.spent))
    event = Event("backchannel_requested", client.client_id, facts.subject)
    return Decision(json_response(200, members), changes, (event,))


def is_counted(request: BackchannelRequest, client: Client, settings: Ciba, context: Context) -> bool:
    """Return whether a request of this client counts against its limit, for as long as requests usually last.

    One that the user has denied counts as well, and so does one that the client lets end after a second: otherwise
    either would be a way to ask on and on.
    """
    is_unwanted = request.state in {BackchannelState.PENDING, BackchannelState.DENIED}
    is_recent = context.now < max(request.answer_before, request.requested_at + settings.lifetime)
    return is_unwanted and is_recent and request.client_id == client.client_id


def checked_message(message: str | None) -> str | None:
    """Return the binding message, which both devices show (CIBA Core section 7.1); it must look the same on both.

    Control characters, and those that change the direction of the text, could make it look like another message.
    """
    if message is None:
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
