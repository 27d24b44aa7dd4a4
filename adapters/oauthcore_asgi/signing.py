"""Signatures and fresh keys, made aside where the event loop would be held up (see benchmarks/signing.py)."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import attrs

from oauthcore import AsyncWorld, World
from oauthcore.flow.drivers import check_world
from oauthcore.flow.effects import Sign
from oauthcore.jose import crypto
from oauthcore.jose.jwk import COSTLY, Jwk

# One thread for each process: more of them only wait for each other. It is started by the first who needs it.
_aside = ThreadPoolExecutor(1, thread_name_prefix="signing")

_IN_PLACE = attrs.fields(World)


def signing_aside(world: World | AsyncWorld) -> AsyncWorld:
    """Return the same world, which signs and makes keys aside, unless it says itself how that is done."""
    check_world(world)
    answers = attrs.asdict(world, recurse=False)
    for name, aside in (("sign", sign), ("generate_key", generate_key)):
        if answers[name] is getattr(_IN_PLACE, name).default:
            answers[name] = aside
    return AsyncWorld(**answers)


async def sign(effect: Sign) -> tuple[str, ...]:
    """Answer `Sign`."""
    if any(jwt.alg in COSTLY for jwt, _ in effect.jwts):
        return await asyncio.get_running_loop().run_in_executor(_aside, crypto.sign, effect.jwts)
    return crypto.sign(effect.jwts)


async def generate_key(alg: str) -> Jwk:
    """Answer `GenerateKey`."""
    return await asyncio.get_running_loop().run_in_executor(_aside, crypto.generate, alg)
