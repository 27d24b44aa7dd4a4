"""aiohttp: it is no ASGI server, and says so where it is taken for one."""

from __future__ import annotations

import pytest

from oauthcore import AsyncWorld, MemoryStorage
from oauthcore_asgi.aiohttp import OAuth
from tests.asgi.test_application import call, scope, server


def test_application_is_not_called_as_asgi() -> None:
    with pytest.raises(NotImplementedError, match="add the routes"):
        call(OAuth(server(), AsyncWorld(MemoryStorage())), scope("/t/token"))
