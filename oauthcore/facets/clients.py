"""Clients: register, find, change and remove them."""

from __future__ import annotations

from collections.abc import Callable, Collection

from oauthcore.authorization_details import check_details_types
from oauthcore.clients.binding import check_binding
from oauthcore.clients.certificate_binding import check_certificate_binding
from oauthcore.clients.management import (
    approve_client,
    explain_client,
    forget_unused,
    list_clients,
    remove_client,
    switch_client,
    update_client,
)
from oauthcore.clients.openid_registration import check_openid, check_sector
from oauthcore.clients.registration import Registered, check_client, remember, rotate_secret, with_secret
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.endpoints.registration import issue_initial_access_token, revoke_initial_access_token
from oauthcore.errors import ConfigurationError
from oauthcore.flow.effects import Flow, find
from oauthcore.mutual_tls import METHODS
from oauthcore.records.client import Client
from oauthcore.signing.key_ring import check_outlived
from oauthcore.signing.keys import KeySet, StoredKeys

MAX_NOTE = 200
# Developer mode is for the time of development. It ends by itself if the operator forgets to end it.
MAX_EXPLAINED = 7 * 86_400


class Clients:
    """Be `server.clients`: what is registered here, each client by its `client_id`."""

    def __init__(self, context: Callable[[], Context], grant_types: Collection[str], keys: KeySet | None) -> None:
        self._context = context
        self._grant_types = frozenset(grant_types)
        self._keys = keys

    def register(self, client: Client, secret: Secret | None = None, *, replace: bool = False) -> Flow[Registered]:
        """Register a client, with that secret or one of 256 random bits; the result is the only place with the secret.

        With `replace`, it replaces a registered client with that identifier, for hosts that declare their clients in
        code; doing so again changes nothing. Without a `secret` the client keeps its secret, which is then not in the
        result. Its tokens stay valid, and a client that was disabled stays so until `enable`.

        Raises `ConfigurationError` for an invalid registration, and if the identifier is taken.
        """
        _ = self.prepare(client, secret)
        return remember(client, secret, self._context(), replace=replace)

    def prepare(self, client: Client, secret: Secret | None = None) -> Registered:
        """Check a client and return it with its secret, as `register` does, for a host that stores it elsewhere.

        Nothing is fetched, so the document at a `sector_identifier_uri`, which `register` fetches and compares with the
        redirect URIs, is not checked. Raises `ConfigurationError` for an invalid registration.
        """
        context = self._context()
        self.check(client)
        return with_secret(client, secret, None, context)

    def issue_initial_access_token(self, *, lifetime: int, uses: int = 1, note: str | None = None) -> Flow[Secret]:
        """Return a token for that many dynamic registrations within `lifetime` seconds (RFC 7591 section 3).

        `note` says who it is for, and is stored with the clients. The token is only in the result. Raises
        `EffectFailed` if storage fails.
        """
        if lifetime < 1 or uses < 1:
            raise ConfigurationError("lifetime, uses", (lifetime, uses), "use 1 or more of each")
        if note is not None and (not note or not note.isprintable() or len(note) > MAX_NOTE):
            raise ConfigurationError("note", note, f"use up to {MAX_NOTE} printable characters, or leave it out")
        return issue_initial_access_token(lifetime, uses, note, self._context())

    def revoke_initial_access_token(self, token: Secret | str) -> Flow[bool]:
        """Revoke an initial access token; return whether it was valid.

        Pass the token itself, or its digest: the `key` of the stored `InitialAccessToken`.
        """
        key = self._context().digest("initial_access_token", token) if isinstance(token, Secret) else token
        return revoke_initial_access_token(key)

    def approve(self, client: str | Client) -> Flow[Client]:
        """Vouch for what a client that registered itself says: it may be used, and is not forgotten.

        Pages show its name as that of any other client, until it changes itself. Pass the `Client` that was looked at,
        so that what it says is approved and nothing that it has changed since; its identifier approves whatever it says
        now. Raises `ConfigurationError` if there is no such client, if it has changed, and for one that was not
        registered by itself.
        """
        return approve_client(client, self._context())

    def find(self, client_id: str) -> Flow[Client | None]:
        """Find a client, None if none is registered by that identifier. Raises `EffectFailed` if storage fails."""
        return find(Client, client_id)

    def all(self) -> Flow[tuple[Client, ...]]:
        """Find every client that was registered, by identifier. Raises `EffectFailed` if storage fails."""
        return list_clients()

    def update(self, client_id: str, /, **settings: object) -> Flow[Registered]:
        """Change settings of a client: `update("app", scope="email", name="The app")`.

        What is removed from its registration ends at once, also in tokens that were already issued. It keeps its secret
        unless that does not fit the changed client, as for another authentication method; a new one is then in the
        result. A client that registered itself can't change itself afterwards. Raises `ConfigurationError` for an
        invalid registration, and if there is no such client.
        """

        def renew(changed: Client, known: Client) -> Registered:
            """Look it over as if it were being registered."""
            self.check(changed)
            check_sector(changed, context)
            return with_secret(changed, None, known, context)

        context = self._context()
        return update_client(client_id, settings, renew, context)

    def disable(self, client_id: str) -> Flow[Client]:
        """Refuse a client and all of its tokens, until it is enabled again.

        Raises `ConfigurationError` if there is no such client.
        """
        return switch_client(client_id, self._context(), enabled=False)

    def enable(self, client_id: str) -> Flow[Client]:
        """Enable a client that was disabled. Raises `ConfigurationError` if there is no such client."""
        return switch_client(client_id, self._context(), enabled=True)

    def explain(self, client_id: str, *, lifetime: int) -> Flow[Client]:
        """Turn developer mode on for `lifetime` seconds, a week at most, or off with 0.

        Until then, the client's errors say the reason and the setting: in `error_description`, and on the error page
        (docs/operating.md lists who learns what). Raises `ConfigurationError` if there is no such client.
        """
        if not 0 <= lifetime <= MAX_EXPLAINED:
            raise ConfigurationError("lifetime", lifetime, f"use a number of seconds, {MAX_EXPLAINED} at most")
        return explain_client(client_id, lifetime, self._context())

    def remove(self, client_id: str) -> Flow[Client]:
        """Remove a client and everything that was issued to it: a later client with that identifier inherits nothing.

        Raises `ConfigurationError` if there is no such client.
        """
        return remove_client(client_id)

    def forget_unused(self, client_id: str) -> Flow[bool]:
        """Remove a client that registered itself, unless it has been used by now; return whether it was removed."""
        return forget_unused(client_id)

    def rotate_secret(self, client_id: str, *, overlap: int) -> Flow[Secret]:
        """Replace a client's secret; the previous one stays valid for `overlap` seconds.

        Raises `ConfigurationError` if there is no such client with a secret.
        """
        return rotate_secret(client_id, overlap, self._context())

    def check(self, client: Client) -> None:
        """Look a client over; raises `ConfigurationError` for a registration that can't be."""
        context = self._context()
        policy = context.policy
        check_client(client, policy, self._grant_types, policy.response_types, context.client_methods)
        if client.require_pushed_authorization_requests and context.pushed_requests is None:
            remedy = "leave it out, or let clients push their requests: pushed_requests=PushedRequests()"
            raise ConfigurationError("require_pushed_authorization_requests", True, remedy)
        method = client.token_endpoint_auth_method
        if method in METHODS and (context.mutual_tls is None or method not in context.mutual_tls.methods):
            remedy = f"use another, or offer it: mutual_tls=MutualTls(methods=[{method!r}])"
            raise ConfigurationError("token_endpoint_auth_method", method, remedy)
        check_binding(client, context)
        check_details_types(client, context.authorization_details)
        if context.profile is not None:
            context.profile.check_client(client)
        check_certificate_binding(client, context)
        if isinstance(self._keys, StoredKeys):
            check_outlived(client, policy.lifetimes, self._keys.policy)
        signed = (
            client.introspection_signed_response_alg,
            client.authorization_signed_response_alg,
            client.authorization_encrypted_response_alg,
        )
        signs = client.access_token_format == "jwt" or any(signed)
        # Introspection has pairwise subjects without OpenID Connect, too.
        if context.openid is not None or signs or client.subject_type == "pairwise":
            check_openid(client, () if self._keys is None else self._keys.algorithms, policy)
