"""Reading the configuration file: strict, and with one clear line for the first error.

Types are not converted: a text is not a number, and a word is not a list of one. An unknown setting is an error,
because it is probably a misspelled one.
"""

from __future__ import annotations

import difflib
import tomllib
import types
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ForbiddenExtraKeysError,
    IterableValidationNote,
)

from oauthcore import Allowance, ConfigurationError, ExchangeAllowance, Scope, Secret
from oauthcore.errors import OAuthError
from oauthcore.named import Named
from oauthcore.scope import parse_scope
from oauthcore_h11.configuration.tables import Configuration, Description, Network, StorageTable

# What may not be seen, not even when it is wrong.
_SECRET = frozenset({"token_key", "secret", "password_hash", "env", "file", "url"})


class Wrong(ValueError):
    """Tell the remedy for one value; where it stands is found on the way out."""


class Hidden:
    """Stand for a value that must not be seen in an error."""

    def __repr__(self) -> str:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Show that there is a secret, and not which."""
        return "…"


def read(path: Path, environment: Mapping[str, str]) -> Configuration:
    """Read a file; raises `ConfigurationError` naming the file, the key, its value and the remedy."""
    settings = parse(path)
    try:
        return structured(settings, path.parent.absolute(), environment)
    except ConfigurationError as error:
        raise ConfigurationError(f"{path.name}: {error.setting}", error.value, error.remedy) from None


def parse(path: Path) -> dict[str, Any]:
    """Read a file as TOML; raises `ConfigurationError` if it can't be."""
    try:
        # With a byte order mark, as editors on Windows write it; TOML 1.1 lets a parser ignore it, tomllib does not.
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        remedy = f"it can't be read ({error.strerror}); make one by oauthcore init, or name another by --config"
        raise ConfigurationError("--config", str(path), remedy) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError("--config", str(path), f"this is no TOML: {error}; correct it there") from None


def check_readable(setting: str, path: Path) -> None:
    """Raise `ConfigurationError` for a file that can't be read."""
    try:
        path.read_bytes()
    except OSError as error:
        remedy = f"it can't be read ({error.strerror}); name a file that the server may read"
        raise ConfigurationError(setting, str(path), remedy) from None


def structured(settings: Mapping[str, Any], folder: Path, environment: Mapping[str, str]) -> Configuration:
    """Make a configuration of what TOML gave; raises `ConfigurationError` for the first thing that is wrong."""
    if "folder" in settings:
        raise unknown_key((), "folder", Configuration)
    try:
        return converter(folder, environment).structure({"folder": str(folder), **settings}, Configuration)
    except (BaseValidationError, ForbiddenExtraKeysError) as errors:
        raise first_of(errors, (), settings) from None


def first_of(error: BaseException, place: tuple[str | int, ...], settings: Any) -> ConfigurationError:
    """Return the first thing that is wrong, with the place where it stands."""
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            place = (*place, note.name)
        elif isinstance(note, IterableValidationNote):
            place = (*place, note.index)
    match error:
        case BaseValidationError():
            return first_of(error.exceptions[0], place, settings)
        case ForbiddenExtraKeysError():
            return unknown_key(place, min(error.extra_fields), error.cl)
        case KeyError():
            return ConfigurationError(spelled(place), None, "it is missing; set it")
        case ConfigurationError():
            return ConfigurationError(spelled((*place, error.setting)), error.value, error.remedy)
        case Wrong():
            return ConfigurationError(spelled(place), shown(place, settings), str(error))
        case _:
            raise error


def unknown_key(place: tuple[str | int, ...], key: str, table: type) -> ConfigurationError:
    """Refuse a key that a table does not have, with the one that was probably meant.

    Its value is not shown: it may be a secret under a misspelled name.
    """
    known = sorted({field.name for field in attrs.fields(table)} - {"folder"})
    near = difflib.get_close_matches(key, known, 1)
    remedy = f"there is no such setting; did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"
    return ConfigurationError(spelled((*place, key)), Hidden(), remedy)


def spelled(place: Iterable[str | int]) -> str:
    """Spell a place as the file does: `clients[1].scope`."""
    text = ""
    for part in place:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def shown(place: tuple[str | int, ...], settings: Any) -> object:
    """Return the value at a place, unless it is a secret."""
    return Hidden() if _SECRET.intersection(place) else value_at(place, settings)


def value_at(place: tuple[str | int, ...], settings: Any) -> object:
    """Return the value at a place."""
    for part in place:
        settings = settings[part]
    return settings


def converter(folder: Path, environment: Mapping[str, str]) -> Converter:
    """Make a converter that takes nothing for anything else."""
    strict = Converter(forbid_extra_keys=True, detailed_validation=True)
    strict.register_structure_hook(str, exactly(str, "use a text in quotes"))
    strict.register_structure_hook(bool, exactly(bool, "use true or false"))
    strict.register_structure_hook(int, exactly(int, "use a whole number"))
    strict.register_structure_hook(datetime, lambda value, _: moment(value))
    strict.register_structure_hook(float, lambda value, _: float(exactly_number(value)))
    strict.register_structure_hook(Path, lambda value, _: folder / text(value, "use a path in quotes"))
    strict.register_structure_hook(Scope, lambda value, _: scope_of(value))
    strict.register_structure_hook(Allowance, lambda value, _: allowance_of(value, Allowance))
    strict.register_structure_hook(ExchangeAllowance, lambda value, _: allowance_of(value, ExchangeAllowance))
    strict.register_structure_hook(Secret, lambda value, _: secret_of(value, folder, environment))
    strict.register_structure_hook_func(lambda kind: kind == Network, lambda value, _: network_of(value))
    strict.register_structure_hook_func(lambda kind: kind == Description, lambda value, _: description_of(value))
    strict.register_structure_hook_func(lambda kind: kind is object, lambda value, _: plain(value))
    strict.register_structure_hook_func(is_choice, choice_of)
    strict.register_structure_hook_func(is_optional, lambda value, kind: strict.structure(value, inner(kind)))
    strict.register_structure_hook_func(is_tuple, lambda value, kind: tuple(items(strict, value, get_args(kind)[0])))
    strict.register_structure_hook_factory(attrs.has, lambda kind: table_hook(strict, kind))
    named = strict.get_structure_hook(StorageTable)
    strict.register_structure_hook(StorageTable, lambda value, kind: named(with_url(value), kind))
    return strict


