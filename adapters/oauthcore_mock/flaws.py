"""What can be wrong with a signed token: a table, from which tests of clients and resource servers are made.

A flaw changes one thing in a valid draft of a token, so if the token is refused, it is for that thing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import attrs

from oauthcore.digest import base64url
from oauthcore.jose.crypto import sign_as_given
from oauthcore.jose.jwk import Jwk
from oauthcore_mock.keys import KeyMaterial

# Longer than any leeway that clients have.
FAR = 3_600

FlawName: TypeAlias = Literal[
    "expired",
    "not_yet_valid",
    "issued_in_the_future",
    "no_expiry",
    "wrong_issuer",
    "no_issuer",
    "wrong_audience",
    "no_audience",
    "wrong_type",
    "bad_signature",
    "foreign_key",
    "unknown_kid",
    "embedded_key",
    "unsigned",
    "signed_with_public_key",
    "unknown_critical_header",
    "wrong_nonce",
    "no_nonce",
    "wrong_at_hash",
    "wrong_authorized_party",
    "no_subject",
]
TokenName: TypeAlias = Literal["access_token", "id_token"]


@attrs.frozen
class Draft:
    """Hold the parts of a token; `key` is the private key that signs it, `second_key` one that is not published."""

    header: Mapping[str, object]
    claims: Mapping[str, object]
    key: Jwk
    second_key: Callable[[], Jwk] = attrs.field(repr=False)
    now: int
    spell: Callable[[Draft], str] = attrs.field(default=lambda draft: signed(draft), repr=False)

    def saying(self, **claims: object) -> Draft:
        """Return the draft with other claims; None removes one."""
        changed = {**self.claims, **claims}
        return attrs.evolve(self, claims={name: value for name, value in changed.items() if value is not None})

    def headed(self, **members: object) -> Draft:
        """Return the draft with other header members; None removes one."""
        changed = {**self.header, **members}
        return attrs.evolve(self, header={name: value for name, value in changed.items() if value is not None})


def signed(draft: Draft) -> str:
    """Sign a draft by the algorithm that its header names."""
    return sign_as_given(draft.header, draft.claims, draft.key, str(draft.header["alg"]))


def _with_broken_signature(draft: Draft) -> str:
    text, _, signature = signed(draft).rpartition(".")
    # All bits of the first letter count, unlike those of the last one.
    return f"{text}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def _without_signature(draft: Draft) -> str:
    # RFC 7515 appendix A.5: an unsecured JWS ends in an empty signature.
    return f"{_part({**draft.header, 'alg': 'none'})}.{_part(draft.claims)}."


def _by_hmac_of_public_key(draft: Draft) -> str:
    """Sign by HS256 with the public key's JSON as the secret: the algorithm confusion of RFC 8725 section 2.1."""
    text = f"{_part({**draft.header, 'alg': 'HS256'})}.{_part(draft.claims)}"
    secret = draft.key.public.text.encode()
    return f"{text}.{base64url(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def _part(members: Mapping[str, object]) -> str:
    return base64url(json.dumps(members, separators=(",", ":")).encode())


def _signed_by_a_stranger(draft: Draft) -> Draft:
    return attrs.evolve(draft, key=draft.second_key())


def _of_unknown_kid(draft: Draft) -> Draft:
    stranger = draft.second_key()
    return attrs.evolve(draft, key=stranger).headed(kid=stranger.kid)


def _with_embedded_key(draft: Draft) -> Draft:
    stranger = draft.second_key()
    return attrs.evolve(draft, key=stranger).headed(kid=stranger.kid, jwk=stranger.public.members)


def _of_another_party(draft: Draft) -> Draft:
    audience = draft.claims.get("aud")
    values = audience if isinstance(audience, list) else [audience]
    return draft.saying(aud=[*values, "another-client"], azp="another-client")


@attrs.frozen
class Flaw:
    """Describe a flaw, the kinds of token that can have it, and the section that has it refused."""

    change: Callable[[Draft], Draft] = attrs.field(repr=False)
    says: str
    section: str
    tokens: frozenset[TokenName] = frozenset({"access_token", "id_token"})


_ID_TOKEN: frozenset[TokenName] = frozenset({"id_token"})

