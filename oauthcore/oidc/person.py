"""The claims of a user that may be released: requested, allowed for the client, and consented to.

The application is called once, for these claims only; others in its answer are dropped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from oauthcore.context import Context
from oauthcore.find_user import Person as Person
from oauthcore.find_user import find_user
from oauthcore.flow.effects import Flow
from oauthcore.oidc.claims_request import ClaimsRequest, Wanted, parse_claims
from oauthcore.openid import RESERVED_CLAIMS
from oauthcore.records.client import Client
from oauthcore.scope import Scope
from oauthcore.wire.text import words

# RFC 5646 section 2.1, as far as its shape goes, of a length that fits any tag in use (section 4.4.1).
_LANGUAGE_TAG = re.compile(r"(?=.{1,35}\Z)[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
NOBODY: Person = MappingProxyType({})


def claims_for(client: Client, names: Iterable[str], context: Context) -> tuple[str, ...]:
    """Return the names that the client may request: the claims of the scopes that it is registered for.

    A name may end in a language tag (OIDC Core section 5.2), but in no other text: it is shown to the user, and the
    author of a link could otherwise display any text there.
    """
    assert context.openid is not None
    # The registration limits the claims of a client. `sub`, `iss` and the like are set by the server itself.
    mine = frozenset(context.openid.claims_of(client.scope)) - RESERVED_CLAIMS
    return tuple(name for name in dict.fromkeys(names) if name in mine or _in_a_language(name, mine))


def _in_a_language(name: str, mine: frozenset[str]) -> bool:
    base, _, tag = name.partition("#")
    return base in mine and _LANGUAGE_TAG.fullmatch(tag) is not None


def requested_beside_scope(client: Client, request: ClaimsRequest, scope: Scope, context: Context) -> tuple[str, ...]:
    """Return the claims that are requested by name and by no scope: consent to the scopes does not cover them."""
    if context.openid is None:
        return ()
    # OIDC Core section 5.5: claims requested by name need consent of their own, where no scope of the page names them.
    covered = frozenset(context.openid.claims_of(scope))
    names = claims_for(client, (*request.userinfo, *request.id_token), context)
    return tuple(name for name in names if name.partition("#")[0] not in covered)


def allowed_claims(client: Client, text: str | None, requested: Scope, allowed: Scope, context: Context) -> str | None:
    """Return the claims parameter without what the client may not have, or the user refused.

    If the user removes a scope, its claims are refused, too, even if they were requested by name.
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


def load_claims(
    subject: str, client: Client, names: tuple[str, ...], locales: str | None, context: Context
) -> Flow[Person | None]:
    """Request these claims; None if the user does not exist (any more), or may not use the client."""
    plain_names = tuple(dict.fromkeys(name.partition("#")[0] for name in names)) if names else ()
    return find_user(subject, client, context.user_policy, plain_names, words(locales))


def released_claims(known: Person, names: tuple[str, ...], wishes: Mapping[str, Wanted]) -> Person:
    """Return the claims that may be released: requested, not blank, and with one of the requested values.

    The name of a claim in a certain language ends in its tag (OIDC Core section 5.2).
    """
    released: dict[str, object] = {}
    for name, value in known.items():
        # The application may return more claims than it was asked for. Only those requested are released.
        if name not in names and name.partition("#")[0] not in names:
            continue
        # OIDC Core section 5.3.2: a claim that is not known is omitted, not sent as null or an empty string.
        if value is not None and value != "" and wishes.get(name, Wanted()).accepts(value):
            released[name] = value
    return released
