"""Keys that sign elsewhere: only their public halves are here, and each signature is checked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import attrs
import pytest

from oauthcore import Client, ConfigurationError, World
from oauthcore.errors import EffectFailed
from oauthcore.flow.drivers import AsyncWorld, arun, run
from oauthcore.flow.effects import sign
from oauthcore.jose import crypto
from oauthcore.jose.compact import read_signed
from oauthcore.jose.jwk import Jwk, symmetric
from oauthcore.jose.jwt import Encryption, Jwt
from oauthcore.signing.keys import GivenKeys
from oauthcore.signing.remote import RemoteKeys, asign_remotely, sign_remotely
from oauthcore.storage.memory import MemoryStorage
from tests.core.signing_keys import key_for
from tests.core.site import Counted, basic, form, make_site, members

PRIVATE = {alg: key_for(alg) for alg in ("ES256", "ES384", "EdDSA", "RS256", "PS256")}
SECRET = symmetric(b"s" * 32)
CLAIMS = Jwt({"sub": "alice"}, "ES256")
MACHINE = Client(
    client_id="machine",
    grant_types=("client_credentials",),
    response_types=(),
    access_token_format="jwt",
    id_token_signed_response_alg="EdDSA",
)


class Elsewhere:
    """Be where the private keys are, and remember what was asked."""

    def __init__(self, *keys: Jwk) -> None:
        self.keys = {key.kid: key for key in keys}
        self.signed: list[str | None] = []

    def sign(self, key: Jwk, text: bytes) -> bytes:
        """Return the signature of a text."""
        self.signed.append(key.kid)
        assert not key.is_private
        # A compact JWS of other claims has a signature of other bytes, so the algorithm is called itself.
        return bytes(crypto._signature(str(key.alg)).sign(text, crypto._key(self.keys[key.kid])))

    async def asign(self, key: Jwk, text: bytes) -> bytes:
        """Return it after another task had its turn."""
        await asyncio.sleep(0)
        return self.sign(key, text)


def signed(*jwts: tuple[Jwt, Jwk], by: Elsewhere) -> tuple[str, ...]:
    """Have tokens signed by both drivers, which have to agree on who signs."""
    world = World(MemoryStorage(), sign=sign_remotely(by.sign))
    tokens = run(sign(jwts), world)
    async_world = AsyncWorld(MemoryStorage(), sign=asign_remotely(by.asign))
    again = asyncio.run(arun(sign(jwts), async_world))
    assert [read_signed(token).signing_input for token in tokens] == [
        read_signed(token).signing_input for token in again
    ]
    return tokens


@pytest.mark.parametrize("alg", PRIVATE)
def test_a_token_is_signed_where_the_key_is_by_every_algorithm(alg: str) -> None:
    key = PRIVATE[alg]

    (token,) = signed((Jwt({"sub": "alice"}, alg, "at+jwt"), key.public), by=Elsewhere(key))

    verified = crypto.verify(token, [key.public], [alg])
    assert verified.claims == {"sub": "alice"}
    assert verified.header == {"alg": alg, "typ": "at+jwt", "kid": key.kid}


def test_what_a_secret_signs_is_signed_here_and_the_order_is_kept() -> None:
    key, other = PRIVATE["ES256"], PRIVATE["EdDSA"]
    by = Elsewhere(key, other)

    tokens = signed(
        (Jwt({"n": 1}, "EdDSA"), other.public),
        (Jwt({"n": 2}, "HS256"), SECRET),
        (Jwt({"n": 3}, "ES256"), key.public),
        by=by,
    )

    known = [(other.public, "EdDSA"), (SECRET, "HS256"), (key.public, "ES256")]
    assert [
        crypto.verify(token, [one], [alg]).claims["n"] for token, (one, alg) in zip(tokens, known, strict=True)
    ] == [*(1, 2, 3)]
    assert by.signed == [other.kid, key.kid] * 2


def test_a_token_that_was_signed_elsewhere_is_encrypted_to_its_client() -> None:
    key, client_key = PRIVATE["ES256"], key_for("ES256", 1)
    for_encryption = {name: value for name, value in client_key.members.items() if name not in {"alg", "use", "kid"}}
    encryption = Encryption("ECDH-ES", "A128GCM", Jwk.of(for_encryption).public)
    world = World(MemoryStorage(), sign=sign_remotely(Elsewhere(key).sign))

    (token,) = run(sign(((Jwt({"sub": "alice"}, "ES256", encryption=encryption), key.public),)), world)

    opened = crypto.decrypt(token, [Jwk.of(for_encryption)], ["ECDH-ES"])
    assert crypto.verify(opened, [key.public], ["ES256"]).claims == {"sub": "alice"}


@pytest.mark.parametrize(
    "signer",
    [
        lambda key, text: b"",
        lambda key, text: bytes(64),
        lambda key, text: Elsewhere(key_for("ES256", 1)).sign(attrs.evolve(key_for("ES256", 1).public), text),
        lambda key, text: Elsewhere(PRIVATE["ES256"]).sign(key, text + b"x"),
    ],
    ids=["nothing", "zeros", "by another key", "of another text"],
)
def test_a_signature_that_nobody_could_verify_becomes_no_token(signer: Callable[[Jwk, bytes], bytes]) -> None:
    world = World(MemoryStorage(), sign=sign_remotely(signer))

    with pytest.raises(EffectFailed) as failed:
        run(sign(((CLAIMS, PRIVATE["ES256"].public),)), world)

    assert "none of the key" in str(failed.value.__cause__)


def test_a_server_with_keys_elsewhere_signs_access_tokens_and_publishes_the_public_halves() -> None:
    key = PRIVATE["EdDSA"]
    site = make_site(clients=(MACHINE,), secrets={"machine": "a secret"}, keys=RemoteKeys([key.public]))
    site.world = attrs.evolve(site.world, sign=sign_remotely(Elsewhere(key).sign))

    token = members(site.post("/token", form(grant_type="client_credentials"), basic("machine", "a secret")))

    assert crypto.verify(token["access_token"], [key.public], ["EdDSA"]).claims["client_id"] == "machine"
    published = members(site.get("/jwks"))["keys"]
    assert [one["kid"] for one in published] == [key.kid]
    assert "d" not in published[0]


def test_nothing_is_stored_where_the_signer_fails() -> None:
    def broken(key: Jwk, text: bytes) -> bytes:
        raise OSError("no module answers")

    site = make_site(clients=(MACHINE,), secrets={"machine": "a secret"}, keys=RemoteKeys([PRIVATE["EdDSA"].public]))
    site.world = attrs.evolve(site.world, sign=sign_remotely(broken))
    counted = Counted(site)

    response = site.post("/token", form(grant_type="client_credentials"), basic("machine", "a secret"))

    assert (response.status, members(response)["error"]) == (503, "temporarily_unavailable")
    assert counted.commits == 0


@pytest.mark.parametrize(
    "key",
    [
        PRIVATE["ES256"],
        attrs.evolve(PRIVATE["ES256"].public, kid=None),
        attrs.evolve(PRIVATE["ES256"].public, alg=None),
        attrs.evolve(PRIVATE["ES256"].public, alg="ES384"),
    ],
    ids=["private", "without kid", "without alg", "of another curve"],
)
def test_a_key_that_could_not_sign_elsewhere_is_refused(key: Jwk) -> None:
    with pytest.raises(ConfigurationError, match="keys"):
        RemoteKeys([key])


def test_a_public_key_is_refused_among_given_keys_and_told_where_it_goes() -> None:
    with pytest.raises(ConfigurationError, match="RemoteKeys"):
        GivenKeys([PRIVATE["ES256"].public])


def test_a_world_that_signs_here_is_told_what_a_remote_key_needs() -> None:
    with pytest.raises(EffectFailed, match=r"oauthcore\.signing\.remote"):
        run(sign(((CLAIMS, PRIVATE["ES256"].public),)), World(MemoryStorage()))
