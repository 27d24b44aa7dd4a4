"""Registration: what a client must look like before anything is remembered of it, and the remembering."""

from __future__ import annotations

from collections.abc import Collection

import attrs

from oauthcore.clients.client_secret_jwt import is_digest_of, is_kept, remembered
from oauthcore.clients.openid_registration import check_sector
from oauthcore.clients.registered_keys import check_keys, longest_hash
from oauthcore.clients.secret_strength import secret_problem
from oauthcore.clients.tls_client_auth import check_name
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.errors import ConfigurationError
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Change, Decision, Delete, Event, Insert, Replace
from oauthcore.flow.transact import commit_with_retry
from oauthcore.policy import GRANT_OUTLIVES_CODE, Allowance, Lifetimes, Policy
from oauthcore.records.client import ID_TOKEN_CLAIMS, AuthenticationMethod, Client
from oauthcore.records.listed_client import ListedClient
from oauthcore.records.registration_limits import RegistrationSlot
from oauthcore.redirect_uri import redirect_uri_problem
from oauthcore.user_policy import groups_of

METHODS: tuple[AuthenticationMethod, ...] = (
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
    "none",
)

# A generated secret has 43; a longer one is a mistake, and would have to be hashed at every request.
MAX_SECRET = 1024

# 96 bits: no two registrations of one identifier will ever draw the same.
GENERATION_LENGTH = 16


@attrs.frozen
class Registered:
    """Hand over a client with its secret: the only time the secret can be seen.

    A public client has none, and neither has one that authenticates with its own key.
    """

    client: Client
    secret: Secret | None

    @property
    def secret_problem(self) -> str | None:
        """Return why the secret can be guessed, for the host to warn of; None if there is no reason, or no secret."""
        return None if self.secret is None else secret_problem(self.secret)


def check_client(
    client: Client,
    policy: Policy,
    grant_types: frozenset[str],
    response_types: frozenset[str],
    more_methods: Collection[str] = (),
) -> None:
    """Look a registration over; raises `ConfigurationError` naming the setting, its value and the remedy.

    `more_methods` are the host's own of client authentication.
    """
    _check_identifier(client, (*METHODS, *more_methods))
    _check_redirect_uris(client, policy)
    _check_types(client, grant_types, response_types)
    _check_lifetimes(client, policy.lifetimes)
    check_keys(client, policy)
    check_name(client)
    # A group that can't be read would let no user in, or, if it were skipped, all of them.
    for requirement in client.require:
        _ = groups_of(requirement)
    # RFC 6749 section 3.3: the default for a request without a scope. More than `scope` could never be issued.
    if client.default_scope is not None and not policy.implies.covers(client.scope, client.default_scope):
        raise ConfigurationError(
            "default_scope", client.default_scope.text, f"keep it within scope {client.scope.text}"
        )


def _check_identifier(client: Client, methods: tuple[str, ...]) -> None:
    # RFC 6749 appendix A.1: VSCHAR. A space at either end would be lost in half of the clients' settings.
    if (
        not client.client_id
        or not client.client_id.isascii()
        or not client.client_id.isprintable()
        or " " in client.client_id
    ):
        raise ConfigurationError("client_id", client.client_id, "use printable ASCII characters without spaces")
    if client.token_endpoint_auth_method not in {None, *methods}:
        raise ConfigurationError(
            "token_endpoint_auth_method", client.token_endpoint_auth_method, f"use one of {', '.join(methods)}"
        )
    if client.id_token_claims not in ID_TOKEN_CLAIMS:
        raise ConfigurationError("id_token_claims", client.id_token_claims, f"use one of {', '.join(ID_TOKEN_CLAIMS)}")
    # RFC 7662 section 4: without authentication, an attacker could try tokens until one is active.
    if client.is_public and client.introspects_any:
        raise ConfigurationError(
            "introspects_any",
            True,
            "leave it out: only a client that authenticates may introspect (RFC 7662 section 2.1)",
        )


def _check_redirect_uris(client: Client, policy: Policy) -> None:
    insecure = policy.allows(Allowance.INSECURE_TRANSPORT, client.allow)
    # Those of a client that registered itself were held to the schemes that its registration takes.
    one_word = policy.allows(Allowance.ONE_WORD_SCHEME, client.allow) or client.dynamic is not None
    for uri in client.redirect_uris:
        reason = redirect_uri_problem(uri, insecure_transport=insecure, one_word_scheme=one_word)
        if reason is not None:
            raise ConfigurationError("redirect_uris", uri, reason)
    # RFC 6749 section 3.1.2.2: without a registered URI, a code could be sent to an attacker's site.
    if "authorization_code" in client.grant_types and not client.redirect_uris:
        raise ConfigurationError("redirect_uris", client.redirect_uris, "register at least one (RFC 9700 section 2.1)")


