"""What the core's tests share: every flow goes through both drivers."""

from __future__ import annotations

import pytest

from oauthcore import MemoryStorage
from oauthcore.testing import Factory
from tests.core.site import DRIVERS, Drive, Site, make_site


@pytest.fixture(params=sorted(DRIVERS))
def drive(request: pytest.FixtureRequest) -> Drive:
    """Return each driver in turn."""
    return DRIVERS[request.param]


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a fresh site, under each driver."""
    return make_site(drive)


@pytest.fixture
def kept() -> Factory:
    """Return what the records are kept in, where whatever meets is run in every order."""
    return MemoryStorage
