"""Tokens that a test makes by hand, with any content; the issuer accepts them as if it had issued them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import attrs

from oauthcore import Client, ConfigurationError, Secret, run
from oauthcore.context import Context
from oauthcore.flow.effects import Flow, pure
from oauthcore.flow.outcome import Change, Delete, Insert
from oauthcore.grants.issuance import issue_access, new_grant
from oauthcore.grants.terms import TokenTerms
from oauthcore.jose.crypto import verify
from oauthcore.jose.jwk import Jwk
from oauthcore.jose.jwt import Jwt
from oauthcore.oidc.id_token import HashInputs, hashes
from oauthcore.oidc.logout_token import EVENT
from oauthcore.records.grant import Grant
from oauthcore.resource.stored_token import find_access_token
from oauthcore.scope import Scope, as_scope
from oauthcore_mock.flaws import FLAWS, FlawName

if TYPE_CHECKING:
    from oauthcore_mock.issuer import Issuer

# The client of tokens for which no client is named; it may have any scope.
TOKEN_CLIENT = "token-client"
# How many seconds before its expiry an expired token was issued.
ISSUED_BEFORE = 300
# Longer than any token, so that the grant of a token outlives it.
GRANT_LIFETIME = 10 * 365 * 86_400


class Tokens:
    """Make the tokens of one issuer."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer

    def access_token(
        self,
        sub: str | None,
        aud: str | list[str] | None,
        scope: str | Iterable[str],
        claims: Mapping[str, object] | None,
        expires_in: int,
        client_id: str | None,
        *,
        opaque: bool,
    ) -> Jwt | str:
        """Return an access token that is stored: an unsigned JWT, or an opaque one."""
        context = self._issuer.server.context()
        wanted = as_scope(scope)
        client = self._client(client_id, wanted)
        audience = (aud,) if isinstance(aud, str) else tuple(aud or (self._issuer.audience,))
        grant = None if sub is None else _grant(client, sub, wanted, context)
        terms = TokenTerms(client, wanted, audience, context.now + expires_in, "opaque" if opaque else "jwt")
        issued = issue_access(terms, grant, context.mint(), context)
        issued_at = context.now + min(0, expires_in - ISSUED_BEFORE if expires_in <= 0 else 0)
        record = attrs.evolve(issued.record, issued_at=issued_at)
        changes: list[Change] = [Insert(record)] if grant is None else [Insert(grant), Insert(record)]
        stored = self._issuer.world.storage.commit(changes)
        if not stored:
            raise AssertionError("a token that was just drawn is stored already")
        if issued.jwt is None:
            if claims:
                raise ConfigurationError("claims", sorted(claims), "leave them out: an opaque token says nothing")
            return issued.value.reveal()
        further = {} if sub is None else self._issuer.access_claims_of(self._issuer.people.find(sub))
        return _saying(issued.jwt, {**further, "iat": issued_at, **(claims or {})})

    def id_token(
        self,
        sub: str,
        aud: str | None,
        nonce: str | None,
        claims: Mapping[str, object] | None,
        expires_in: int,
        alg: str,
        access_token: str | None,
    ) -> Jwt:
        """Return an unsigned ID token (OIDC Core section 2)."""
        now, audience = self._issuer.clock.now, aud or TOKEN_CLIENT
        beside = HashInputs(access_token=None if access_token is None else Secret(access_token))
        said: dict[str, object] = {
            "iss": self._issuer.url,
            "sub": sub,
            "aud": audience,
            "azp": audience,
            "exp": now + expires_in,
            "iat": now + min(0, expires_in - ISSUED_BEFORE if expires_in <= 0 else 0),
            "auth_time": now,
            **hashes(beside, alg),
        }
        return _saying(Jwt(said, alg), {"nonce": nonce, **(claims or {})})

    def assertion(self, sub: str, aud: str, claims: Mapping[str, object] | None, expires_in: int) -> Jwt:
        """Return an unsigned assertion for another authorization server (RFC 7523 section 3)."""
        context = self._issuer.server.context()
        said: dict[str, object] = {
            "iss": self._issuer.url,
            "sub": sub,
            "aud": aud,
            "iat": context.now + min(0, expires_in - ISSUED_BEFORE if expires_in <= 0 else 0),
            "exp": context.now + expires_in,
            "jti": context.mint().reveal(),
        }
        return _saying(Jwt(said, "ES256"), claims or {})

    def logout_token(self, sub: str | None, aud: str | None, sid: str | None, claims: Mapping[str, object]) -> Jwt:
        """Return an unsigned logout token (OIDC Back-Channel Logout section 2.4)."""
        context = self._issuer.server.context()
        said: dict[str, object] = {
            "iss": self._issuer.url,
            "aud": aud or TOKEN_CLIENT,
            "iat": context.now,
            "exp": context.now + 120,
            "jti": context.mint().reveal(),
            "events": {EVENT: {}},
        }
        return _saying(Jwt(said, "ES256"), {"sub": sub, "sid": sid, **claims})

    def spelled(self, jwt: Jwt, alg: str, kid: str | None, typ: str, flaw: FlawName | None) -> str:
        """Sign a token with the issuer's key for an algorithm, and put a flaw into it."""
        if flaw is not None and flaw not in FLAWS:
            raise ConfigurationError("flaw", flaw, f"use one of {', '.join(FLAWS)}")
        key: Jwk = self._issuer.signing_keys.signing_key(alg)
        draft = self._issuer.draft({"alg": alg, "typ": typ, "kid": kid or key.kid}, jwt.claims, key)
        changed = draft if flaw is None else FLAWS[flaw].change(draft)
        return changed.spell(changed)

    def revoke(self, token: Secret) -> None:
        """Revoke the grant or record of an access token; raises `ConfigurationError` for an unknown one."""
        server, world = self._issuer.server, self._issuer.world
        published = self._issuer.signing_keys.published.published

        def own_keys() -> Flow[tuple[Jwk, ...]]:
            """Return the public keys of the issuer."""
            return pure(published)

        record = run(find_access_token(token, server.instruments.digest, own_keys, verify), world)
        if record is None:
            raise ConfigurationError("token", "(not shown)", "give an access token that this issuer has issued")
        if record.grant is None:
            _ = world.storage.commit([Delete(record)])
        else:
            _ = run(server.grants.revoke(record.grant), world)

    def _client(self, client_id: str | None, scope: Scope) -> Client:
        """Return the client that a token is issued to; one that is not registered yet gets that scope."""
        server, world = self._issuer.server, self._issuer.world
        client = run(server.clients.find(client_id or TOKEN_CLIENT), world)
        if client is None:
            settings = {
                "client_id": client_id or TOKEN_CLIENT,
                "public": True,
                "redirect_uris": ["https://client.example/"],
            }
            client = self._issuer.client(scope=scope.text, **settings).record  # type: ignore[arg-type]  # as they are called
        elif client_id is None and not set(scope) <= set(client.scope):
            more = Scope((*client.scope, *(token for token in scope if token not in client.scope)))
            client = run(server.clients.update(TOKEN_CLIENT, scope=more), world).client
        return client


def _grant(client: Client, sub: str, scope: Scope, context: Context) -> Grant:
    grant = new_grant(client, sub, scope, context.now, context)
    return attrs.evolve(grant, expires_at=context.now + GRANT_LIFETIME)


def _saying(jwt: Jwt, claims: Mapping[str, object]) -> Jwt:
    """Return a token with other claims; None removes one."""
    changed = {**jwt.claims, **claims}
    return attrs.evolve(jwt, claims={name: value for name, value in changed.items() if value is not None})
