"""Scope: what a token allows (RFC 6749 section 3.3).

It is a set, but one that keeps the order of the request, since clients compare the text of the response.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import TypeAlias

import attrs

from oauthcore.errors import ConfigurationError, InvalidScope

# RFC 6749 appendix A.4: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
_SCOPE_TOKEN = frozenset(chr(code) for code in range(0x21, 0x7F)) - {'"', "\\"}

# A scope of 64 KiB takes 1 MiB when it is read, and anybody may send as many of them as there are remembered.
_LONGEST_REMEMBERED = 1_024


def _unique(tokens: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tokens))


@attrs.frozen
class Scope:
    """Hold scope tokens, each once, in the order given."""

    tokens: tuple[str, ...] = attrs.field(default=(), converter=_unique)

    def __iter__(self) -> Iterator[str]:
        return iter(self.tokens)

    def __contains__(self, token: str) -> bool:
        return token in self.tokens

    def __bool__(self) -> bool:
        return bool(self.tokens)

    # These two are made once for a scope, and most scopes are met again and again: those of clients, and those that
    # are remembered when they are read.
    @cached_property
    def text(self) -> str:
        """Return the scope as it goes over the wire."""
        return " ".join(self.tokens)

    @cached_property
    def _members(self) -> frozenset[str]:
        return frozenset(self.tokens)

    def covers(self, other: Scope) -> bool:
        """Return whether everything in `other` is also here."""
        return self.tokens == other.tokens or other._members <= self._members

    def shares(self, other: Scope) -> bool:
        """Return whether anything is in both."""
        return not self._members.isdisjoint(other.tokens)

    def within(self, other: Scope) -> Scope:
        """Return what is in both, in this one's order."""
        if self.tokens == other.tokens or self._members <= other._members:
            return self
        return Scope(tuple(token for token in self.tokens if token in other._members))

    def without(self, other: Scope) -> Scope:
        """Return what is here and not in `other`, in this one's order."""
        others = set(other.tokens)  # of thousands of tokens each would be looked for among hundreds
        return Scope(tuple(token for token in self.tokens if token not in others))

    def union(self, other: Scope) -> Scope:
        """Return what is in either, this one's order first."""
        return Scope(self.tokens + other.tokens)


def parse_scope(text: str) -> Scope:
    """Read a scope from the wire: tokens of printable ASCII, divided by spaces (RFC 6749 section 3.3).

    Raises `InvalidScope` for any other character. Runs of spaces are forgiven, since clients join lists carelessly.
    """
    return _remembered(text) if len(text) <= _LONGEST_REMEMBERED else _parsed(text)


def _parsed(text: str) -> Scope:
    if not _SCOPE_TOKEN.issuperset(text.replace(" ", "")):
        raise InvalidScope("the scope has a character outside RFC 6749 appendix A.4")
    return Scope(tuple(filter(None, text.split(" "))))


_remembered = lru_cache(maxsize=256)(_parsed)


def as_scope(value: str | Iterable[str]) -> Scope:
    """Take a scope in whatever form it is at hand: the wire's text, or tokens."""
    if isinstance(value, Scope):
        return value
    return parse_scope(value) if isinstance(value, str) else Scope(tuple(value))


def given_scope(setting: str, value: str | Iterable[str]) -> Scope:
    """Read a scope from a setting of the host; raises `ConfigurationError` if it is invalid."""
    try:
        return parse_scope(as_scope(value).text)
    except InvalidScope:
        remedy = 'use scope tokens of printable ASCII without " and \\, as in "files:read files"'
        raise ConfigurationError(setting, value, remedy) from None


def resolve_scope(requested: Scope | None, default: Scope, allowed: Scope, *, ignore_unknown: bool = False) -> Scope:
    """Check that the requested scope is allowed; if there is none, use the default (RFC 6749 section 3.3).

    With `ignore_unknown`, what is not allowed is left out. Raises `InvalidScope` otherwise, and if nothing would be
    left: a token without any scope is useless.
    """
    wanted = default if requested is None else requested
    # RFC 6749 section 3.3: within what is allowed, the scope is granted as it was requested.
    if allowed.covers(wanted):
        return wanted
    # RFC 6749 section 3.3 lets a server ignore a part of the scope; the response's `scope` then tells the client.
    left = wanted.within(allowed) if ignore_unknown else None
    if not left:
        raise InvalidScope(f"the scope {wanted.text} is not within {allowed.text}")
    return left


_Implied: TypeAlias = tuple[str, tuple[str, ...]]


def _pairs(implied: Mapping[str, Iterable[str]] | Iterable[tuple[str, Iterable[str]]]) -> tuple[_Implied, ...]:
    pairs = implied.items() if isinstance(implied, Mapping) else implied
    return tuple((given_scope("implies", token).text, given_scope("implies", others).tokens) for token, others in pairs)


@attrs.frozen
class ScopeHierarchy:
    """Say which scopes imply others, directly or through others: `ScopeHierarchy({"files": ["files:read"]})`.

    The same value serves the authorization server (`Policy.implies`) and a resource server (`implies=` there, too), so
    that what one issues the other takes. Raises `ConfigurationError` for what is no scope.
    """

    implied: tuple[_Implied, ...] = attrs.field(default=(), converter=_pairs)

    def __call__(self, scope: Scope) -> Scope:
        """Return a scope with all that it implies, itself first."""
        if not self.implied:
            return scope
        table, found = dict(self.implied), list(scope.tokens)
        known = set(found)
        for token in found:  # it grows while it is walked, so that what is implied implies in its turn
            fresh = [other for other in table.get(token, ()) if other not in known]
            found += fresh
            known.update(fresh)
        return Scope(tuple(found))

    def covers(self, scope: Scope, other: Scope) -> bool:
        """Return whether everything in `other` is in a scope, or implied by it."""
        return scope.covers(other) or (bool(self.implied) and self(scope).covers(other))

    def within(self, scope: Scope, allowed: Scope) -> Scope:
        """Return the allowed part of a scope; of what is not allowed, keep what it implies and is allowed."""
        if not self.implied:
            return scope.within(allowed)
        whole = self(allowed)
        kept = scope.within(whole)
        return kept if kept == scope else kept.union(self(scope.without(whole)).within(whole))

    def without(self, scope: Scope, refused: Scope) -> Scope:
        """Return a scope without what is refused, and without what implies any of that."""
        if not self.implied:
            return scope.without(refused)
        return Scope(tuple(token for token in scope if not refused.shares(self(Scope((token,))))))


NO_HIERARCHY = ScopeHierarchy()


def as_hierarchy(given: ScopeHierarchy | Mapping[str, Iterable[str]]) -> ScopeHierarchy:
    """Return a hierarchy, which may be given as a table."""
    return given if isinstance(given, ScopeHierarchy) else ScopeHierarchy(given)


# A limit on the scope that was requested in vain and is stored with every grant; more is an error at the refresh.
_LONGEST_WITHHELD = 1_024
_NONE = Scope()


def withheld_scope(requested: Scope | None, given: Scope) -> Scope:
    """Return what was requested and not granted, up to that limit."""
    if requested is None or given.covers(requested):  # the usual case
        return _NONE
    missing = requested.without(given)
    return missing if len(missing.text) <= _LONGEST_WITHHELD else _NONE
