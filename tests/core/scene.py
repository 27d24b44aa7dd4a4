"""A scene that is set in memory, and then moved into whatever storage the flows are to meet in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from oauthcore import MemoryStorage, World, run
from oauthcore.flow.effects import Flow, commit
from oauthcore.flow.outcome import Insert
from oauthcore.flow.storage import Storage


@attrs.define
class SetInMemory:
    """Be the driver of a site: over memory until `move`, and from then on over what the records were moved to.

    A scene takes a dozen commits, and is set again for each of a thousand schedules; how its records came there is
    not the matter.
    """

    world: Callable[[Storage], World] = World
    memory: MemoryStorage = attrs.Factory(MemoryStorage)
    moved: Callable[[Flow[Any]], Any] | None = None

    def drive(self, flow: Flow[Any], world: World | None = None) -> Any:
        """Run a flow, whatever world the site would have it in."""
        return run(flow, self.world(self.memory)) if self.moved is None else self.moved(flow)

    def move(self, drive: Callable[[Flow[Any]], Any]) -> None:
        """Move everything, in one commit."""
        assert drive(commit([Insert(record) for record in self.memory._records.values()]))
        self.moved = drive
