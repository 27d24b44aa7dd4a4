"""Records as JSON: what a storage that keeps text puts in and takes out."""

from __future__ import annotations

import json
from typing import Any

from cattrs import Converter

from oauthcore.outcome import R
from oauthcore.records import Record
from oauthcore.scope import Scope
from oauthcore.wire_text import words


def _converter() -> Converter:
    # A field that a later version adds, with a default, leaves the text of the records there are as it is.
    converter = Converter(forbid_extra_keys=True, omit_if_default=True)
    converter.register_unstructure_hook(Scope, lambda scope: scope.text)
    converter.register_structure_hook(Scope, lambda text, _: Scope(words(str(text))))
    # Sets have no order of their own; sorted, equal records give equal text.
    converter.register_unstructure_hook_func(_is_frozenset, lambda members: sorted(member.name for member in members))
    converter.register_structure_hook_func(_is_frozenset, _structure_frozenset)
    return converter


def _is_frozenset(kind: Any) -> bool:
    return getattr(kind, "__origin__", kind) is frozenset


def _structure_frozenset(names: list[str], kind: Any) -> frozenset[Any]:
    (member,) = kind.__args__
    return frozenset(member[name] for name in names)


_CONVERTER = _converter()


def dump(record: Record) -> str:
    """Give a record's JSON; equal records give equal text, so a storage may compare it."""
    return json.dumps(_CONVERTER.unstructure(record), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def load(kind: type[R], text: str) -> R:
    """Give back the record of that kind; raises `ValueError` for text that is none of it."""
    try:
        return _CONVERTER.structure(json.loads(text), kind)
    except Exception as error:  # cattrs and json each have a tree of their own
        raise ValueError(f"this is no {kind.__name__}: {type(error).__name__}") from error
