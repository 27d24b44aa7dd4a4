"""Keys that sign elsewhere, in a hardware module (PKCS #11), a key vault or a cloud's KMS: no private key is here.

`RemoteKeys` are the public halves. `World(sign=sign_remotely(signer))` sends what is to be signed to the host's
`signer`, and checks each signature that comes back: a wrong key there must not become tokens that no client accepts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TypeAlias

from oauthcore.errors import ConfigurationError
from oauthcore.flow.effects import Flow, Sign, pure
from oauthcore.jose import crypto
from oauthcore.jose.jwk import SERVER_ALGORITHMS, Jwk
from oauthcore.signing.key_ring import KeyPolicy
from oauthcore.signing.keys import Keys, keys_of

# The key by its public half, whose `kid` and `alg` say which one, and the bytes to sign, not hashed yet. The signature
# is as in RFC 7518 section 3: for ES256 and ES384, R and S one after the other, where many modules return DER.
Signer: TypeAlias = Callable[[Jwk, bytes], bytes]
AsyncSigner: TypeAlias = Callable[[Jwk, bytes], Awaitable[bytes]]


class RemoteKeys:
    """Use keys that the host has elsewhere, given by their public halves: the first of each algorithm signs.

    All of them are published. Each has `alg`, and a `kid` of its own (`jose.crypto.import_public` gives both). To
    rotate, make a `RemoteKeys` anew as with `GivenKeys`: append the successor, and move it to the front when every
    client can have read it, `jwks_lifetime` seconds later. Raises `ConfigurationError` for what can't be used.
    """

    def __init__(
        self, keys: Iterable[Jwk], *, jwks_lifetime: int = KeyPolicy().jwks_lifetime, hint_keys: Iterable[Jwk] = ()
    ) -> None:
        crypto.check_installed()
        given = tuple(keys)
        for key in given:
            if key.is_private:
                raise ConfigurationError("keys", key.kid, "give the public half; a private key goes into GivenKeys")
            if key.kid is None or key.alg not in SERVER_ALGORITHMS or not key.fits_signature(key.alg):
                remedy = f"give a key for signatures with a kid and an alg, one of {', '.join(SERVER_ALGORITHMS)}"
                raise ConfigurationError("keys", key.kid, remedy)
        self._keys = keys_of(given, jwks_lifetime, tuple(hint_keys))
        self.algorithms = tuple(self._keys.signing)

    def current(self, now: int) -> Flow[Keys]:
        """Return the given keys."""
        return pure(self._keys)


def sign_remotely(signer: Signer) -> Callable[[Sign], tuple[str, ...]]:
    """Return what answers `Sign`, for `World(sign=…)`: tokens are signed by `signer`, which is called on this thread.

    What `signer` raises ends the request as any failure of the world does, before anything is stored. Tokens that are
    signed with a client's secret (RFC 7518 section 3.2) need no key of the server, and are signed here.
    """

    return partial(_signed, signer)


def asign_remotely(signer: AsyncSigner) -> Callable[[Sign], Awaitable[tuple[str, ...]]]:
    """Return what answers `Sign`, for `AsyncWorld(sign=…)`: as `sign_remotely`, awaiting `signer`."""

    return partial(_asigned, signer)


def _signed(signer: Signer, effect: Sign) -> tuple[str, ...]:
    inputs = _inputs(effect)
    return _finished(effect, inputs, [signer(key, text) for key, text in inputs])


async def _asigned(signer: AsyncSigner, effect: Sign) -> tuple[str, ...]:
    inputs = _inputs(effect)
    return _finished(effect, inputs, [await signer(key, text) for key, text in inputs])


def _inputs(effect: Sign) -> list[tuple[Jwk, bytes]]:
    """Return what is signed elsewhere: what has a public key beside it."""
    return [(key, crypto.signing_input(jwt, key)) for jwt, key in effect.jwts if not key.is_private]


def _finished(effect: Sign, inputs: Iterable[tuple[Jwk, bytes]], signatures: Iterable[bytes]) -> tuple[str, ...]:
    """Return the tokens in their order, those with signatures from elsewhere and those that are signed here."""
    elsewhere = zip(inputs, signatures, strict=True)
    tokens: list[str] = []
    for jwt, key in effect.jwts:
        if key.is_private:
            tokens += crypto.sign([(jwt, key)])
        else:
            (_, text), signature = next(elsewhere)
            tokens.append(crypto.with_signature(jwt, key, text, signature))
    return tuple(tokens)
