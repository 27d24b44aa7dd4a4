"""A plugin of pytest's: values made at each request refuse assignment at run time, too (`-p tests.really_frozen`).

It is loaded by the command line, before anything else imports the core: classes are made once.
"""

from __future__ import annotations

import sys
from types import ModuleType

import attrs

assert "oauthcore" not in sys.modules, "load this plugin first, by -p tests.really_frozen"

_stand_in = ModuleType("oauthcore.per_request")
_stand_in.per_request = attrs.frozen  # type: ignore[attr-defined]
sys.modules[_stand_in.__name__] = _stand_in


def pytest_report_header() -> str:
    """Say so, as a run without it looks the same."""
    from oauthcore.wire.http import Request

    try:
        Request("GET", "/").method = "PUT"  # type: ignore[misc]
    except attrs.exceptions.FrozenInstanceError:
        return "values made at each request: really frozen"
    raise AssertionError("values made at each request are not frozen")
