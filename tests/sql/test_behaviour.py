"""The behaviour of the core, over SQL databases: its own tests, each of them again with the records kept there.

Whatever consumes something meets in every order, too, where two requests meet.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oauthcore.testing import Factory
from tests.sql.conftest import DRIVERS
from tests.sql.emptying import emptying
from tests.storages.behaviour import BEHAVIOUR, INTERLEAVINGS, suites

globals().update(suites((*BEHAVIOUR, *INTERLEAVINGS)))

pytestmark = [pytest.mark.slow, pytest.mark.untraced]


@pytest.fixture(scope="module", params=DRIVERS)
def emptied(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Factory]:
    """Return what opens an empty storage, by the blocking driver of each database."""
    if request.param == "sqlite":
        folder = tmp_path_factory.mktemp("behaviour")
        urls = [f"sqlite:///{folder / name}.db" for name in ("one", "other")]
    else:
        server = request.getfixturevalue(request.param)
        urls = [server.url(server.drivers[0], server.database()) for _ in range(2)]
    with emptying(*urls) as factory:
        yield factory
