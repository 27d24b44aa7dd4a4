"""The key set that tokens are checked with."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Iterator, Mapping

from oauthcore.jose.jwk import SIGNATURES
from oauthcore.wire.text import media_type
from oauthcore_doctor.finding import Check, Severity
from oauthcore_doctor.observations import Observations, Probe, text_of, texts_of

# What a key has that makes it private (RFC 7518 sections 6.2.2, 6.3.2, 6.4.1; RFC 8037 section 2).
PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
# NIST SP 800-57 part 1; RFC 7518 section 3.3.
SMALLEST_RSA = 2048
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
# Octets of a coordinate (RFC 7518 section 6.2.1, RFC 8037 section 2).
CURVES: Mapping[str, tuple[str, int]] = {
    "P-256": ("EC", 32),
    "P-384": ("EC", 48),
    "P-521": ("EC", 66),
    "secp256k1": ("EC", 32),
    "Ed25519": ("OKP", 32),
    "Ed448": ("OKP", 57),
    "X25519": ("OKP", 32),
    "X448": ("OKP", 56),
}


def published(seen: Observations) -> list[dict[str, object]]:
    """Return the keys of the set that are JSON objects."""
    keys = (seen.document(Probe.JWKS) or {}).get("keys")
    return [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []


def named(seen: Observations) -> Iterator[tuple[str, dict[str, object]]]:
    """Return each key and what to call it."""
    for number, key in enumerate(published(seen), 1):
        kid = text_of(key, "kid")
        yield (f"key {number}" if kid is None else f"key {kid}"), key


def served(seen: Observations) -> Iterator[str]:
    """Find that there is no key set where the metadata has it."""
    exchange = seen.exchanges.get(Probe.JWKS)
    if exchange is None or exchange.response is None:
        return
    document = seen.document(Probe.JWKS)
    if document is None:
        yield f"{exchange.request.url}: {exchange.summary}, and no JSON object"
    elif not isinstance(document.get("keys"), list):
        yield f"{exchange.request.url} has no array keys"


def content_type(seen: Observations) -> Iterator[str]:
    """Find a key set that is not said to be JSON."""
    response = seen.response(Probe.JWKS)
    if seen.document(Probe.JWKS) is None or response is None:
        return
    kind = response.header("content-type")
    if media_type(kind) not in {"application/json", "application/jwk-set+json"}:
        yield f"the key set has Content-Type {kind or 'none'}"


def duplicates(seen: Observations) -> Iterator[str]:
    """Find one name for two keys."""
    kids = Counter(kid for key in published(seen) if (kid := text_of(key, "kid")) is not None)
    for kid, times in kids.items():
        if times > 1:
            yield f"{times} keys have the kid {kid}"


def nameless(seen: Observations) -> Iterator[str]:
    """Find keys without a name."""
    without = [name for name, key in named(seen) if text_of(key, "kid") is None]
    if without:
        yield f"{', '.join(without)} of {len(published(seen))} {'has' if len(without) == 1 else 'have'} no kid"


def useless(seen: Observations) -> Iterator[str]:
    """Find keys that do not say what they are for."""
    without = [name for name, key in named(seen) if "use" not in key and "key_ops" not in key]
    if without:
        yield f"{', '.join(without)}: neither use nor key_ops"


def without_algorithm(seen: Observations) -> Iterator[str]:
    """Find keys that do not say what they are used with."""
    without = [name for name, key in named(seen) if "alg" not in key]
    if without:
        yield f"{', '.join(without)}: no alg"


def private(seen: Observations) -> Iterator[str]:
    """Find secrets in the set."""
    for name, key in named(seen):
        members = sorted(PRIVATE & key.keys())
        if members and key.get("kty") != "oct":
            yield f"{name} has the private member{'s' if len(members) > 1 else ''} {', '.join(members)}"


def symmetric(seen: Observations) -> Iterator[str]:
    """Find shared secrets in the set."""
    for name, key in named(seen):
        if key.get("kty") == "oct":
            yield f"{name} is a symmetric key"


def weak(seen: Observations) -> Iterator[str]:
    """Find RSA keys that are too short."""
    for name, key in named(seen):
        if key.get("kty") != "RSA":
            continue
        modulus = number_of(key, "n")
        if modulus is not None and modulus.bit_length() < SMALLEST_RSA:
            yield f"{name} has {modulus.bit_length()} bits"
        exponent = number_of(key, "e")
        if exponent is not None and (exponent < 3 or exponent % 2 == 0):
            yield f"{name} has the exponent {exponent}"


def malformed(seen: Observations) -> Iterator[str]:
    """Find keys that are none, or are none for the algorithm that they name."""
    keys = (seen.document(Probe.JWKS) or {}).get("keys")
    if isinstance(keys, list) and len(keys) != len(published(seen)):
        yield "the set has keys that are no JSON objects"
    for name, key in named(seen):
        problem = problem_of(key)
        if problem is not None:
            yield f"{name} {problem}"


def problem_of(key: Mapping[str, object]) -> str | None:
    """Return what is wrong with one key."""
    kty, crv, alg = text_of(key, "kty"), text_of(key, "crv"), text_of(key, "alg")
    if kty is None:
        return "has no kty"
    members = {"RSA": ("n", "e"), "EC": ("x", "y"), "OKP": ("x",)}.get(kty, ())
    broken = [member for member in members if octets_of(key, member) is None]
    if broken:
        return f"has no base64url in {', '.join(broken)}"
    if kty in {"EC", "OKP"} and crv is not None and crv in CURVES:
        wanted, size = CURVES[crv]
        if wanted != kty:
            return f"is of kty {kty} with the curve {crv}"
        lengths = [len(octets_of(key, member) or b"") for member in members]
        if any(length != size for length in lengths):
            return f"has coordinates of {', '.join(map(str, lengths))} octets, where {crv} has {size}"
    if alg is not None and alg in SIGNATURES and not fits(alg, kty, crv):
        return f"is for {alg}, and of kty {kty}{f' with the curve {crv}' if crv else ''}"
    return None


def fits(alg: str, kty: str | None, crv: str | None) -> bool:
    """Return whether a key of that type makes signatures of that algorithm."""
    if alg == "EdDSA" and kty == "OKP":
        return crv in {"Ed25519", "Ed448"}
    wanted, curves = SIGNATURES[alg]
    return kty == wanted and (not curves or crv in curves)


def unkeyed(seen: Observations) -> Iterator[str]:
    """Find algorithms of ID tokens for which no key is published."""
    if seen.openid is None or seen.document(Probe.JWKS) is None:
        return
    for alg in texts_of(seen.openid, "id_token_signing_alg_values_supported") or ():
        if alg not in SIGNATURES or SIGNATURES[alg][0] == "oct":
            continue
        if not any(serves(alg, key) for key in published(seen)):
            yield f"id_token_signing_alg_values_supported has {alg}, and no key is for it"


def serves(alg: str, key: Mapping[str, object]) -> bool:
    """Return whether a published key can check signatures of an algorithm."""
    return (
        fits(alg, text_of(key, "kty"), text_of(key, "crv"))
        and key.get("use", "sig") == "sig"
        and key.get("alg", alg) in ({alg, "EdDSA", "Ed25519"} if alg in {"EdDSA", "Ed25519"} else {alg})
    )


def number_of(key: Mapping[str, object], name: str) -> int | None:
    """Return a number of a key (RFC 7518 section 2, Base64urlUInt); None for what is none."""
    octets = octets_of(key, name)
    return None if octets is None else int.from_bytes(octets, "big")


def octets_of(key: Mapping[str, object], name: str) -> bytes | None:
    """Return what a member spells in base64url; None for what it does not."""
    text = text_of(key, name)
    # RFC 7515 section 2: without padding; a single character over spells no octet.
    if text is None or not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        return None
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


CHECKS = (
    Check(
        *("jwks", Severity.ERROR, "The key set is served", "RFC 7517 section 5; RFC 8414 section 2"),
        matters_to="everybody who checks a token",
        remedy="serve a JSON object with an array keys at jwks_uri",
        look=served,
    ),
    Check(
        *("jwks-type", Severity.WARNING, "The key set is JSON by its type", "RFC 7517 section 8.5"),
        matters_to="strict clients, such as oauth4webapi",
        remedy="set Content-Type: application/json or application/jwk-set+json",
        look=content_type,
    ),
    Check(
        *("jwks-duplicate", Severity.ERROR, "Each kid names one key", "RFC 7517 section 4.5"),
        matters_to="everybody who takes the first key of that name and finds a wrong signature",
        remedy="name each key for itself, by its thumbprint for example (RFC 7638)",
        look=duplicates,
    ),
    Check(
        *("jwks-kid", Severity.WARNING, "Each key has a kid", "OIDC Core section 10.1; RFC 7517 section 4.5"),
        matters_to="clients that find keys by name, when keys turn",
        remedy="name each key, and put the name into the header of each token",
        look=nameless,
    ),
    Check(
        *("jwks-use", Severity.WARNING, "Each key says what it is for", "OIDC Core section 10.1; RFC 7517 section 4.2"),
        matters_to="clients that choose among several keys",
        remedy='add "use": "sig" to keys for signatures, "enc" to those for encryption',
        look=useless,
    ),
    Check(
        *("jwks-alg", Severity.NOTE, "Each key names its algorithm", "RFC 7517 section 4.4; RFC 8725 section 3.1"),
        matters_to="libraries that hold a key to one algorithm; some need it",
        remedy="add alg to each key",
        look=without_algorithm,
    ),
    Check(
        *("jwks-private", Severity.ERROR, "No private key is published", "RFC 7517 section 9.2"),
        matters_to="everybody: any reader of the set can sign tokens",
        remedy="take these keys out of use at once, publish public halves alone, and end what was signed with them",
        look=private,
    ),
    Check(
        *("jwks-symmetric", Severity.ERROR, "No shared secret is published", "RFC 7517 section 9.2"),
        matters_to="everybody: any reader of the set can sign tokens",
        remedy="take the key out of use at once; sign with an asymmetric one",
        look=symmetric,
    ),
    Check(
        *("jwks-weak", Severity.ERROR, "RSA keys have 2048 bits or more", "RFC 7518 section 3.3"),
        matters_to="everybody: short keys are factored, and many libraries refuse them",
        remedy="make a new key, of at least 2048 bits and with the exponent 65537",
        look=weak,
    ),
    Check(
        *("jwks-malformed", Severity.ERROR, "Each key is one", "RFC 7518 section 6; RFC 8037 section 2"),
        matters_to="everybody who checks a token; some libraries refuse the whole set",
        remedy="write the key anew from its source, by a library",
        look=malformed,
    ),
    Check(
        *("jwks-unkeyed", Severity.ERROR, "There is a key for each algorithm", "OIDC Discovery section 3"),
        matters_to="clients that ask for that algorithm",
        remedy="publish a key for it, or offer it no more",
        look=unkeyed,
    ),
)
