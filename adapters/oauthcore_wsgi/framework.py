"""How a framework spells requests and responses, made from WSGI's environs."""

from __future__ import annotations

from typing import Any, Generic

from oauthcore.wire import framework
from oauthcore.wire.framework import RequestT as RequestT
from oauthcore.wire.framework import ResponseT as ResponseT


class Framework(framework.Framework[dict[str, Any], RequestT, ResponseT], Generic[RequestT, ResponseT]):
    """Say how a framework makes its request from an environ, which part is on the wire, and how it answers."""
