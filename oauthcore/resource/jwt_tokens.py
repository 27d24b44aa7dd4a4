"""JWT access tokens (RFC 9068) of any issuer, an oauthcore server or another product.

No server is called for a token; the issuer's keys are found by its metadata and cached. So a revocation goes unnoticed
until the token expires: if that is too late, use `IntrospectedTokens`.

Two attacks must fail. An attacker's own token: type, algorithm, issuer and times are checked, and the signature with
the issuer's keys only; the audience is checked by the `ResourceServer`. And making this server call the issuer at will:
whatever can be refused without a key is, and unknown keys are fetched at most once a minute (`oauthcore.documents`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from oauthcore.clock import Clock
from oauthcore.digest import Secret
from oauthcore.documents import FRESH_FOR, Documents
from oauthcore.errors import ConfigurationError, InvalidScope, InvalidToken, TemporarilyUnavailable
from oauthcore.flow.effects import Flow
from oauthcore.flow.transact import with_documents
from oauthcore.given import strings
from oauthcore.jose.compact import InvalidJwt, read_claims, read_signed
from oauthcore.jose.crypto import VerifiedJwt, verify
from oauthcore.jose.jwk import ASYMMETRIC_ALGORITHMS, Jwk, parse_set
from oauthcore.jose.registered_claims import SKEW, check_times, type_of
from oauthcore.resource.access import Access, access_of_members, text_of
from oauthcore.resource.discovery import DISCOVERED_FOR, IsMetadataOf, is_private_channel, jwks_uri_in, metadata_urls
from oauthcore.resource.published_keys import KEYS_LIFETIME, PublishedKeys
from oauthcore.scope import Scope, parse_scope

_NO_ACCESS_TOKENS = frozenset({"at_hash", "c_hash", "events"})


@attrs.frozen
class AllowPlainJwt:
    """Take access tokens that don't say that they are some (`typ` is `JWT` or missing), as many issuers make them.

    Whatever else the issuer signs for the same audience is then as good as an access token (RFC 8725 section 3.11): an
    ID token whose client is called as this resource is. What is plainly an ID token or a security event is refused
    still. `client_id` and `scope` may have the names that Okta, Entra and Keycloak give them.
    """


@attrs.frozen
class _Discovered:
    jwks_uri: str
    metadata_url: str
    found_at: int


class JwtTokens:
    """Verify the access tokens of an issuer, for a `ResourceServer`, which checks their audience.

    `issuer` is the exact `iss` of tokens. Its keys are found by its metadata; or they are at `jwks_uri`, or are the
    `keys`, a JWK set as text or keys. They are cached for `keys_lifetime` seconds. `algorithms` are those that it may
    sign with; they must be asymmetric, since otherwise any party that verifies tokens could make them. `skew` is the
    tolerance in seconds for its clock. `policy=AllowPlainJwt()` is for an issuer whose tokens have no `typ` of
    `at+jwt`.

    Raises `ConfigurationError` for invalid settings.
    """

    def __init__(
        self,
        issuer: str,
        *,
        clock: Clock,
        keys: str | bytes | Iterable[Jwk] | None = None,
        jwks_uri: str | None = None,
        algorithms: Iterable[str] = ASYMMETRIC_ALGORITHMS,
        keys_lifetime: int = KEYS_LIFETIME,
        skew: int = SKEW,
        policy: AllowPlainJwt | None = None,
    ) -> None:
        self.issuer = issuer
        self.clock = clock
        self._metadata_urls = metadata_urls(issuer)
        self._algorithms = strings("algorithms", algorithms)
        if not self._algorithms or not set(self._algorithms) <= set(ASYMMETRIC_ALGORITHMS):
            remedy = f"use some of {', '.join(ASYMMETRIC_ALGORITHMS)}"
            raise ConfigurationError("algorithms", self._algorithms, remedy)
        if not 1 <= keys_lifetime <= FRESH_FOR or skew < 0:
            remedy = f"use 1 to {FRESH_FOR} seconds, and 0 or more"
            raise ConfigurationError("keys_lifetime, skew", (keys_lifetime, skew), remedy)
        if jwks_uri is not None and not is_private_channel(jwks_uri):
            raise ConfigurationError(
                "jwks_uri", jwks_uri, "use an https URL: whoever can change the keys can forge tokens"
            )
        if jwks_uri is not None and keys is not None:
            raise ConfigurationError("jwks_uri", jwks_uri, "give the keys, or where they are, and not both")
        self._keys = None if keys is None else _public(keys)
        self._jwks_uri = jwks_uri
        self._keys_lifetime = keys_lifetime
        self._skew = skew
        self._policy = policy
        self._documents = Documents()
        self._discovered: _Discovered | None = None

    def __call__(self, token: Secret) -> Flow[Access | None]:
        """Return what a token allows.

        Raises `InvalidToken` with what is wrong with it, `TemporarilyUnavailable` if the issuer's keys are not
        available.
        """
        now = int(self.clock())
        return with_documents(lambda: self._access(token.reveal(), now))

    def _access(self, text: str, now: int) -> Access:
        try:
            self._check(text, now)
            verified = self._verified(text, now)
        except InvalidJwt as invalid:
            raise InvalidToken(f"the token: {invalid}") from None
        return self._described(verified.claims)

    def _check(self, text: str, now: int) -> None:
        """Refuse what no key could make good, before any key is looked for: who sends it must not cost the issuer.

        What was signed are these bytes, so that all of it holds of the verified claims as well.
        """
        signed = read_signed(text)
        kinds = {"at+jwt"} if self._policy is None else {"at+jwt", "jwt", ""}
        if type_of(signed.header) not in kinds:
            # RFC 9068 section 4: an ID token, or a logout token, of the same issuer is no access token.
            raise InvalidToken("the token's typ is not at+jwt")
        # RFC 8725 section 3.1 and RFC 9068 section 4: the algorithms are configured, and `none` is rejected.
        if signed.alg not in self._algorithms:
            raise InvalidToken("the token's algorithm is not one of the issuer's")
        claims = read_claims(signed.payload)
        # RFC 9068 section 4: iss MUST exactly match. Issuers of one host may share their keys.
        if claims.get("iss") != self.issuer:
            raise InvalidToken("the token is another issuer's")
        # RFC 8725 section 3.12: with a plain `typ`, only the claims distinguish an access token from other JWTs.
        if _NO_ACCESS_TOKENS & claims.keys():
            raise InvalidToken("the token is an ID token, or tells of a security event")
        # RFC 9068 section 4: the current time MUST be before exp.
        check_times(claims, now, skew=self._skew)

    def _verified(self, text: str, now: int) -> VerifiedJwt:
        given = self._keys
        # Keys that were given are never fetched again: no one else decides which keys are trusted.
        if given is not None:
            return verify(text, given, self._algorithms)
        url = self._jwks_uri or self._discover(now)
        published = PublishedKeys(self.issuer, url, self._documents, now, self._keys_lifetime)
        return published.verify(text, self._algorithms, verify)

    def _discover(self, now: int) -> str:
        known = self._discovered
        if known is not None and now < known.found_at + FRESH_FOR:
            return known.jwks_uri
        is_usable = known is not None and now < known.found_at + DISCOVERED_FOR
        # Once found, only this URL is used while it works; then a server that is down costs one timeout, not several.
        for url in (known.metadata_url,) if known is not None and is_usable else self._metadata_urls:
            jwks_uri = jwks_uri_in(self._documents.get(url, now, IsMetadataOf(self.issuer)), self.issuer)
            if jwks_uri is not None:
                self._discovered = _Discovered(jwks_uri, url, now)
                return jwks_uri
        if known is not None and is_usable:
            return known.jwks_uri
        raise TemporarilyUnavailable(f"no metadata that is {self.issuer}'s can be fetched at its well-known places")

    def _described(self, claims: Mapping[str, object]) -> Access:
        names = ("client_id",) if self._policy is None else ("client_id", "azp", "cid", "appid")
        client_id = next((name for name in (text_of(claims.get(name)) for name in names) if name), "")
        if not client_id and not text_of(claims.get("sub")):
            raise InvalidToken("the token says neither whose client it is for nor for whom")
        access = access_of_members(claims, client_id, self._scope_of(claims))
        if access is None:
            raise InvalidToken("the token's cnf or act can't be read")
        return access

    def _scope_of(self, claims: Mapping[str, object]) -> Scope:
        value = claims.get("scope")
        if self._policy is not None:
            value = claims.get("scp") if value is None else value
            if isinstance(value, list) and all(isinstance(one, str) for one in value):
                value = " ".join(value)
        try:
            return parse_scope(text_of(value) or "")
        except InvalidScope:
            return Scope()


def _public(keys: str | bytes | Iterable[Jwk]) -> tuple[Jwk, ...]:
    """Return the public keys that were given; raises `ConfigurationError` if there are none."""
    try:
        given = parse_set(keys) if isinstance(keys, str | bytes) else tuple(key.public for key in keys)
    except ValueError as error:
        raise ConfigurationError("keys", "(not shown)", f"use the text of a JWK set: {error}") from None
    if not any(key.fits_signature(alg) for key in given for alg in ASYMMETRIC_ALGORITHMS):
        raise ConfigurationError("keys", "(not shown)", "give public keys for signatures, as a JWK set has them")
    return given
