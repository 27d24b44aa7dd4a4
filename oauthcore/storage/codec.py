"""Records as JSON, for storages that keep text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from oauthcore.flow.outcome import R
from oauthcore.records.client import Client
from oauthcore.records.grant import Consent
from oauthcore.records.record import Record
from oauthcore.scope import Scope
from oauthcore.wire.text import words

# Records of few scopes are read again and again; what is long is not kept.
_LONGEST_KEPT = 1_024


def _scope_of(text: str) -> Scope:
    return _kept_scope(text) if len(text) <= _LONGEST_KEPT else Scope(words(text))


@lru_cache(maxsize=256)
def _kept_scope(text: str) -> Scope:
    return Scope(words(text))


def _converter() -> Converter:
    # Fields with their default value are left out, so that a new field doesn't change the text of existing records.
    converter = Converter(forbid_extra_keys=True, omit_if_default=True)
    converter.register_unstructure_hook(Scope, lambda scope: scope.text)
    converter.register_structure_hook(Scope, lambda text, _: _scope_of(str(text)))
    # Sets have no order of their own; sorted, equal records give equal text.
    converter.register_unstructure_hook_func(_is_frozenset, lambda members: sorted(member.name for member in members))
    converter.register_structure_hook_func(_is_frozenset, _structure_frozenset)
    _keep_authentication_method(converter)
    _read_consents_at_several_resources(converter)
    return converter


# The authentication method that earlier versions left out of a client's text, since it was the default. Such a client
# keeps it.
_UNWRITTEN_METHOD = "client_secret_basic"


def _keep_authentication_method(converter: Converter) -> None:
    """Write None, any method, as null; read a text without a method as the default of earlier versions."""
    named = override(omit_if_default=False)
    write = make_dict_unstructure_fn(Client, converter, _cattrs_omit_if_default=True, token_endpoint_auth_method=named)
    read = make_dict_structure_fn(Client, converter, _cattrs_forbid_extra_keys=True)

    def unstructure(client: Client) -> dict[str, Any]:
        """Leave out the default of earlier versions, and write their words, so that their texts stay the same."""
        members = write(client)
        if client.id_token_claims == "all":
            members["id_token_claims"] = True
        if members["token_endpoint_auth_method"] == _UNWRITTEN_METHOD:
            del members["token_endpoint_auth_method"]
        return members

    def structure(members: Mapping[str, Any], _: Any) -> Client:
        """Read a missing method as the default of earlier versions, and their words."""
        members = {"token_endpoint_auth_method": _UNWRITTEN_METHOD, **members}
        if "id_token_claims" in members:
            members["id_token_claims"] = "all" if members["id_token_claims"] else "requested"
        return read(members, Client)

    converter.register_unstructure_hook(Client, unstructure)
    converter.register_structure_hook(Client, structure)


def _read_consents_at_several_resources(converter: Converter) -> None:
    """Read the consent of versions that remembered one for all resources of a request.

    At one resource it is today's. At several it can't be told what was allowed at which, so it counts as expired: the
    user is asked again. It is still one that the user sees and withdraws; else it would be in the way of both.
    """
    read = make_dict_structure_fn(Consent, converter, _cattrs_forbid_extra_keys=True)

    def structure(members: Mapping[str, Any], _: Any) -> Consent:
        """Read either form."""
        if "resources" not in members:
            return read(members, Consent)
        known = {name: value for name, value in members.items() if name != "resources"}
        resources = members["resources"]
        one = {"resource": resources[0]} if len(resources) == 1 else {"expires_at": 0}
        return read({**known, **one}, Consent)

    converter.register_structure_hook(Consent, structure)


def _is_frozenset(kind: Any) -> bool:
    return getattr(kind, "__origin__", kind) is frozenset


def _structure_frozenset(names: list[str], kind: Any) -> frozenset[Any]:
    (member,) = kind.__args__
    return frozenset(member[name] for name in names)


_CONVERTER = _converter()
_structure_of = cache(_CONVERTER.get_structure_hook)
_spell = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def dump(record: Record) -> str:
    """Return a record's JSON; equal records give equal text, so a storage may compare it."""
    return _spell(_CONVERTER.unstructure(record))


def load(kind: type[R], text: str) -> R:
    """Return the record of that kind that the JSON describes; raises `ValueError` if it doesn't describe one."""
    try:
        return _structure_of(kind)(json.loads(text), kind)  # type: ignore[no-any-return]  # the hook is for that kind
    except Exception as error:  # cattrs and json raise different types
        raise ValueError(f"the text is not a {kind.__name__}: {type(error).__name__}") from error