def _check_types(client: Client, grant_types: frozenset[str], response_types: frozenset[str]) -> None:
    for grant_type in client.grant_types:
        # `implicit` is a grant type in registrations only (RFC 7591 section 2): it has no token request.
        if grant_type not in grant_types and grant_type != "implicit":
            raise ConfigurationError(
                "grant_types", grant_type, "the server does not offer it; allow it in the policy or leave it out"
            )
    for response_type in client.response_types:
        for needed in _grant_types_for(response_type):
            if needed not in client.grant_types and client.redirect_uris:
                remedy = f"add {needed} to grant_types, or leave it out"
                raise ConfigurationError("response_types", response_type, remedy)
        if response_type not in response_types and client.redirect_uris:
            raise ConfigurationError(
                "response_types", response_type, "the server does not offer it; allow it in the policy or leave it out"
            )
    # RFC 6749 section 4.4: it MUST be used by confidential clients only. Of a public client, the identifier alone would
    # be the credential.
    if client.is_public and "client_credentials" in client.grant_types:
        raise ConfigurationError(
            "grant_types", "client_credentials", "leave it out: a public client can't use it (RFC 6749 section 4.4)"
        )


def _grant_types_for(response_type: str) -> tuple[str, ...]:
    """Return the grant types that go with a response type (OIDC Dynamic Client Registration section 2)."""
    values = set(response_type.split(" "))
    code = ("authorization_code",) if "code" in values else ()
    return (*code, "implicit") if values & {"token", "id_token"} else code


def _check_lifetimes(client: Client, lifetimes: Lifetimes) -> None:
    for field in attrs.fields(Client):
        value = getattr(client, field.name)
        if field.name.endswith("_lifetime") and value is not None and value < 1:
            raise ConfigurationError(field.name, value, "use a number of seconds, 1 or more, or None for the server's")
    code = client.authorization_code_lifetime or lifetimes.authorization_code_lifetime
    # Otherwise a code could be redeemed for a grant that is over.
    if (client.grant_lifetime or lifetimes.grant_lifetime) <= code:
        raise ConfigurationError("grant_lifetime", client.grant_lifetime, GRANT_OUTLIVES_CODE)


def fresh_secret(client: Client | None, context: Context) -> Secret:
    """Make a secret of 256 bits, or of as many as the client's signatures take."""
    secret = context.mint()
    if client is None or longest_hash(client) <= len(secret.reveal()):
        return secret
    return Secret(secret.reveal() + context.mint().reveal())


def check_secret(secret: Secret, client: Client) -> None:
    """Look over a secret that the operator chose; raises `ConfigurationError`, which does not show it."""
    if not secret.reveal() or not secret.reveal().isprintable():
        raise ConfigurationError("secret", secret, "use printable characters, or leave it out to have one generated")
    # It is hashed at each request: a longer one would cost the server more than the client that sends it.
    if len(secret.reveal()) > MAX_SECRET:
        raise ConfigurationError("secret", secret, f"use at most {MAX_SECRET} characters")
    if is_kept(client) and len(secret.reveal().encode()) < longest_hash(client):
        remedy = f"use {longest_hash(client)} bytes or more, for signatures (RFC 7518 section 3.2), or leave it out"
        raise ConfigurationError("secret", secret, remedy)


def with_secret(client: Client, secret: Secret | None, known: Client | None, context: Context) -> Registered:
    """Set a client's secret: the one named, else those that it is known with, else a fresh one."""
    if not client.has_secret:
        if secret is not None:
            kind = "public client" if client.is_public else "client with a key of its own"
            raise ConfigurationError("secret", secret, f"leave it out: a {kind} has no secret")
        return Registered(attrs.evolve(client, secrets=()), None)
    if known is not None and serves_on(known, secret, client, context):
        return Registered(attrs.evolve(client, secrets=known.secrets), secret)
    secret = secret or fresh_secret(client, context)
    check_secret(secret, client)
    return Registered(attrs.evolve(client, secrets=(remembered(secret, client, context),)), secret)


def serves_on(known: Client, secret: Secret | None, client: Client, context: Context) -> bool:
    """Return whether the stored secrets of a client also fit the client as it is to be.

    A digest does not fit if the secret itself is needed, nor does a secret that is too short for HMAC signatures.
    """
    if not known.has_secret or not known.secrets:
        return False
    if is_kept(client) and (known.secrets[0].sealed is None or longest_hash(known) < longest_hash(client)):
        return False
    newest = known.secrets[0]
    return secret is None or (newest.portable and is_digest_of(newest, secret, context))


@attrs.frozen
class ClientFacts:
    """Hold what is stored under a client's identifier, and its place among those that register themselves.

    None for what is absent.
    """

    client: Client | None
    entry: ListedClient | None
    slot: RegistrationSlot | None = None


