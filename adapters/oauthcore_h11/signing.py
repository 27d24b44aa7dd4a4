"""Signatures and fresh keys, made aside where the event loop would be held up (see benchmarks/signing.py)."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from oauthcore.flow.effects import Sign
from oauthcore.jose import crypto
from oauthcore.jose.jwk import COSTLY, Jwk

# One thread for each process: more of them only wait for each other. It is started by the first who needs it.
_aside = ThreadPoolExecutor(1, thread_name_prefix="signing")


async def sign(effect: Sign) -> tuple[str, ...]:
    """Answer `Sign`."""
    if any(jwt.alg in COSTLY for jwt, _ in effect.jwts):
        return await asyncio.get_running_loop().run_in_executor(_aside, crypto.sign, effect.jwts)
    return crypto.sign(effect.jwts)


async def generate_key(alg: str) -> Jwk:
    """Answer `GenerateKey`."""
    return await asyncio.get_running_loop().run_in_executor(_aside, crypto.generate, alg)
