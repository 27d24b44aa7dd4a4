"""Unanswered interactions: they exist only in their handles, and the first answer stores them.

From then on the record counts, and the handle is only its key. So even two concurrent answers are decided once.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import attrs

from oauthcore.authorization.draft import Draft
from oauthcore.context import Context
from oauthcore.digest import Digest, Secret
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Change, Insert, Replace
from oauthcore.handle import SURELY_CARRIED, check_carried
from oauthcore.records.client import Client
from oauthcore.records.interaction import AuthorizationRequest, Interaction
from oauthcore.records.lifecycle import InteractionState

_NAMES = tuple(field.name for field in attrs.fields(AuthorizationRequest))
_KNOWN = frozenset(_NAMES)
_values = attrgetter(*(name for name in _NAMES if name != "resource"))


def carry(request: AuthorizationRequest, client: Client, browser: Digest, context: Context) -> Secret:
    """Return the handle of an interaction that is stored nowhere: the request, its browser, and until when it waits."""
    members = {
        "request": _members(request),
        "client_generation": client.generation,
        "browser": browser,
        "started_at": context.now,
        "expires_at": context.now + context.policy.lifetimes.interaction_lifetime,
    }
    return context.handles.write("interaction", members, context.mint())


def find_interaction(handle: Secret, context: Context) -> Flow[Interaction | None]:
    """Find an interaction by its handle: as it is stored, or else as the handle carries it; None for no handle."""
    key = context.digest("interaction", handle)
    stored = yield from find(Interaction, key)
    # The record wins over the handle: it knows what was answered since the handle was made.
    if stored is not None:
        return stored
    # Anybody can make up a handle, so it is read only if this server has signed it.
    carried = context.handles.read("interaction", handle)
    # While a newer version takes the place of an older one, handles of both are about. A parameter that this one does
    # not know can't be left out, since it may narrow what is asked for.
    if carried is None or not carried["request"].keys() <= _KNOWN:
        return None
    return _unstored(key, carried)


def _unstored(key: Digest, carried: Any) -> Interaction:
    members = carried["request"]
    request = AuthorizationRequest(**{**members, "resource": tuple(members.get("resource", ()))})
    return Interaction(
        key=key,
        client_id=request.client_id,
        request=request,
        browser=carried["browser"],
        started_at=carried["started_at"],
        expires_at=carried["expires_at"],
        state=InteractionState.UNSTORED,
        client_generation=carried["client_generation"],
    )


def moved(old: Interaction, new: Interaction) -> Change:
    """Return the change that stores an answer; it fails if another answer was stored in the meantime."""
    return Insert(new) if old.state is InteractionState.UNSTORED else Replace(old, new)


def is_over(interaction: Interaction, now: int) -> bool:
    """Return whether it can no longer be continued; its record is kept for as long as its handle could be read."""
    return now >= interaction.expires_at or (interaction.resume_before is not None and now >= interaction.resume_before)


def check_length(draft: Draft, _: Context) -> None:
    """Check that a request is short enough to wait for a person, also where it need not: a client knows at once."""
    # What is short, as almost all are, need not be written in order to be measured.
    length = sum([len(value) for value in _values(draft.request) if value is not None])
    if length + sum(map(len, draft.request.resource)) > SURELY_CARRIED:
        check_carried(_members(draft.request))


def _members(request: AuthorizationRequest) -> dict[str, Any]:
    return {name: value for name in _NAMES if (value := getattr(request, name)) not in {None, ()}}
