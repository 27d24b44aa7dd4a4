"""Members of a JSON object or TOML table: name, type and description.

They are parsed strictly, so that a misspelled name is an error and not a setting without effect. `control.py` uses them
for the control API and its OpenAPI document; `configuration.py` for a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, assert_never

import attrs

from oauthcore import ConfigurationError
from oauthcore.jose.strict_json import is_integer

Kind: TypeAlias = Literal["string", "integer", "boolean", "object", "strings", "fault"]

# The remedy in an error, by the expected type.
_REMEDIES: dict[Kind, str] = {
    "string": "give text",
    "integer": "give a whole number",
    "boolean": "give true or false",
    "object": "give an object of names and values",
    "strings": "give text or a list of texts",
    "fault": 'give an error code, a status, "malformed", the name of a flaw, or an object with slow or body',
}


@attrs.frozen
class Field:
    """Describe one member; `description` is a sentence for the OpenAPI document."""

    name: str
    kind: Kind
    description: str
    required: bool = False

    def fits(self, value: object) -> bool:
        """Return whether a value has the member's type; a boolean is not an integer, as in JSON."""
        match self.kind:
            case "string":
                return isinstance(value, str)
            case "integer":
                return is_integer(value)
            case "boolean":
                return isinstance(value, bool)
            case "object":
                return isinstance(value, Mapping)
            case "strings":
                return isinstance(value, str) or _are_strings(value)
            case "fault":
                return isinstance(value, str | Mapping) or is_integer(value)
        assert_never(self.kind)

    @property
    def schema(self) -> dict[str, object]:
        """Return the JSON schema of a value."""
        match self.kind:
            case "strings":
                texts = {"type": "array", "items": {"type": "string"}}
                return {"oneOf": [{"type": "string"}, texts], "description": self.description}
            case "fault":
                kinds = [{"type": "string"}, {"type": "integer"}, {"type": "object"}]
                return {"oneOf": kinds, "description": self.description}
            case _:
                return {"type": self.kind, "description": self.description}


def _are_strings(value: object) -> bool:
    return isinstance(value, Sequence) and all(isinstance(one, str) for one in value)


def read(fields: Sequence[Field], members: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """Return the members unchanged; raises `ConfigurationError` for an unknown, wrong or missing one.

    `where` precedes a member's name in the error, as in `issuers.0.`.
    """
    known = {field.name: field for field in fields}
    for name, value in members.items():
        if name not in known:
            names = ", ".join(known) or "nothing"
            raise ConfigurationError(where + name, value, f"there is no such member; use {names}")
        if not known[name].fits(value):
            raise ConfigurationError(where + name, value, _REMEDIES[known[name].kind])
    for field in fields:
        if field.required and field.name not in members:
            raise ConfigurationError(where + field.name, None, _REMEDIES[field.kind])
    return dict(members)
