"""Signing keys in files, which are read again when they change; the rotation is up to the operator."""

from __future__ import annotations

import codecs
import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from oauthcore import ConfigurationError
from oauthcore.flow.effects import Flow
from oauthcore.jose.crypto import import_private, import_public
from oauthcore.jose.jwk import Jwk
from oauthcore.signing.keys import GivenKeys, Keys

logger = logging.getLogger("oauthcore.keys")

State = tuple[tuple[int, int, int], ...]


class KeyFiles:
    """The keys in some files, in their order: the first of each algorithm signs, and all of them are published.

    Those in `hint_paths` sign nothing and are not published; ID tokens that come back as hints are known by them.

    They are looked at again every `cache_lifetime` seconds, so that a change needs no restart. What is wrong with them
    then is logged, and the keys stay as they were. Raises `ConfigurationError` for what is wrong at the start.
    """

    def __init__(
        self, paths: Sequence[Path], *, jwks_lifetime: int, cache_lifetime: int, hint_paths: Sequence[Path] = ()
    ) -> None:
        self._paths = tuple(paths)
        self._hint_paths = tuple(hint_paths)
        self._jwks_lifetime = jwks_lifetime
        self._cache_lifetime = cache_lifetime
        self._state = self._look()
        self._given = self._read()
        self._looked_at: int | None = None

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Return the algorithms that there are keys for."""
        return self._given.algorithms

    def current(self, now: int) -> Flow[Keys]:
        """Return the keys."""
        if self._looked_at is None or not 0 <= now - self._looked_at < self._cache_lifetime:
            self._looked_at = now
            self._renew()
        return self._given.current(now)

    def _renew(self) -> None:
        try:
            if (state := self._look()) != self._state:
                self._given, self._state = self._read(), state
                logger.info("the signing keys are read again")
        except ConfigurationError as error:
            logger.error("the signing keys stay as they were: %s", error)

    def _read(self) -> GivenKeys:
        signing = [self._key(path, "files", import_private) for path in self._paths]
        former = [self._key(path, "hint_files", import_public) for path in self._hint_paths]
        try:
            return GivenKeys(signing, jwks_lifetime=self._jwks_lifetime, hint_keys=former)
        except ConfigurationError as error:
            setting = "oidc.keys.hint_files" if error.setting == "hint_keys" else error.setting
            raise ConfigurationError(setting, error.value, error.remedy) from None

    def _key(self, path: Path, setting: str, read: Callable[[bytes], Jwk]) -> Jwk:
        try:
            return read(path.read_bytes().removeprefix(codecs.BOM_UTF8))
        except OSError as error:
            remedy = f"it can't be read ({error.strerror}); name a file that the server may read"
            raise ConfigurationError(f"oidc.keys.{setting}", str(path), remedy) from None
        except ConfigurationError as error:
            raise ConfigurationError(f"oidc.keys.{setting}", str(path), error.remedy) from None

    def _look(self) -> State:
        return (*_states("files", self._paths), *_states("hint_files", self._hint_paths))


def _states(setting: str, paths: Iterable[Path]) -> State:
    try:
        found = [path.stat() for path in paths]
    except OSError as error:
        remedy = f"it can't be read ({error.strerror}); name files that the server may read"
        raise ConfigurationError(f"oidc.keys.{setting}", error.filename, remedy) from None
    return tuple((state.st_mtime_ns, state.st_size, state.st_ino) for state in found)