def find_client(client_id: str) -> Flow[ClientFacts]:
    """Find what is stored under a client's identifier."""
    client = yield from find(Client, client_id)
    entry = yield from find(ListedClient, client_id)
    if client is None or client.dynamic is None or client.dynamic.slot is None:
        return ClientFacts(client, entry)
    slot = yield from find(RegistrationSlot, str(client.dynamic.slot))
    return ClientFacts(client, entry, slot if slot is not None and slot.client_id == client_id else None)


def listing(client: Client, facts: ClientFacts, context: Context) -> tuple[Change, ...]:
    """Return what puts a client into the list of all, and has its entry and its place expire with it."""
    entry, registered_at = facts.entry, context.now if client.dynamic is None else client.dynamic.registered_at
    fresh = ListedClient(client_id=client.client_id, registered_at=registered_at, expires_at=client.expires_at)
    changes: tuple[Change, ...] = ()
    if entry is None:
        changes = (Insert(fresh),)
    elif client.dynamic is not None and entry != fresh:
        changes = (Replace(entry, fresh),)
    elif entry.expires_at != client.expires_at:
        changes = (Replace(entry, attrs.evolve(entry, expires_at=client.expires_at)),)
    if facts.slot is not None and client.dynamic is None:  # the operator has registered a client in its place
        return (*changes, Delete(facts.slot))
    if facts.slot is None or facts.slot.expires_at == client.expires_at:
        return changes
    return (*changes, Replace(facts.slot, attrs.evolve(facts.slot, expires_at=client.expires_at)))


def decide_register(
    registered: Registered, facts: ClientFacts, context: Context, *, replace: bool
) -> Decision[Registered]:
    """Remember a client, or put it in the place of one that may be replaced; the same once more changes nothing."""
    client, known = registered.client, facts.client
    listed = listing(client, facts, context)
    if known is None:
        return Decision(registered, (Insert(client), *listed), (Event("client_registered", client.client_id),))
    if not replace:
        remedy = "it is taken; choose another, remove that client first, or register with replace=True"
        raise ConfigurationError("client_id", client.client_id, remedy)
    if known == client:
        return Decision(registered, listed)
    return Decision(registered, (Replace(known, client), *listed), (Event("client_updated", client.client_id),))


@attrs.frozen
class SecretRotation:
    """Ask for another secret of a client; the one that it has stays good for `overlap` seconds, so that both are."""

    client_id: str
    secret: Secret
    overlap: int


def decide_rotate(rotation: SecretRotation, known: Client | None, context: Context) -> Decision[Secret]:
    """Replace a client's secret; of its old ones only the newest may stay good for a while."""
    if known is None or not known.has_secret:
        raise ConfigurationError(
            "client_id", rotation.client_id, "name a registered client that authenticates with a secret"
        )
    newest, over = known.secrets[:1], context.now + rotation.overlap
    kept = tuple(attrs.evolve(old, expires_at=over) for old in newest if rotation.overlap > 0)
    rotated = attrs.evolve(known, secrets=(remembered(rotation.secret, known, context), *kept))
    return Decision(rotation.secret, (Replace(known, rotated),), (Event("client_secret_rotated", known.client_id),))


def remember(client: Client, secret: Secret | None, context: Context, *, replace: bool) -> Flow[Registered]:
    """Store a client that has been checked; raises `ConfigurationError` if its identifier is taken.

    With `replace` it is still the same client: its tokens stay valid, within the new registration. Registering does not
    enable a disabled client, which may have been disabled because of a theft.
    """
    generation = context.mint().reveal()[:GENERATION_LENGTH]

    def decision() -> Flow[Decision[Registered]]:
        check_sector(client, context)
        facts = yield from find_client(client.client_id)
        registered = with_secret(as_registered(client, facts.client, generation), secret, facts.client, context)
        return decide_register(registered, facts, context, replace=replace)

    return (yield from commit_with_retry(decision))


def as_registered(client: Client, known: Client | None, generation: str) -> Client:
    """Return a client with what its settings do not contain: a new generation, or that of the stored client."""
    if known is None:
        # A new generation, so that nothing issued to a removed client with this identifier becomes valid again.
        return attrs.evolve(client, generation=generation)
    # The same generation: the client's tokens stay valid. A disabled client stays disabled.
    return attrs.evolve(client, generation=known.generation, enabled=client.enabled and known.enabled)


def rotate_secret(client_id: str, overlap: int, context: Context) -> Flow[Secret]:
    """Replace a client's secret; raises `ConfigurationError` if there is no such client with a secret."""
    secret = fresh_secret((yield from find(Client, client_id)), context)
    rotation = SecretRotation(client_id, secret, overlap)

    def decision() -> Flow[Decision[Secret]]:
        return decide_rotate(rotation, (yield from find(Client, client_id)), context)

    return (yield from commit_with_retry(decision))
