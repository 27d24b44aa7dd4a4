"""A provider for test suites: pytest fixtures for `oauthcore_mock`.

After `pip install "oauthcore[pytest]"` the fixtures of `plugin.py` are available; see docs/testing-your-app.md.

The first test that needs it starts one server per session: a thread on a free port of the loopback interface. Each test
has its own issuer, with its own path, storage, keys, users, clock, faults and recorded requests. So the order of tests
makes no difference, nor does the number of processes (pytest-xdist), each of which has its own server. To create an
issuer takes two milliseconds, as nothing is started for it.

An application that is called in the same process needs no port: `oauth_app` is the same provider as an ASGI and as a
WSGI application. If a suite overrides the fixture `oauth_url` with a URL, no socket is opened at all. Browsers and
tokens never need one, since they call the issuer in the process.

pytest imports this package in every environment in which it is installed. So nothing is imported here, and in
`plugin.py` only pytest: the names below are imported when they are used, and the fixtures import what they need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oauthcore.testing import GrantMachine, check_storage, clauses, crash_points, interleave, strategies
    from oauthcore_mock import (
        FLAWS,
        Body,
        Browser,
        Callback,
        Clock,
        FlawName,
        Issuer,
        NotSentBack,
        Provider,
        RecordedRequest,
        Recorder,
        RegisteredClient,
        Slow,
        User,
    )
    from oauthcore_pytest.acting import acting_as
    from oauthcore_pytest.applications import Applications
    from oauthcore_pytest.challenge import assert_challenge
    from oauthcore_pytest.relying_party import alog_in, log_in
    from oauthcore_pytest.token_factory import TokenFactory

_PLACES = {
    "acting_as": "oauthcore_pytest.acting",
    "Applications": "oauthcore_pytest.applications",
    "assert_challenge": "oauthcore_pytest.challenge",
    "alog_in": "oauthcore_pytest.relying_party",
    "log_in": "oauthcore_pytest.relying_party",
    "TokenFactory": "oauthcore_pytest.token_factory",
    # For tests of a storage, a grant or an endpoint of one's own.
    **dict.fromkeys(("GrantMachine", "check_storage", "clauses", "crash_points", "interleave"), "oauthcore.testing"),
    # All of it is made of hypothesis.
    "strategies": "oauthcore.testing.strategies",
}

__all__ = [
    "FLAWS",
    "Applications",
    "Body",
    "Browser",
    "Callback",
    "Clock",
    "FlawName",
    "GrantMachine",
    "Issuer",
    "NotSentBack",
    "Provider",
    "RecordedRequest",
    "Recorder",
    "RegisteredClient",
    "Slow",
    "TokenFactory",
    "User",
    "acting_as",
    "alog_in",
    "assert_challenge",
    "check_storage",
    "clauses",
    "crash_points",
    "interleave",
    "log_in",
    "strategies",
]


def __getattr__(name: str) -> object:
    """Import a name at its first use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    place = import_module(_PLACES.get(name, "oauthcore_mock"))
    return place if name == "strategies" else getattr(place, name)
