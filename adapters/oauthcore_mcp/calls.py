"""The tools that a request calls: parsed from its JSON-RPC before the server reads it, which then gets the same bytes.

The request that is checked and the one that the server executes must be the same, so JSON that two parsers could read
differently is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, MutableMapping
from typing import Any

from oauthcore import Response
from oauthcore.jose.strict_json import parse_value
from oauthcore.wire.http import NO_STORE
from oauthcore_asgi.wire import TOO_LARGE, Receive

# The limit of the official SDK, and of FastMCP.
MAX_BODY = 4 * 1024 * 1024


async def read_calls(receive: Receive) -> tuple[tuple[str, ...] | Response, Receive]:
    """Return the names of the called tools, or a response that refuses; and a `receive` that replays the request."""
    messages: list[MutableMapping[str, Any]] = []
    length, more = 0, True
    while more:
        message = await receive()
        messages.append(message)
        if message["type"] != "http.request":
            return UNREADABLE, receive  # the client disconnected: half a request could be a different valid one
        length += len(message.get("body", b""))
        if length > MAX_BODY:
            return TOO_LARGE, receive
        more = message.get("more_body", False)
    body = b"".join(message.get("body", b"") for message in messages)
    try:
        tools = tuple(_tools(parse_value(body)))
    except ValueError:
        return UNREADABLE, receive
    return tools, _replayed(messages, receive)


def _replayed(messages: list[MutableMapping[str, Any]], receive: Receive) -> Receive:
    left = list(messages)

    async def receive_replayed() -> MutableMapping[str, Any]:
        return left.pop(0) if left else await receive()

    return receive_replayed


def _tools(value: object) -> Iterator[str]:
    # A list is a batch, which only revision 2025-03-26 has.
    for request in value if isinstance(value, list) else [value]:
        if isinstance(request, dict) and request.get("method") == "tools/call":
            params = request.get("params")
            name = params.get("name") if isinstance(params, dict) else None
            if isinstance(name, str):  # any other name is refused by the server
                yield name


_ERROR = {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "The body is not the JSON of one reader."}}
UNREADABLE = Response(400, (("Content-Type", "application/json"), *NO_STORE), json.dumps(_ERROR).encode("ascii"))
