"""Clients: register, find, change and remove them."""

from __future__ import annotations

from collections.abc import Callable, Collection

from oauthcore.clients.management import (
    approve_client,
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
from oauthcore.records.client import Client
from oauthcore.signing.key_ring import check_outlived
from oauthcore.signing.keys import KeySet, StoredKeys

MAX_NOTE = 200


class Clients:
    """Be `server.clients`: what is registered here, each client by its `client_id`."""

    def __init__(self, context: Callable[[], Context], grant_types: Collection[str], keys: KeySet | None) -> None:
        self._context = context
        self._grant_types = frozenset(grant_types)
        self._keys = keys

    def register(self, client: Client, secret: Secret | None = None, *, replace: bool = False) -> Flow[Registered]:
        """Remember a client, with that secret or one of 256 random bits; the secret can be seen only in the result.

        With `replace` it takes the place of a registered client of that identifier, for hosts that declare their
        clients in code: to do so again changes nothing. Without a `secret` the one it has stays, and is not in the
        result. What it was given lives on, and a client that was disabled stays so until `enable`.

        Raises `ConfigurationError` for a registration that can't be, and for an identifier that is taken.
        """
        _ = self.prepare(client, secret)
        return remember(client, secret, self._context(), replace=replace)

    def prepare(self, client: Client, secret: Secret | None = None) -> Registered:
        """Look a client over and give it its secret, as `register` does, for a host that keeps it elsewhere.

        Nobody is asked, so a `sector_identifier_uri` is taken at its word, which `register` fetches and holds against
        the redirect URIs. Raises `ConfigurationError` for a registration that can't be.
        """
        context = self._context()
        self.check(client)
        return with_secret(client, secret, None, context)

    def issue_initial_access_token(self, *, lifetime: int, uses: int = 1, note: str | None = None) -> Flow[Secret]:
        """Return a token by which clients register themselves, that often, for `lifetime` seconds (RFC 7591 section 3).

        `note` says whom it is for, and is kept with the clients. The token can be seen only in the result. Raises
        `EffectFailed` if storage fails.
        """
        if lifetime < 1 or uses < 1:
            raise ConfigurationError("lifetime, uses", (lifetime, uses), "use 1 or more of each")
        if note is not None and (not note or not note.isprintable() or len(note) > MAX_NOTE):
            raise ConfigurationError("note", note, f"use up to {MAX_NOTE} printable characters, or leave it out")
        return issue_initial_access_token(lifetime, uses, note, self._context())

    def revoke_initial_access_token(self, token: Secret | str) -> Flow[bool]:
        """Have nobody register by a token any more; return whether it was good for anything.

        It is named by itself, or by its digest: the `key` of the `InitialAccessToken` that is stored.
        """
        key = self._context().digest("initial_access_token", token) if isinstance(token, Secret) else token
        return revoke_initial_access_token(key)

    def approve(self, client_id: str) -> Flow[Client]:
        """Vouch for what a client that registered itself says: it may be used, and is not forgotten.

        Pages show its name as that of any other client, until it changes itself. Raises `ConfigurationError` where
        there is no such client, and for one that was not registered by itself.
        """
        return approve_client(client_id, self._context())

    def find(self, client_id: str) -> Flow[Client | None]:
        """Find a client, None if none is registered by that identifier. Raises `EffectFailed` if storage fails."""
        return find(Client, client_id)

    def all(self) -> Flow[tuple[Client, ...]]:
        """Find every client that was registered, by identifier. Raises `EffectFailed` if storage fails."""
        return list_clients()

    def update(self, client_id: str, /, **settings: object) -> Flow[Registered]:
        """Change settings of a client: `update("app", scope="email", name="The app")`.

        What is taken out of its registration ends at once, in tokens that were issued before, too. Its secret stays,
        but where it can't serve the changed client, as for another method of authentication: a fresh one is then in the
        result. A client that registered itself can't change itself any more. Raises `ConfigurationError` for a
        registration that can't be, and where there is no such client.
        """

        def renew(changed: Client, known: Client) -> Registered:
            """Look it over as if it were being registered."""
            self.check(changed)
            check_sector(changed, context)
            return with_secret(changed, None, known, context)

        context = self._context()
        return update_client(client_id, settings, renew, context)

    def disable(self, client_id: str) -> Flow[Client]:
        """Serve a client no more, and take none of its tokens for good, until it is enabled again.

        Raises `ConfigurationError` where there is no such client.
        """
        return switch_client(client_id, self._context(), enabled=False)

    def enable(self, client_id: str) -> Flow[Client]:
        """Serve a client again that was disabled. Raises `ConfigurationError` where there is no such client."""
        return switch_client(client_id, self._context(), enabled=True)

    def remove(self, client_id: str) -> Flow[Client]:
        """Remove a client, and with it everything that it was given: a later client of that name inherits nothing.

        Raises `ConfigurationError` where there is no such client.
        """
        return remove_client(client_id)

    def forget_unused(self, client_id: str) -> Flow[bool]:
        """Remove a client that registered itself, unless it has been used by now; return whether it was removed."""
        return forget_unused(client_id)

    def rotate_secret(self, client_id: str, *, overlap: int) -> Flow[Secret]:
        """Replace a client's secret; the one before it stays good for `overlap` seconds.

        Raises `ConfigurationError` where there is no such client with a secret.
        """
        return rotate_secret(client_id, overlap, self._context())

    def check(self, client: Client) -> None:
        """Look a client over; raises `ConfigurationError` for a registration that can't be."""
        context = self._context()
        policy = context.policy
        check_client(client, policy, self._grant_types, policy.response_types)
        if isinstance(self._keys, StoredKeys):
            check_outlived(client, policy.lifetimes, self._keys.policy)
        signs = client.access_token_format == "jwt" or client.introspection_signed_response_alg is not None
        if context.openid is not None or signs:
            check_openid(client, () if self._keys is None else self._keys.algorithms, policy)
