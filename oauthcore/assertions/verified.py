"""Verification of an assertion: by whom it was made, for whom, until when, and of what kind (RFC 7523 section 3).

All that can be refused without a key is, before any key is looked for: the sender of an assertion must not cost its
issuer a request. Only issuers that are trusted are looked up at all, and nothing that an assertion says of its own key
is believed (`oauthcore.jose.compact`).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from oauthcore.assertions.trusted_issuer import TrustedIssuer, Use
from oauthcore.context import Context
from oauthcore.digest import Digest, Secret
from oauthcore.documents import Document, DocumentNeeded
from oauthcore.errors import InvalidGrant, TemporarilyUnavailable
from oauthcore.jose.compact import InvalidJwt, read_claims, read_signed
from oauthcore.jose.crypto import VerifiedJwt
from oauthcore.jose.registered_claims import audience_of, check_times, type_of
from oauthcore.jose.strict_json import is_time
from oauthcore.per_request import per_request
from oauthcore.records.token import SpentAssertion
from oauthcore.resource.discovery import DISCOVERED_FOR, IsMetadataOf, jwks_uri_in, metadata_urls
from oauthcore.resource.published_keys import PublishedKeys, keys_of_set

# RFC 8725 section 3.11: few issuers set a `typ` for assertions; a `typ` for anything else is refused.
PLAIN_TYPES = frozenset({"", "jwt"})
ID_JAG_TYPES = frozenset({"oauth-id-jag+jwt"})

# Claims of ID tokens and security events, which are plain JWTs otherwise, and were issued for another purpose.
_OTHER_KINDS = frozenset({"nonce", "at_hash", "c_hash", "s_hash", "events"})


@per_request
class VerifiedAssertion:
    """Prove that a trusted issuer has made an assertion for this server, which is in time.

    Whether it was used before is for `SpentAssertion` to say, under `key`. It is over at `expires_at`, the clock's skew
    included.
    """

    issuer: TrustedIssuer
    type: str
    claims: Mapping[str, object]
    expires_at: int

    @property
    def jti(self) -> str | None:
        """Return its identifier, None if it has none."""
        jti = self.claims.get("jti")
        return jti if isinstance(jti, str) and jti else None

    def key(self, context: Context) -> Digest | None:
        """Return what its use is remembered by, None if it may be used again.

        A `jti` is the issuer's choice, and counts for that issuer alone.
        """
        if self.issuer.reuse is not None or self.jti is None:
            return None
        name = self.issuer.issuer
        return context.digest("assertion_of_issuer", Secret(f"{len(name)} {name} {self.jti}"))

    def spent_by(self, client_id: str, context: Context) -> SpentAssertion | None:
        """Return the record that it was used, for the commit of what is issued for it."""
        key = self.key(context)
        return None if key is None else SpentAssertion(key=key, client_id=client_id, expires_at=self.expires_at)


def verify_assertion(
    text: str,
    issuers: Mapping[str, TrustedIssuer],
    use: Use,
    context: Context,
    *,
    types: Collection[str] = PLAIN_TYPES,
    audience: Collection[str] | None = None,
) -> VerifiedAssertion:
    """Verify an assertion that is presented for a use; `types` are the `typ` it may have, in lower case.

    All of its audiences have to be among `audience`: by default this server's issuer, and what the trusted issuer's
    settings say beside it. Raises `InvalidGrant` (RFC 7521 section 4.1.1), `DocumentNeeded`, and
    `TemporarilyUnavailable` if its issuer's keys can't be fetched: it may be a good one.
    """
    try:
        issuer = _check(text, issuers, use, types, audience, context)
        verified = _by_keys_of(issuer, text, context)
    except InvalidJwt as invalid:
        raise InvalidGrant(f"the assertion is refused: {invalid}") from None
    exp = verified.claims["exp"]
    assert is_time(exp)
    # The last second in which `check_times` accepts it.
    expires_at = math.ceil(exp) + issuer.skew
    return VerifiedAssertion(issuer, type_of(verified.header), verified.claims, expires_at)


def type_in(text: str) -> str:
    """Return the `typ` of an assertion that is not verified, in lower case; raises `InvalidGrant`."""
    try:
        return type_of(read_signed(text).header)
    except InvalidJwt as invalid:
        raise InvalidGrant(f"the assertion is refused: {invalid}") from None


def _check(
    text: str,
    issuers: Mapping[str, TrustedIssuer],
    use: Use,
    types: Collection[str],
    audience: Collection[str] | None,
    context: Context,
) -> TrustedIssuer:
    """Refuse an assertion that no key could make good; the same bytes are verified later, so all of it stays true."""
    signed = read_signed(text)
    claims = read_claims(signed.payload)
    iss = claims.get("iss")
    # RFC 7523 section 3 item 1, by simple string comparison: another slash is another issuer.
    issuer = issuers.get(iss) if isinstance(iss, str) else None
    if issuer is None or use not in issuer.uses:
        raise InvalidGrant("the assertion's issuer is not trusted for this")
    # RFC 8725 sections 3.1 and 3.2: by the configured algorithms; `none` and HMAC are never among them.
    if signed.alg not in issuer.algorithms:
        raise InvalidGrant("the assertion's algorithm is not configured for its issuer")
    # RFC 8725 sections 3.11 and 3.12: an access token or logout token of the same issuer is no assertion.
    if type_of(signed.header) not in types:
        raise InvalidGrant("the assertion's typ is that of another kind of JWT")
    if "events" in claims or (use == "jwt-bearer" and _OTHER_KINDS & claims.keys()):
        raise InvalidGrant("the assertion is an ID token or a security event token")
    named = audience_of(claims)
    meant = (context.issuer, *issuer.audience) if audience is None else audience
    # RFC 7523 section 3 item 3. No other audience: that party could present the assertion here, too.
    if not named or not set(named) <= set(meant):
        raise InvalidGrant("the assertion's aud is not this server, or not only this server")
    # Items 4 to 6; exp is REQUIRED.
    check_times(claims, context.now, skew=issuer.skew)
    exp = claims["exp"]
    assert is_time(exp)
    # Item 4 lets a server reject an exp that is unreasonably far in the future: its jti is stored until then.
    if exp > context.now + issuer.max_lifetime + issuer.skew:
        raise InvalidGrant("the assertion's exp is too far in the future")
    # Item 2: sub is REQUIRED.
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise InvalidGrant("the assertion has no sub")
    # Item 7. Without jti its use can't be remembered. What is exchanged is used up by nothing (RFC 8693 section 2.2).
    if use != "token-exchange" and issuer.reuse is None and not claims.get("jti"):
        raise InvalidGrant("the assertion has no jti")
    return issuer


def _by_keys_of(issuer: TrustedIssuer, text: str, context: Context) -> VerifiedJwt:
    # Keys that were given are never fetched: no one else decides which keys are trusted.
    if issuer.keys is not None:
        return context.verify(text, keys_of_set(issuer.keys), issuer.algorithms)
    url = issuer.jwks_uri or _discover(issuer.issuer, context)
    published = PublishedKeys(issuer.issuer, url, context.documents, context.now, issuer.keys_lifetime)
    return published.verify(text, issuer.algorithms, context.verify)


def _discover(issuer: str, context: Context) -> str:
    """Return where an issuer's keys are; raises `DocumentNeeded`, and `TemporarilyUnavailable` if that can't be found.

    The places where its metadata may be are fetched in their order; once it was found at one, the others are left
    alone.
    """
    needed: DocumentNeeded | None = None
    is_metadata = IsMetadataOf(issuer)
    # OpenID's first: that is what providers, Kubernetes and CI services publish.
    urls = sorted(metadata_urls(issuer), key=lambda url: not url.endswith("/.well-known/openid-configuration"))
    for url in urls:
        try:
            document: Document = context.documents.get(url, context.now, is_metadata)
        except DocumentNeeded as missing:
            needed = needed or missing
            continue
        jwks_uri = jwks_uri_in(document, issuer)
        if jwks_uri is not None:
            return jwks_uri
    if needed is not None:
        raise needed
    for url in urls:  # each has just failed, so nothing is fetched; what it said before is good for a day
        document = context.documents.get(url, context.now, is_metadata, fresh_for=DISCOVERED_FOR)
        jwks_uri = jwks_uri_in(document, issuer)
        if jwks_uri is not None:
            return jwks_uri
    raise TemporarilyUnavailable(f"no metadata that is {issuer}'s can be fetched at its well-known places")