FLAWS: Mapping[FlawName, Flaw] = {
    "expired": Flaw(
        lambda draft: draft.saying(iat=draft.now - 2 * FAR, exp=draft.now - FAR),
        "it expired an hour ago",
        "RFC 7519 section 4.1.4",
    ),
    "not_yet_valid": Flaw(
        lambda draft: draft.saying(nbf=draft.now + FAR, exp=draft.now + 2 * FAR),
        "it is good in an hour, and not before",
        "RFC 7519 section 4.1.5",
    ),
    "issued_in_the_future": Flaw(
        lambda draft: draft.saying(iat=draft.now + FAR, nbf=draft.now + FAR, exp=draft.now + 2 * FAR),
        "the issuer's clock is an hour ahead",
        "RFC 7519 section 4.1.6",
    ),
    "no_expiry": Flaw(lambda draft: draft.saying(exp=None), "it never expires", "RFC 9068 section 2.2"),
    "wrong_issuer": Flaw(
        lambda draft: draft.saying(iss=f"{draft.claims['iss']}/other"), "another issuer is named", "RFC 9068 section 4"
    ),
    "no_issuer": Flaw(lambda draft: draft.saying(iss=None), "no issuer is named", "RFC 9068 section 4"),
    "wrong_audience": Flaw(
        lambda draft: draft.saying(aud="https://another-audience.example", azp=None),
        "it has another audience",
        "RFC 9068 section 4",
    ),
    "no_audience": Flaw(lambda draft: draft.saying(aud=None, azp=None), "it has no audience", "RFC 9068 section 4"),
    "wrong_type": Flaw(
        lambda draft: draft.headed(typ="logout+jwt"),
        "its typ is that of another kind of token",
        "RFC 8725 section 3.11",
    ),
    "bad_signature": Flaw(
        lambda draft: attrs.evolve(draft, spell=_with_broken_signature),
        "its signature has another letter",
        "RFC 7515 section 5.2",
    ),
    "foreign_key": Flaw(
        _signed_by_a_stranger, "it names a published key and is signed by another", "RFC 7515 section 5.2"
    ),
    "unknown_kid": Flaw(_of_unknown_kid, "it names a key that is not published", "RFC 7515 section 4.1.4"),
    "embedded_key": Flaw(_with_embedded_key, "it brings the key that it is to be verified by", "RFC 8725 section 3.10"),
    "unsigned": Flaw(
        lambda draft: attrs.evolve(draft, spell=_without_signature), "its algorithm is none", "RFC 8725 section 2.1"
    ),
    "signed_with_public_key": Flaw(
        lambda draft: attrs.evolve(draft, spell=_by_hmac_of_public_key),
        "it is signed by HS256 with the public key for a secret",
        "RFC 8725 section 2.1",
    ),
    "unknown_critical_header": Flaw(
        lambda draft: draft.headed(crit=["urn:example:unknown"], **{"urn:example:unknown": True}),
        "its header has an extension that has to be understood",
        "RFC 7515 section 4.1.11",
    ),
    "wrong_nonce": Flaw(
        lambda draft: draft.saying(nonce="of-another-request"),
        "it has the nonce of another request",
        "OIDC Core section 3.1.3.7",
        _ID_TOKEN,
    ),
    "no_nonce": Flaw(lambda draft: draft.saying(nonce=None), "it has no nonce", "OIDC Core section 3.1.3.7", _ID_TOKEN),
    "wrong_at_hash": Flaw(
        lambda draft: draft.saying(at_hash=base64url(bytes(16))),
        "it belongs to another access token",
        "OIDC Core section 3.1.3.8",
        _ID_TOKEN,
    ),
    "wrong_authorized_party": Flaw(
        _of_another_party, "it was issued to another client", "OIDC Core section 3.1.3.7", _ID_TOKEN
    ),
    "no_subject": Flaw(lambda draft: draft.saying(sub=None), "it has no subject", "OIDC Core section 2", _ID_TOKEN),
}


def stranger(material: KeyMaterial, key: Jwk) -> Callable[[], Jwk]:
    """Return what creates a key of the same algorithm that is in no key set."""
    return lambda: material.key(str(key.alg), STRANGER)


# The number of a key that no rotation reaches.
STRANGER = -1
