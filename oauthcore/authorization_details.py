"""Rich authorization requests: the types of authorization details that a server knows (RFC 9396).

A detail is a JSON object with a `type`, such as one payment. The type's own function checks it, and says in words what
the user allows by it. Details are kept as text in one spelling, so that equal ones are equal.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

import attrs

from oauthcore.errors import ConfigurationError, InvalidAuthorizationDetails
from oauthcore.given import check_callable
from oauthcore.jose.strict_json import parse_object, parse_value
from oauthcore.per_request import per_request
from oauthcore.records.client import Client

Detail: TypeAlias = Mapping[str, object]
"""One authorization detail: its members, `type` among them (RFC 9396 section 2)."""

# A consent page with more of them is read by no one.
MAX_DETAILS = 20


def is_equal(requested: Detail, allowed: Detail) -> bool:
    """Return whether two details are the same."""
    return spelled(requested) == spelled(allowed)


@attrs.frozen(kw_only=True)
class DetailType:
    """Describe a type of authorization details: `name` is its `type`, mostly a URI or a word (RFC 9396 section 2.1).

    `check` returns what is wrong with the members of one, in words for the client's developer, None if nothing is: also
    of a member that the type does not have, which may ask for something that is not understood (section 5).
    `describe` returns what the user allows by it, as the consent page says it. `is_within` says whether one is no more
    than another: a user may allow less than was requested, and a token may be for less than was allowed (section 6.1);
    by default it has to be the same.
    """

    name: str
    check: Callable[[Detail], str | None] = attrs.field(eq=False)
    describe: Callable[[Detail], str] = attrs.field(eq=False)
    is_within: Callable[[Detail, Detail], bool] = attrs.field(default=is_equal, eq=False)

    def __attrs_post_init__(self) -> None:
        if not self.name or not self.name.isprintable() or not self.name.isascii() or " " in self.name:
            raise ConfigurationError("authorization_details.name", self.name, "use printable ASCII without spaces")
        for setting in ("check", "describe", "is_within"):
            check_callable(f"authorization_details.{setting}", getattr(self, setting), "give a function of a detail")


def _by_name(types: Iterable[DetailType]) -> dict[str, DetailType]:
    found: dict[str, DetailType] = {}
    for one in types:
        if not isinstance(one, DetailType):
            raise ConfigurationError("authorization_details.types", one, "give a list of DetailType")
        if one.name in found:
            raise ConfigurationError("authorization_details.types", one.name, "name each type once")
        found[one.name] = one
    return found


@attrs.frozen
class AuthorizationDetails:
    """Let clients request authorization details of these types: `AuthorizationDetails([DetailType(…)])`.

    A client has to be registered for each type that it uses (`authorization_details_types`, RFC 9396 section 10).
    """

    types: Mapping[str, DetailType] = attrs.field(converter=_by_name)

    def __attrs_post_init__(self) -> None:
        if not self.types:
            raise ConfigurationError("authorization_details.types", (), "add a type, or leave the setting out")

    def parse(self, text: str | None, client: Client) -> tuple[str, ...]:
        """Return the details of a parameter, each in its one spelling; none for None.

        Raises `InvalidAuthorizationDetails` (RFC 9396 section 5).
        """
        if text is None:
            return ()
        try:
            value = parse_value(text)
        except ValueError:
            raise InvalidAuthorizationDetails.with_description("authorization_details is not JSON") from None
        if not isinstance(value, list) or not 0 < len(value) <= MAX_DETAILS:
            raise InvalidAuthorizationDetails.with_description(
                f"authorization_details has to be an array of 1 to {MAX_DETAILS} objects"
            )
        return tuple(dict.fromkeys(spelled(self._checked(one, client)) for one in value))

    def _checked(self, detail: object, client: Client) -> Detail:
        name = detail.get("type") if isinstance(detail, dict) else None
        if not isinstance(detail, dict) or not isinstance(name, str):
            raise InvalidAuthorizationDetails.with_description("an authorization detail is no object with a type")
        kind = self.types.get(name)
        # One answer for a type that does not exist and one of other clients, so that it says nothing about these.
        if kind is None or name not in client.authorization_details_types:
            raise InvalidAuthorizationDetails.with_description(
                "the type of an authorization detail is unknown, or not one of this client"
            ).by_setting("client.authorization_details_types")
        problem = kind.check(detail)
        if problem is not None:
            raise InvalidAuthorizationDetails(f"an authorization detail of type {name} is wrong: {problem}")
        return detail

    def described(self, details: Sequence[str]) -> tuple[RequestedDetail, ...]:
        """Return details with what the user is told of them; of types that are known no more, the JSON."""
        found = []
        for text in details:
            members = members_of(text)
            kind = self.types.get(str(members["type"]))
            found.append(RequestedDetail(members, text if kind is None else kind.describe(members)))
        return tuple(found)

    def is_within(self, requested: str, allowed: Sequence[str]) -> bool:
        """Return whether a detail is no more than one of those that were allowed."""
        if requested in allowed:
            return True
        members = members_of(requested)
        kind = self.types.get(str(members.get("type")))
        return kind is not None and any(
            other.get("type") == kind.name and kind.is_within(members, other) for other in map(members_of, allowed)
        )

    def still_allowed(self, details: Sequence[str], client: Client) -> tuple[str, ...]:
        """Return the details of types that the server knows, and the client is registered for, until now."""
        return tuple(
            text
            for text in details
            if (name := str(members_of(text)["type"])) in self.types and name in client.authorization_details_types
        )


@per_request
class RequestedDetail:
    """Hold a detail that a client requests: its members, and what the user allows by it, in words."""

    members: Detail
    description: str


def spelled(detail: Detail) -> str:
    """Return the one spelling of a detail: JSON with its members in order, and without spaces."""
    return json.dumps(detail, sort_keys=True, separators=(",", ":"))


def members_of(text: str) -> Detail:
    """Return the members of a detail in its one spelling."""
    return parse_object(text)


def check_details_types(client: Client, known: AuthorizationDetails | None) -> None:
    """Raise `ConfigurationError` for a client that is registered for a type which the server does not know."""
    for name in client.authorization_details_types:
        if known is None or name not in known.types:
            remedy = "leave it out, or have the server know it: authorization_details=AuthorizationDetails([…])"
            raise ConfigurationError("authorization_details_types", name, remedy)
