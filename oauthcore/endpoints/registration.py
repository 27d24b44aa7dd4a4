"""The client registration endpoint (RFC 7591), which is the configuration endpoint, too (RFC 7592).

Who may register is the operator's to say: the holder of an initial access token, or anybody. What a client says of
itself is a stranger's word: it gets what `Registration` offers, and never what is the operator's alone.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from oauthcore.clients.client_metadata import check_shown, metadata_of, read_metadata, usable_redirect_uris
from oauthcore.clients.management import decide_remove
from oauthcore.clients.openid_registration import check_sector
from oauthcore.clients.registration import GENERATION_LENGTH, ClientFacts, Registered, find_client, listing, with_secret
from oauthcore.context import Context
from oauthcore.digest import Secret, same
from oauthcore.errors import (
    ConfigurationError,
    ContentTooLarge,
    InvalidClientMetadata,
    InvalidRedirectUri,
    InvalidScope,
    InvalidToken,
)
from oauthcore.flow.effects import Flow, find, pure
from oauthcore.flow.outcome import Change, Decision, Delete, Event, Insert, Outcome, Replace
from oauthcore.flow.transact import commit_with_retry
from oauthcore.jose.strict_json import parse_object
from oauthcore.policy import Allowance
from oauthcore.records.client import AuthenticationMethod, Client, DynamicRegistration
from oauthcore.records.initial_access_token import InitialAccessToken
from oauthcore.records.liveness import is_live_client
from oauthcore.redirect_uri import is_impersonable
from oauthcore.resource.bearer import read_bearer
from oauthcore.scope import Scope, as_scope
from oauthcore.wire.http import NO_STORE, Request, Response, json_response
from oauthcore.wire.parameters import parse_form
from oauthcore.wire.text import media_type

MAX_BODY = 64 * 1024
# What a client that was never used is remembered for: a day, in which any login that was begun has been finished.
UNUSED_LIFETIME = 24 * 3_600


@attrs.frozen
class AnyoneMayRegister:
    """Open the registration endpoint to strangers (RFC 7591 section 3), as MCP clients need it."""


@attrs.frozen(kw_only=True)
class Registration:
    """Turn dynamic client registration on (RFC 7591): by initial access token, or `access=AnyoneMayRegister()`.

    `scope` is what a client may register for, and gets where it names none; `grant_types` those that it may. `review`
    is given each client before it is registered and returns it, changed or not, or raises an `OAuthError` to refuse it.
    A client that has redeemed no code after `unused_lifetime` seconds is forgotten; None keeps it.
    """

    access: AnyoneMayRegister | None = None
    scope: Scope = attrs.field(default=Scope(), converter=as_scope)
    grant_types: tuple[str, ...] = ("authorization_code", "refresh_token", "implicit")
    review: Callable[[Client], Client] | None = None
    unused_lifetime: int | None = UNUSED_LIFETIME

    def __attrs_post_init__(self) -> None:
        if self.unused_lifetime is not None and self.unused_lifetime < 1:
            raise ConfigurationError(
                "unused_lifetime", self.unused_lifetime, "use a number of seconds, 1 or more, or None to keep clients"
            )


@attrs.frozen
class Registrar:
    """Hold the settings with what the server adds: the grant types that it offers, and its check of a client."""

    settings: Registration
    grant_types: frozenset[str]
    check: Callable[[Client], None]


@attrs.frozen
class Drawn:
    """Hold what is drawn for a new client: none of it can be guessed."""

    client_id: str
    generation: str
    access_token: Secret


def registration(request: Request, registrar: Registrar, context: Context) -> Flow[Outcome]:
    """Register a client; read or remove one that has registered itself."""
    if request.method != "POST":
        return (yield from configuration(request, context))
    fields = read_metadata(read_body(request))
    shown = read_bearer(request)
    token = None
    if shown is not None:
        token = yield from find(InitialAccessToken, context.digest("initial_access_token", shown))
    spent = admit(token, registrar.settings, context)
    drawn = Drawn(context.mint().reveal(), context.mint().reveal()[:GENERATION_LENGTH], context.mint())
    client = negotiate(fields, drawn, registrar, context)
    return decide(client, drawn, spent, context)


def read_body(request: Request) -> dict[str, object]:
    """Return the members of the JSON that was sent (RFC 7591 section 3.1)."""
    if len(request.body) > MAX_BODY:
        raise ContentTooLarge(f"the body has {len(request.body)} bytes")
    if media_type(request.header("content-type") or "") != "application/json":
        raise InvalidClientMetadata.with_description("the metadata has to be sent as application/json")
    try:
        return parse_object(request.body)
    except ValueError as error:
        raise InvalidClientMetadata.with_description("the body is no JSON object", str(error)) from None


def admit(token: InitialAccessToken | None, settings: Registration, context: Context) -> tuple[Change, ...]:
    """Return what a registration uses up; raises `InvalidToken` for whoever may not register (RFC 7591 section 3)."""
    if token is None or context.now >= token.expires_at:
        if settings.access is None:
            reason = "the initial access token is missing, unknown or expired"
            raise InvalidToken(reason).with_header("WWW-Authenticate", "Bearer")
        return ()
    # A precondition of the registration: of two that show the last use of a token at once, one is refused.
    return (Delete(token),) if token.uses <= 1 else (Replace(token, attrs.evolve(token, uses=token.uses - 1)),)


def negotiate(fields: dict[str, object], drawn: Drawn, registrar: Registrar, context: Context) -> Client:
    """Return the client as it can be registered: what is not offered is left out (RFC 7591 section 3.2.1).

    Raises `InvalidClientMetadata` and `InvalidRedirectUri` where nothing of use remains.
    """
    settings, policy = registrar.settings, context.policy
    try:
        asked = Client(client_id=drawn.client_id, **fields)  # type: ignore[arg-type]  # checked one by one
    except (ConfigurationError, InvalidScope, ValueError, TypeError) as error:
        raise InvalidClientMetadata(str(error)) from None
    if asked.application_type not in {None, "web", "native"} or asked.subject_type not in {"public", "pairwise"}:
        raise InvalidClientMetadata.with_description("application_type or subject_type has an unknown value")
    redirect_uris = usable_redirect_uris(
        asked.redirect_uris,
        asked.application_type or "",
        one_word_scheme=policy.allows(Allowance.ONE_WORD_SCHEME, frozenset()),
    )
    # RFC 7591 section 2.1: `implicit` goes with response types that bring tokens, and is nothing without them.
    fronted = any({"token", "id_token"} & set(name.split(" ")) for name in policy.response_types)
    offered = registrar.grant_types | ({"implicit"} if fronted else set())
    grant_types = tuple(t for t in asked.grant_types if t in offered and t in settings.grant_types)
    if not grant_types:
        raise InvalidClientMetadata.with_description("none of the grant_types can be registered here")
    if {"authorization_code", "implicit"} & set(grant_types) and not redirect_uris:
        raise InvalidRedirectUri("the client has no redirect URI")
    response_types = tuple(t for t in asked.response_types if t in policy.response_types)
    forgettable = settings.unused_lifetime is not None and "authorization_code" in grant_types
    client = attrs.evolve(
        asked,
        redirect_uris=redirect_uris,
        grant_types=grant_types,
        response_types=response_types or (("code",) if "authorization_code" in grant_types else ()),
        scope=asked.scope.within(settings.scope) if asked.scope else settings.scope,
        token_endpoint_auth_method=asked.token_endpoint_auth_method or default_method(redirect_uris),
        generation=drawn.generation,
        dynamic=DynamicRegistration(
            registered_at=context.now,
            access_token=context.digest("registration_access_token", drawn.access_token),
            is_unused=forgettable,
        ),
        expires_at=context.now + (settings.unused_lifetime or 0) if forgettable else None,
    )
    if settings.review is not None:
        client = settings.review(client)
    try:
        registrar.check(client)
        check_sector(client, context)
    except (ConfigurationError, ValueError) as error:
        raise InvalidClientMetadata(str(error)) from None
    check_shown(client)
    return client


def default_method(redirect_uris: tuple[str, ...]) -> AuthenticationMethod:
    """Return the method of a client that names none: RFC 7591 section 2 has `client_secret_basic`.

    One that is only ever answered on the person's own machine can keep no secret (RFC 8252 section 8.4), and the MCP
    clients that leave the method out read it in the answer.
    """
    return "none" if redirect_uris and all(map(is_impersonable, redirect_uris)) else "client_secret_basic"


def decide(client: Client, drawn: Drawn, spent: tuple[Change, ...], context: Context) -> Outcome:
    """Remember the client, in one commit with its entry in the list and with what opened the door."""
    registered = with_secret(client, None, None, context)
    members = describe(registered, drawn.access_token, context)
    changes = (*spent, Insert(registered.client), *listing(registered.client, None, context))
    return Decision(json_response(201, members), changes, (Event("client_registered", client.client_id),))


def describe(registered: Registered, access_token: Secret, context: Context) -> dict[str, object]:
    """Return the client information response (RFC 7591 section 3.2.1, RFC 7592 section 3)."""
    client, secret = registered.client, registered.secret
    members: dict[str, object] = {"client_id": client.client_id, **metadata_of(client)}
    if client.dynamic is not None:
        members["client_id_issued_at"] = client.dynamic.registered_at
    if secret is not None:
        members |= {"client_secret": secret.reveal(), "client_secret_expires_at": 0}
    # RFC 7592 section 3: a URI as it is, which the client never builds itself.
    uri = f"{context.issuer.rstrip('/')}{context.paths.registration}?client_id={client.client_id}"
    return {**members, "registration_client_uri": uri, "registration_access_token": access_token.reveal()}


def configuration(request: Request, context: Context) -> Flow[Outcome]:
    """Read or remove the client that shows its registration access token (RFC 7592 sections 2.1 and 2.3)."""
    client_id = parse_form(request.query).get("client_id")
    shown = read_bearer(request)
    if client_id is None or shown is None:
        raise refused("no client or no registration access token is named")
    facts = yield from find_client(client_id)
    return decide_configuration(request.method, shown, facts, context)


def decide_configuration(method: str, shown: Secret, facts: ClientFacts, context: Context) -> Outcome:
    """Answer the client itself and nobody else; the same refusal for one that is gone (RFC 7592 section 2)."""
    client = facts.client
    if client is None or client.dynamic is None or not is_live_client(client, context.now):
        raise refused("the client is unknown, expired, disabled, or was registered by the operator")
    if not same(client.dynamic.access_token, context.digest("registration_access_token", shown)):
        raise refused("the registration access token is another client's, or unknown")
    if method == "DELETE":
        removed = decide_remove(client.client_id, facts)
        return Decision(Response(204, NO_STORE), removed.changes, removed.events)
    # The secret itself is not kept, and RFC 7592 section 3 wants it only where it is still to be seen.
    return Decision(json_response(200, describe(Registered(client, None), shown, context)))


def refused(reason: str) -> InvalidToken:
    """Return the one refusal that there is at the configuration endpoint."""
    return InvalidToken(reason).with_header("WWW-Authenticate", "Bearer")


def issue_initial_access_token(lifetime: int, uses: int, context: Context) -> Flow[Secret]:
    """Remember a token, by its digest alone."""
    secret = context.mint()
    digest = context.digest("initial_access_token", secret)
    token = InitialAccessToken(digest=digest, uses=uses, expires_at=context.now + lifetime)

    def decision() -> Flow[Decision[Secret]]:
        return pure(Decision(secret, (Insert(token),)))

    return (yield from commit_with_retry(decision))
