"""The backchannel authentication endpoint: a client asks something of a user who is elsewhere (CIBA Core section 7)."""

from __future__ import annotations

from oauthcore.authorization.backchannel_limits import Waiting, find_unknown, find_waiting
from oauthcore.authorization.checks import validate_access
from oauthcore.authorization.tally import Tally
from oauthcore.authorization.validated import RequestedAccess
from oauthcore.ciba import GRANT_TYPE, Ciba
from oauthcore.clients.authentication import authenticate_client, spend
from oauthcore.clients.developer_mode import explained
from oauthcore.context import Context
from oauthcore.endpoints.backchannel_parameters import (
    SentRequest,
    checked_message,
    lifetime_of,
    notification_token,
    one_hint,
    read_request,
    seal_notification,
)
from oauthcore.endpoints.endpoint import EndpointRequest
from oauthcore.errors import InvalidRequest, InvalidScope, UnauthorizedClient, UnknownUserId
from oauthcore.find_user import find_user
from oauthcore.flow.effects import Flow, find, identify
from oauthcore.flow.outcome import Change, Decision, Event, Insert, Outcome, Require
from oauthcore.oidc.id_token_hint import Hint, read_hint
from oauthcore.per_request import per_request
from oauthcore.records.backchannel import BackchannelRequest
from oauthcore.records.client import Client
from oauthcore.records.interaction import AuthorizationRequest
from oauthcore.records.token import SpentAssertion
from oauthcore.wire.http import json_response
from oauthcore.wire.parameters import Parameters
from oauthcore.wire.refusals import refuse_as_json

# For so many seconds after the time to answer is over, the client is told that it is, and not that it was never there.
KEPT_FOR = 300


@per_request
class CheckedRequest:
    """Pair what a client sent with what it asks for by that, which has passed the checks."""

    sent: SentRequest
    access: RequestedAccess


@per_request
class BackchannelFacts:
    """Hold what was found for a request: which user is meant, None if there is none, what waits for them, how many
    hints of the client meant no user, and whether the signed request was used before."""

    subject: str | None
    recent: Waiting | None = None
    unknown: Tally | None = None
    spent: SpentAssertion | None = None


def backchannel_authentication(incoming: EndpointRequest, settings: Ciba, context: Context) -> Flow[Outcome]:
    """Take a client's request, and answer with the identifier by which it asks for the result."""
    form = incoming.form()
    caller = yield from authenticate_client(incoming.request, form, context)
    checking = check_request(form, caller.client, settings, context)
    request, facts = yield from explained(checking, caller.client, context)
    # The limits are not explained: a client does not learn that others ask the user, too.
    return spend(caller.spent, decide(request, facts, settings, context))


def check_request(
    form: Parameters, client: Client, settings: Ciba, context: Context
) -> Flow[tuple[CheckedRequest, BackchannelFacts]]:
    """Check the request of a client that has authenticated, and find what it is decided on."""
    check_may_ask(client)
    sent = read_request(form, client, settings, context)
    access = requested_access(sent, client, context)
    # Everything that can be told from the request alone comes first: the application is asked only about a good one.
    hint = one_hint(sent)
    unknown = yield from find_unknown(client, settings, context)
    subject = yield from subject_of(hint, sent, client, context)
    spent = None if sent.spent is None else (yield from find(SpentAssertion, sent.spent.key))
    recent = None if subject is None else (yield from find_waiting(subject, settings, context))
    facts = BackchannelFacts(subject, recent, unknown, spent)
    return CheckedRequest(sent, access), facts


def check_may_ask(client: Client) -> None:
    """Refuse a client that is not registered for CIBA, or can't authenticate (CIBA Core section 4)."""
    if client.is_public:
        reason = "a public client may not ask users in the background (CIBA Core section 4)"
        raise UnauthorizedClient(reason).by_setting("client.token_endpoint_auth_method")
    if GRANT_TYPE not in client.grant_types or client.backchannel_token_delivery_mode is None:
        raise UnauthorizedClient(
            "the client is not registered for CIBA: add its grant type, and a backchannel_token_delivery_mode"
        ).by_setting("client.grant_types")


def requested_access(sent: SentRequest, client: Client, context: Context) -> RequestedAccess:
    """Check what is asked for, by the rows of the table of checks that concern this endpoint."""
    request = AuthorizationRequest(
        client_id=client.client_id,
        scope=sent.get("scope"),
        acr_values=sent.get("acr_values"),
        resource=sent.resources,
        authorization_details=sent.get("authorization_details"),
    )
    access = validate_access(request, client, "backchannel_authentication", context)
    # CIBA Core section 7.1: scope is REQUIRED and MUST have openid.
    if sent.get("scope") is None or "openid" not in access.scope:
        raise InvalidScope.with_description("scope has to be there, and to have openid")
    return access


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
    message = checked_message(sent.get("binding_message"), settings)
    lifetime = lifetime_of(sent.get("requested_expiry"), settings)
    token = notification_token(sent, client)
    if facts.subject is None or facts.recent is None:
        return unknown_user(facts, client, context)
    facts.recent.check(client, settings, context)
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
    changes: tuple[Change, ...] = (Require(client), Insert(record), facts.recent.tally.one_more(context.now))
    if facts.unknown is not None:
        changes = (*changes, facts.unknown.unchanged(context.now))
    if sent.spent is not None:
        # The insert fails if the same request came another time meanwhile.
        changes = (*changes, Insert(sent.spent))
    event = Event("backchannel_requested", client.client_id, facts.subject)
    return Decision(json_response(200, members), changes, (event,))


def unknown_user(facts: BackchannelFacts, client: Client, context: Context) -> Outcome:
    """Refuse a hint by which there is no user (CIBA Core section 13), and count it in the commit that says so."""
    error = UnknownUserId("no user is found by the hint")
    changes = () if facts.unknown is None else (facts.unknown.one_more(context.now),)
    return Decision(
        refuse_as_json(error, context.issuer), changes, (Event("backchannel_unknown_user", client.client_id),)
    )
