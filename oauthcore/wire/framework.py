"""How a framework spells requests and responses, for the hosts that serve one: ASGI's by scopes, WSGI's by environs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import attrs

from oauthcore.wire.http import Request, Response

SourceT = TypeVar("SourceT")
RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")


@attrs.frozen(kw_only=True)
class Framework(Generic[SourceT, RequestT, ResponseT]):
    """Say how a framework makes its request, which part of it is on the wire, and how it answers.

    `request_of` makes the framework's request from the scope or environ, and the core's request. `wire_of` returns the
    core's request without its body.
    """

    request_of: Callable[[SourceT, Request], RequestT]
    wire_of: Callable[[RequestT], Request]
    respond: Callable[[Response], ResponseT]
