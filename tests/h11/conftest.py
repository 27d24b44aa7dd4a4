"""What the tests of the demo share: one that runs, and a person who visits it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oauthcore_h11.demo import Demo
from tests.h11.person import Person
from tests.h11.serving import serving


@pytest.fixture
def demo() -> Iterator[Demo]:
    """Return a demo that listens on a free port of localhost."""
    with serving() as running:
        yield running


@pytest.fixture
def legacy_demo() -> Iterator[Demo]:
    """Return one that offers what OAuth 2.1 has left out, too."""
    with serving(legacy=True) as running:
        yield running


@pytest.fixture
def person(demo: Demo) -> Iterator[Person]:
    """Return a person who has not been there before."""
    with Person(demo.server.issuer) as visitor:
        yield visitor


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Run async tests under asyncio: it is what the transport is made of. And under uvloop, which it may be run by."""
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    return "asyncio", {"use_uvloop": request.param == "uvloop"}