def table_hook(strict: Converter, kind: type) -> Callable[[Any, Any], Any]:
    """Structure a table of the file, and nothing else, into its class."""
    inside: Callable[[Any, Any], Any] = strict.gen_structure_attrs_fromdict(kind)

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, dict):
            raise Wrong("use a table, in [ ] on a line of its own or in { }")
        return inside(value, kind)

    return structure


def with_url(value: object) -> object:
    """Take a storage's URL, or where it is kept, for the table that has nothing else in it."""
    return value if isinstance(value, dict) and not {"env", "file"} & value.keys() else {"url": value}


def plain(value: Any) -> object:
    """Take what JSON can say, too; a date is none of that."""
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [plain(member) for member in value]
    if isinstance(value, str | bool | int | float):
        return value
    raise Wrong("use a text, a number, true, false, a list or a table")


def exactly(kind: type, remedy: str) -> Callable[[Any, Any], Any]:
    """Make a hook that takes values of that very type: True is no number."""

    def structure(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise Wrong(remedy)
        return value

    return structure


def moment(value: object) -> datetime:
    """Take a date and time that means the same everywhere."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise Wrong("use a date and time with its offset, without quotes: 2030-01-31T12:00:00Z")
    return value


def exactly_number(value: object) -> float:
    """Take a number, whole or not."""
    if type(value) is int or type(value) is float:
        return value
    raise Wrong("use a number")


def text(value: object, remedy: str) -> str:
    """Take a text that says something."""
    if not isinstance(value, str) or not value:
        raise Wrong(remedy)
    return value


def items(strict: Converter, value: object, kind: Any) -> list[Any]:
    """Take a list, item by item."""
    if not isinstance(value, list):
        raise Wrong("use a list in [ ]")
    return strict.structure(value, list[kind])


def is_optional(kind: Any) -> bool:
    """Return whether a type is something or None, which TOML does not have."""
    return get_origin(kind) in {Union, types.UnionType} and type(None) in get_args(kind)


def inner(kind: Any) -> Any:
    """Return what an optional type is if it is something."""
    (something,) = (member for member in get_args(kind) if member is not type(None))
    return something


def is_choice(kind: Any) -> bool:
    """Return whether a type is one of a few words."""
    origin: object = get_origin(kind)
    return origin is Literal


def is_tuple(kind: Any) -> bool:
    """Return whether a type is a tuple of any length."""
    origin: object = get_origin(kind)
    return origin is tuple


def choice_of(value: object, kind: Any) -> object:
    """Take one of a few words."""
    if value not in get_args(kind):
        raise Wrong(f"use one of {', '.join(map(repr, get_args(kind)))}")
    return value


def scope_of(value: object) -> Scope:
    """Take scope tokens, as a list or separated by spaces (RFC 6749 section 3.3)."""
    remedy = "use scope tokens: a list of texts, or one text with spaces between them"
    words = value if isinstance(value, list) else [text(value, remedy)]
    try:
        return parse_scope(" ".join(text(word, remedy) for word in words)) if words else Scope()
    except OAuthError:
        raise Wrong(remedy) from None


def allowance_of(value: object, kind: type[Named]) -> Named:
    """Take an allowance by its name, in small letters."""
    names = {allowance.name.lower(): allowance for allowance in kind}
    if not isinstance(value, str) or value not in names:
        raise Wrong(f"use one of {', '.join(names)}")
    return names[value]


def network_of(value: object) -> Network:
    """Take an address, or a network with its prefix length."""
    try:
        return ip_network(text(value, ""))
    except ValueError:
        raise Wrong("use an IP address, or a network as in 10.0.0.0/8") from None


def description_of(value: object) -> Description:
    """Take a text, or one for each language."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and value and all(isinstance(words, str) for words in value.values()):
        return value
    raise Wrong('use a text, or one for each language, as in { en = "…", de = "…" }')


def secret_of(value: object, folder: Path, environment: Mapping[str, str]) -> Secret:
    """Take a secret from where it is: here, in an environment variable, or in a file by itself."""
    match value:
        case str() if value:
            return Secret(value)
        case {"env": str(name), **rest} if not rest:
            if not environment.get(name):
                raise Wrong(f"the environment variable {name} is not set")
            return Secret(environment[name])
        case {"file": str(name), **rest} if not rest:
            return Secret(content_of(folder / name))
        case _:
            raise Wrong('use a text in quotes, { env = "NAME" } or { file = "path" }')


def content_of(path: Path) -> str:
    """Return what is in a file, without the line break that editors put at the end."""
    try:
        content = path.read_text(encoding="utf-8-sig").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Wrong(f"the file {path} can't be read ({getattr(error, 'strerror', 'it is no text')})") from None
    if not content:
        raise Wrong(f"the file {path} is empty")
    return content
