"""The options of `oauthcore mock`, as a value; and how a plain command line is read without cyclopts.

Plain is a line of whole option names, each with its value as the next word. Whatever else there is (an error, `--help`,
`=`, a value that begins with a hyphen) is left to cyclopts, so that a line means the same by both, or is not read here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from oauthcore.wire.text import decimal
from oauthcore_h11.loopback import LOCALHOST

DEFAULT_PORT = 9400
# As many digits as the highest port has.
_PORT_DIGITS = 5


@attrs.frozen
class MockOptions:
    """What `oauthcore mock` serves, and where; `mocking.mock` says what each is."""

    port: int = DEFAULT_PORT
    host: str = LOCALHOST
    url: str | None = None
    user: tuple[str, ...] = ()
    config: Path | None = None
    form: bool = False
    strict_clients: bool = False
    https: Path | None = None
    exposed: bool = False
    as_json: bool = False


class _NotPlain(Exception):
    """The line has to be read by cyclopts."""


def read(arguments: Sequence[str]) -> MockOptions | None:
    """Return the options of a plain command line, None for any other."""
    options: dict[str, Any] = {}
    words = iter(arguments)
    try:
        for word in words:
            _read_option(word, words, options)
    except _NotPlain:
        return None
    return MockOptions(**options)


def _read_option(word: str, words: Iterator[str], options: dict[str, Any]) -> None:
    """Read one option; one that may be repeated is added to those before it."""
    if word == "--user":
        options["user"] = (*options.get("user", ()), _value(words))
        return
    name = word.removeprefix("--").replace("-", "_")
    if word in _FLAGS:
        name, value = _FLAGS[word], True
    elif word in _VALUES:
        value = _VALUES[word](_value(words))
    else:
        raise _NotPlain
    if name in options:
        raise _NotPlain
    options[name] = value


def _value(words: Iterator[str]) -> str:
    value = next(words, "")
    if not value or value.startswith("-"):
        raise _NotPlain
    return value


def _port(value: str) -> int:
    port = decimal(value, _PORT_DIGITS)
    if port is None:
        raise _NotPlain
    return port


_VALUES: dict[str, Callable[[str], Any]] = {
    "--port": _port,
    "--host": str,
    "--url": str,
    "--config": Path,
    "--https": Path,
}
_FLAGS = {"--form": "form", "--strict-clients": "strict_clients", "--exposed": "exposed", "--json": "as_json"}
