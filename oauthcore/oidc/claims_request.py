"""The claims parameter: requests for single claims, optionally with values (OIDC Core section 5.5)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import attrs

from oauthcore.errors import InvalidRequest
from oauthcore.jose.strict_json import parse_object, same_value

# A limit of ours; no honest client requests more, and each name is passed to the application.
MAX_CLAIMS = 100
# 64 KiB of JSON are more than 1 MiB when they are read, and anybody may send as many as there are remembered.
_LONGEST_REMEMBERED = 1_024


@attrs.frozen
class Wanted:
    """Say how much one claim is wanted, and which values are acceptable; none named means any."""

    essential: bool = False
    values: tuple[object, ...] = ()

    def accepts(self, value: object) -> bool:
        """Return whether a value is one of the requested values."""
        return not self.values or any(same_value(value, wanted) for wanted in self.values)


Claims = Mapping[str, Wanted]
_NONE: Claims = MappingProxyType({})


@attrs.frozen
class ClaimsRequest:
    """Hold the claims requested for the UserInfo endpoint and for the ID token."""

    userinfo: Claims = _NONE
    id_token: Claims = _NONE


NOTHING = ClaimsRequest()


def parse_claims(text: str | None) -> ClaimsRequest:
    """Read the claims parameter; raises `InvalidRequest` for what is no such JSON. Unknown members are ignored."""
    if text is None:
        return NOTHING
    return _remembered(text) if len(text) <= _LONGEST_REMEMBERED else _parsed(text)


def _parsed(text: str) -> ClaimsRequest:
    try:
        members = parse_object(text)
    except ValueError as error:
        raise InvalidRequest.with_description("claims can't be read", f"claims can't be read: {error}") from None
    return ClaimsRequest(_claims(members.get("userinfo")), _claims(members.get("id_token")))


_remembered = lru_cache(maxsize=256)(_parsed)


def _claims(members: object) -> Claims:
    if members is None:
        return _NONE
    # OIDC Core section 5.5: each of the two members is a JSON object of claim names.
    if not isinstance(members, dict) or len(members) > MAX_CLAIMS:
        raise InvalidRequest.with_description(
            f"in claims, userinfo and id_token must be objects of at most {MAX_CLAIMS} members"
        )
    return MappingProxyType({name: _wanted(wish) for name, wish in members.items()})


def _wanted(wish: object) -> Wanted:
    # OIDC Core section 5.5.1: null requests the claim in the default manner.
    if wish is None:
        return Wanted()
    if not isinstance(wish, dict):
        raise InvalidRequest.with_description("claims has a member that is neither null nor an object")
    essential, values = wish.get("essential", False), wish.get("values", [])
    if not isinstance(essential, bool) or not isinstance(values, list):
        raise InvalidRequest.with_description("in claims, essential must be a boolean and values an array")
    return Wanted(essential, tuple(values) if "value" not in wish else (wish["value"],))
