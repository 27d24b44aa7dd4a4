"""What signs under an ASGI server: aside what is costly, in place what is not, and otherwise whoever was named."""

from __future__ import annotations

import asyncio

import pytest

from oauthcore import AsyncWorld, MemoryStorage, World
from oauthcore.flow.effects import Sign
from oauthcore.jose import crypto
from oauthcore.jose.jwk import Jwk
from oauthcore.jose.jwt import Jwt
from oauthcore_asgi.signing import generate_key, sign, signing_aside
from tests.core.signing_keys import key_for

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Run under asyncio: threads are its executors."""
    return "asyncio"


def asked(alg: str) -> Sign:
    """Ask for a signature."""
    return Sign(((Jwt({"sub": "alice"}, alg), key_for(alg)),))


@pytest.mark.parametrize(("alg", "at_once"), [("RS256", False), ("ES384", False), ("ES256", True), ("EdDSA", True)])
async def test_what_would_hold_up_the_event_loop_is_signed_aside(alg: str, at_once: bool) -> None:
    signed = asyncio.ensure_future(sign(asked(alg)))
    await asyncio.sleep(0)

    assert signed.done() is at_once
    assert crypto.verify((await signed)[0], [key_for(alg).public], [alg]).claims == {"sub": "alice"}


async def test_a_key_is_made_aside() -> None:
    assert (await generate_key("ES256")).alg == "ES256"


@pytest.mark.parametrize("world", [World(MemoryStorage()), AsyncWorld(MemoryStorage())])
async def test_a_world_that_says_nothing_signs_aside(world: World | AsyncWorld) -> None:
    aside = signing_aside(world)

    assert (aside.sign, aside.generate_key, aside.storage) == (sign, generate_key, world.storage)


async def test_a_world_that_says_how_is_left_alone() -> None:
    def own(asked: Sign) -> tuple[str, ...]:
        return ()

    def own_key(alg: str) -> Jwk:
        return key_for(alg)

    aside = signing_aside(World(MemoryStorage(), sign=own, generate_key=own_key))

    assert (aside.sign, aside.generate_key) == (own, own_key)
