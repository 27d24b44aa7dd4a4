"""Effects, answers and records as JSON and back, by their attrs fields, with placeholders for secrets.

Decoding creates only classes of the core and those passed in `known`, so a trace file can't name any other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, cast

import attrs

from oauthcore.context import Paths
from oauthcore.digest import Secret
from oauthcore.pkce import CodeChallenge
from oauthcore.records.client import ClientSecret
from oauthcore.records.interaction import REQUEST_PARAMETERS
from oauthcore.trace.class_names import find_class, name_of
from oauthcore.trace.placeholders import Placeholders
from oauthcore.trace.public import CHOSEN, PUBLIC
from oauthcore.trace.redaction import (
    is_json,
    redacted_document,
    redacted_headers,
    redacted_json,
    redacted_uri,
    stand_in_for,
)
from oauthcore.wire.http import Outgoing, Response

# Parameters that concern only the client, such as `state`. Records keep them beside public ones.
_CONFIDED = (REQUEST_PARAMETERS - PUBLIC) | {"logout_hint", "hinted_sid"}


def encode(value: Any, placeholders: Placeholders) -> Any:
    """Return the JSON of a value; raises `TypeError` for anything that is not a value, such as a function."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Secret):
        return {"secret": placeholders.of_made(value.reveal())}
    if isinstance(value, str):
        return placeholders.applied(value)
    if isinstance(value, bytes):
        # Bytes may hold a secret anywhere. What a replay has to read is text, and is redacted as text.
        return {"bytes": "x" * len(value)}
    if isinstance(value, Enum):
        return {"enum": name_of(type(value)), "name": value.name}
    if isinstance(value, type):
        return {"type": name_of(value)}
    if isinstance(value, tuple | list | frozenset | set):
        members = [encode(member, placeholders) for member in value]
        if isinstance(value, frozenset | set):
            return {"set": sorted(members, key=repr)}
        return members
    if isinstance(value, Mapping):
        return {"mapping": [[key, _member(str(key), member, placeholders)] for key, member in value.items()]}
    if isinstance(value, Outgoing | Response):
        return {"value": name_of(type(value)), "fields": _message(value, placeholders)}
    if attrs.has(type(value)):
        fields = attrs.fields(type(value))
        kind = type(value)
        encoded = {f.name: _field(kind, f, getattr(value, f.name), placeholders) for f in fields if f.init}
        return {"value": name_of(kind), "fields": encoded}
    raise TypeError(f"a {type(value).__name__} can't be recorded in a trace: it is not a value")


def decode(text: Any, known: Mapping[str, type]) -> Any:
    """Return the value that the JSON describes; raises `ValueError` for a class that is not in the core or `known`."""
    try:
        return _decoded(text, known)
    except (TypeError, KeyError, AttributeError, ImportError, UnicodeEncodeError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"the trace has a value that can't be read: {reason}") from None


def _decoded(text: Any, known: Mapping[str, type]) -> Any:
    if isinstance(text, list):
        return tuple(_decoded(member, known) for member in text)
    if not isinstance(text, dict):
        return text
    if "secret" in text:
        return Secret(text["secret"])
    if "bytes" in text:
        return text["bytes"].encode("latin-1")
    if "enum" in text:
        return cast("type[Enum]", _class_of(text["enum"], known))[text["name"]]
    if "type" in text:
        return _class_of(text["type"], known)
    if "set" in text:
        return frozenset(_decoded(member, known) for member in text["set"])
    if "mapping" in text:
        return {key: _decoded(member, known) for key, member in text["mapping"]}
    kind = _class_of(text["value"], known)
    return kind(**{name.lstrip("_"): _decoded(member, known) for name, member in text["fields"].items()})


def _message(message: Outgoing | Response, placeholders: Placeholders) -> dict[str, Any]:
    """Return a request to another server or its response; JSON stays legible, any other body is replaced."""
    if isinstance(message, Response):
        body = redacted_document(message.body, placeholders)
    elif is_json(message.headers):
        body = json.dumps(redacted_json(message.body, placeholders)).encode()
    else:
        body = b"x" * len(message.body)
    shared = {"headers": redacted_headers(message.headers, placeholders), "body": {"bytes": body.decode("latin-1")}}
    if isinstance(message, Outgoing):
        return {"method": message.method, "url": redacted_uri(message.url, placeholders, keep_short=True), **shared}
    return {"status": message.status, **shared}


def _field(kind: type, field: attrs.Attribute[Any], value: Any, placeholders: Placeholders) -> Any:
    if kind is ClientSecret and field.name == "digest":
        # A client secret may have been chosen by a person, and then its digest is enough to guess it offline.
        return placeholders.of_made(value)
    if kind is ClientSecret and field.name == "sealed" and value is not None:
        return placeholders.of_chosen(value)
    if kind is CodeChallenge and field.name == "value":
        return placeholders.of_made(value)
    if isinstance(value, Secret) and field.name in CHOSEN:
        return {"secret": placeholders.of_chosen(value.reveal())}
    if kind is Paths:
        return value  # an endpoint's path may have the name of a confidential parameter: `registration`
    if isinstance(value, str) and (field.repr is False or field.name in _CONFIDED):
        # A field that the core hides from `repr` is a secret.
        return value if field.name in PUBLIC else stand_in_for(field.name, value, placeholders)
    return encode(value, placeholders)


def _member(name: str, value: Any, placeholders: Placeholders) -> Any:
    if isinstance(value, list | tuple):
        return [_member(name, member, placeholders) for member in value]
    is_secret = isinstance(value, str) and name.endswith(("token", "secret"))
    return stand_in_for(name, value, placeholders) if is_secret else encode(value, placeholders)


def encode_carried(members: Mapping[str, Any], placeholders: Placeholders) -> dict[str, Any]:
    """Return the JSON of what a handle carries, with the placeholders that a record of the same values would have."""
    return {
        name: encode_carried(value, placeholders)
        if isinstance(value, Mapping)
        else stand_in_for(name, value, placeholders)
        if isinstance(value, str) and name in _CONFIDED
        else encode(value, placeholders)
        for name, value in members.items()
    }


def _class_of(name: str, known: Mapping[str, type]) -> Any:
    if name in known:
        return known[name]
    if not name.startswith("oauthcore.") or "." in name.partition(":")[2]:
        raise ValueError(f"the trace names {name}, which is not a class of the core; pass it in `kinds`")
    found = find_class(name)
    if not isinstance(found, type) or not (attrs.has(found) or issubclass(found, Enum)):
        raise ValueError(f"the trace names {name}, which is not a value class")
    return found
