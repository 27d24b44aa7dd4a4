"""Records of every kind, as the types of their fields allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from types import UnionType
from typing import Any, Literal, NewType, Union, cast, get_args, get_origin, get_type_hints

import attrs
from hypothesis import strategies as st

from oauthcore.digest import Digest
from oauthcore.flow.outcome import R
from oauthcore.records.grant import Grant
from oauthcore.scope import Scope
from oauthcore.testing.samples import FAR, key_field

# No lone surrogates, which no encoding can write, and no NUL, which the core refuses.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=255)
digests = st.text("0123456789abcdef", min_size=64, max_size=64).map(Digest)
seconds = st.integers(0, 2**40)
# RFC 6749 appendix A.4
scope_tokens = st.text([chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"\\'], min_size=1, max_size=12)
scopes = st.lists(scope_tokens, max_size=4).map(lambda tokens: Scope(tuple(tokens)))

KNOWN: dict[Any, st.SearchStrategy[Any]] = {
    Digest: digests,
    Scope: scopes,
    str: texts,
    bool: st.booleans(),
    int: seconds,
}


def records(kind: type[R]) -> st.SearchStrategy[R]:
    """Return records of a kind, with whatever the types of its fields allow; none of them has expired."""
    hints = get_type_hints(kind)
    fixed: dict[str, st.SearchStrategy[Any]] = {}
    if "expires_at" in hints:
        later = st.integers(FAR, 2**40)
        fixed["expires_at"] = st.none() | later if type(None) in get_args(hints["expires_at"]) else later
    for name in (key_field(kind), "subject"):
        if hints.get(name) in (str, str | None):
            fixed[name] = names
    return _built(kind, fixed)


def of_type(hint: Any) -> st.SearchStrategy[Any]:
    """Return values of a type; raises `TypeError` for one that no record has had so far."""
    if hint in KNOWN:
        return KNOWN[hint]
    if isinstance(hint, NewType):
        return of_type(hint.__supertype__)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    if isinstance(hint, type) and attrs.has(hint):
        return st.deferred(lambda: _built(hint, {}))
    members = get_args(hint)
    make = _GENERIC.get(get_origin(hint))
    if make is None:
        raise TypeError(f"no values of {hint} can be made")
    return make(members)


def _built(kind: type[Any], fixed: Mapping[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind)
    fields = [field.name for field in attrs.fields(cast("type[attrs.AttrsInstance]", kind)) if field.init]
    free = {name: of_type(hints[name]) for name in fields if name not in fixed}
    return st.builds(kind, **{name.lstrip("_"): values for name, values in {**free, **fixed}.items()})


def _one_of(members: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return st.one_of(*(st.none() if member is type(None) else of_type(member) for member in members))


def _tuples(members: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    if members[1:] == (...,):
        return st.lists(of_type(members[0]), max_size=3).map(tuple)
    return st.tuples(*map(of_type, members))


def _mappings(members: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    key, value = members
    return st.dictionaries(of_type(key), of_type(value), max_size=3)


_GENERIC: dict[Any, Callable[[tuple[Any, ...]], st.SearchStrategy[Any]]] = {
    Literal: lambda members: st.sampled_from(members),
    Union: _one_of,
    UnionType: _one_of,
    tuple: _tuples,
    frozenset: lambda members: st.frozensets(of_type(members[0])),
    dict: _mappings,
    Mapping: _mappings,
}


def grants() -> st.SearchStrategy[Grant]:
    """Return grants as a server leaves them: granted before they expire, and rotated in between if at all."""
    return records(Grant).map(_in_order)


def _in_order(grant: Grant) -> Grant:
    granted_at = min(grant.granted_at, grant.expires_at - 1)
    rotation = grant.rotation
    if rotation is not None and grant.refresh_token is not None:
        rotated_at = min(max(rotation.rotated_at, granted_at), grant.expires_at - 1)
        rotation = attrs.evolve(rotation, rotated_at=rotated_at, scope=grant.scope)
    else:
        rotation = None
    return attrs.evolve(grant, granted_at=granted_at, auth_time=granted_at, rotation=rotation)
