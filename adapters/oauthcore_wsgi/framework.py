"""How a framework spells requests and responses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs

from oauthcore import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")


@attrs.frozen(kw_only=True)
class Framework(Generic[RequestT, ResponseT]):
    """Say how a framework makes its request from an environ, what of it goes over the wire, and how it answers.

    `wire_of` gives a request without its body.
    """

    request_of: Callable[[WSGIEnvironment, Request], RequestT]
    wire_of: Callable[[RequestT], Request]
    respond: Callable[[Response], ResponseT]
