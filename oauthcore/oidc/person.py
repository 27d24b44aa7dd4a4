"""What may be told of a person: claims that were asked for, that the client may have, and that they allowed.

The application is asked by one effect, for these claims alone; whatever else it answers is dropped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from oauthcore.context import Context
from oauthcore.flow.effects import Claims, Flow, claims
from oauthcore.oidc.claims_request import ClaimsRequest, Wanted, parse_claims
from oauthcore.openid import RESERVED_CLAIMS
from oauthcore.records.client import Client
from oauthcore.scope import Scope
from oauthcore.wire.text import words

Person = Mapping[str, object]
# RFC 5646 section 2.1, as far as its shape goes, of a length that fits any tag in use (section 4.4.1).
_LANGUAGE_TAG = re.compile(r"(?=.{1,35}\Z)[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
NOBODY: Person = MappingProxyType({})


def claims_for(client: Client, names: Iterable[str], context: Context) -> tuple[str, ...]:
    """Return those of the names that the client may have: what the scopes stand for that it is registered with.

    A name may end in the tag of a language (OIDC Core section 5.2), and in no other text: it is shown to the person,
    and whoever makes a link may write anything into it.
    """
    assert context.openid is not None
    # The registration bounds what a client may learn, however it asks. `sub`, `iss` and the like are the server's own.
    mine = frozenset(context.openid.claims_of(client.scope)) - RESERVED_CLAIMS
    return tuple(name for name in dict.fromkeys(names) if name in mine or _in_a_language(name, mine))


def _in_a_language(name: str, mine: frozenset[str]) -> bool:
    base, _, tag = name.partition("#")
    return base in mine and _LANGUAGE_TAG.fullmatch(tag) is not None


def requested_beside_scope(client: Client, request: ClaimsRequest, scope: Scope, context: Context) -> tuple[str, ...]:
    """Return the claims that are asked for by name, not by scope: a person who allows the scopes has not seen them."""
    if context.openid is None:
        return ()
    # OIDC Core section 5.5: claims requested by name need consent of their own, where no scope of the page names them.
    covered = frozenset(context.openid.claims_of(scope))
    names = claims_for(client, (*request.userinfo, *request.id_token), context)
    return tuple(name for name in names if name.partition("#")[0] not in covered)


def allowed_claims(client: Client, text: str | None, requested: Scope, allowed: Scope, context: Context) -> str | None:
    """Return the claims parameter as it is obeyed: without what the client may not have, or the person refused.

    Who takes a scope out of what was asked for has said no to its claims, by whatever name they are asked for.
    """
    if text is None or context.openid is None:
        return None
    refused = frozenset(context.openid.claims_of(requested)) - frozenset(context.openid.claims_of(allowed))
    request = parse_claims(text)
    kept: dict[str, dict[str, object]] = {}
    for place, wishes in (("userinfo", request.userinfo), ("id_token", request.id_token)):
        names = [name for name in claims_for(client, wishes, context) if name.partition("#")[0] not in refused]
        if names:
            kept[place] = {name: _spelled(wishes[name]) for name in names}
    return json.dumps(kept, separators=(",", ":")) if kept else None


def _spelled(wish: Wanted) -> object:
    members: dict[str, object] = {}
    if wish.essential:
        members["essential"] = True
    if wish.values:
        members["values"] = list(wish.values)
    return members or None


def load_claims(subject: str, client: Client, names: tuple[str, ...], locales: str | None) -> Flow[Person | None]:
    """Ask the application for these claims; None where it knows nobody of that name (any more)."""
    plain_names = tuple(dict.fromkeys(name.partition("#")[0] for name in names)) if names else ()
    return (yield from claims(Claims(subject, client.client_id, plain_names, words(locales))))


def released_claims(known: Person, names: tuple[str, ...], wishes: Mapping[str, Wanted]) -> Person:
    """Return what may leave of what is known: asked for, not blank, and of a value that will do.

    A claim in some language has the language in its name (OIDC Core section 5.2).
    """
    released: dict[str, object] = {}
    for name, value in known.items():
        if name not in names and name.partition("#")[0] not in names:
            continue
        # OIDC Core section 5.3.2: a claim that is not known is omitted, not sent as null or an empty string.
        if value is not None and value != "" and wishes.get(name, Wanted()).accepts(value):
            released[name] = value
    return released
