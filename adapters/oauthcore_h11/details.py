"""Types of authorization details as the file declares them (RFC 9396): their members, and what users are told."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import partial

from oauthcore import AuthorizationDetails, ConfigurationError, DetailType
from oauthcore.authorization_details import Detail
from oauthcore_h11.configuration.tables import AuthorizationDetailsTable

# RFC 9396 section 2.2: members that any type may have.
COMMON = frozenset({"locations", "actions", "datatypes", "identifier", "privileges"})
_PLACE = re.compile(r"\{([A-Za-z0-9_.]+)\}")


def authorization_details_of(tables: Sequence[AuthorizationDetailsTable]) -> AuthorizationDetails | None:
    """Return the types that the file declares; None for none."""
    types = []
    for number, table in enumerate(tables, 1):
        place = f"authorization_details[{number}]"
        known = {*table.required, *table.optional, *COMMON}
        for name in _PLACE.findall(table.description):
            if name.split(".")[0] not in known:
                remedy = f"name a member of the type: add {name.split('.')[0]} to required or optional"
                raise ConfigurationError(f"{place}.description", table.description, remedy)
        try:
            check, describe = partial(check_members, table), partial(described, table.description)
            types.append(DetailType(name=table.type, check=check, describe=describe))
        except ConfigurationError as error:
            raise ConfigurationError(f"{place}.type", error.value, error.remedy) from None
    return AuthorizationDetails(types) if types else None


def check_members(table: AuthorizationDetailsTable, detail: Detail) -> str | None:
    """Return which member is missing, or not one of the type (RFC 9396 section 5)."""
    missing = [name for name in table.required if name not in detail]
    if missing:
        return f"it lacks {', '.join(missing)}"
    unknown = sorted(set(detail) - {"type", *table.required, *table.optional, *COMMON})
    return f"the type has no member {unknown[0]}" if unknown else None


def described(description: str, detail: Detail) -> str:
    """Return the description with the values of a detail in the places of their names; what is not there is blank.

    `{amount.currency}` is a member of a member. What users allow is shown as it was requested, on one line.
    """
    return _PLACE.sub(lambda place: _shown(detail, place[1].split(".")), description)


def _shown(value: object, names: Sequence[str]) -> str:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # Neither a line break nor what turns the direction of the text may make one detail look like another.
    return "".join(character if character.isprintable() else " " for character in text)
