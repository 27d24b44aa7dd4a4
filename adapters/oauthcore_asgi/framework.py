"""How a framework spells requests and responses, made from ASGI's scopes."""

from __future__ import annotations

from typing import Generic

from oauthcore.wire import framework
from oauthcore.wire.framework import RequestT as RequestT
from oauthcore.wire.framework import ResponseT as ResponseT
from oauthcore_asgi.wire import Scope


class Framework(framework.Framework[Scope, RequestT, ResponseT], Generic[RequestT, ResponseT]):
    """Say how a framework makes its request from a scope, which part is on the wire, and how it answers."""
