"""The parameters of the stored password hashes, so that a failed login takes equally long for every account.

They are stored before the first hash with them is, so that no worker meets a hash with unknown parameters.
"""

from __future__ import annotations

import attrs

from oauthcore.flow.outcome import Change, Insert, Replace
from oauthcore.flow.storage import AsyncStorage
from oauthcore_h11.passwords import parameters_of

_KEY = "passwords"


@attrs.frozen(kw_only=True)
class HashParameters:
    """Remember the parameters of all hashes that were ever stored, in one record, so that all workers race for it."""

    key: str = _KEY
    parameters: tuple[str, ...]
    expires_at: int | None = None


async def parameters_in_use(storage: AsyncStorage) -> frozenset[str]:
    """Return the parameters that were noted."""
    noted = await storage.find(HashParameters, _KEY)
    return frozenset(() if noted is None else noted.parameters)


async def note_parameters(storage: AsyncStorage, password_hash: str) -> None:
    """Note the parameters of a hash that is about to be stored."""
    parameters = parameters_of(password_hash)
    while parameters is not None:
        noted = await storage.find(HashParameters, _KEY)
        if noted is not None and parameters in noted.parameters:
            return
        if await storage.commit([_with(noted, parameters)]):
            return


def _with(noted: HashParameters | None, parameters: str) -> Change:
    if noted is None:
        return Insert(HashParameters(parameters=(parameters,)))
    return Replace(noted, attrs.evolve(noted, parameters=(*noted.parameters, parameters)))
