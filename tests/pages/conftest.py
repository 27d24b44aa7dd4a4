"""What the pages' tests share."""

from __future__ import annotations

import pytest

from tests.pages.site import Site, make_site


@pytest.fixture
def site() -> Site:
    """Return a fresh site, and a browser that has not been there."""
    return make_site()
