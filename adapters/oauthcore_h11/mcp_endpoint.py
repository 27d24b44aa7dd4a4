"""An MCP endpoint with a few tools: JSON-RPC over the Streamable HTTP transport, as much of it as needs no stream.

It is a protected resource to try clients with: each request is a POST with one message, each answer is JSON, there are
no sessions and nothing that the server says by itself. Whether a token is good is the resource server's to decide.

The specification is MCP's of 2025-11-25: base protocol (transports, lifecycle, authorization) and server (tools). A
request of 2026-07-28 needs no handshake before it: it says in an envelope of its own which revision it speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from types import MappingProxyType
from typing import TypeAlias
from urllib.parse import urlsplit

import attrs

from oauthcore import Access, ConfigurationError, Request, ResourceServer, Response
from oauthcore.flow.effects import Flow
from oauthcore.jose.strict_json import parse_object
from oauthcore.scope import Scope, as_scope
from oauthcore.wire.cors import CORS, preflight
from oauthcore.wire.http import NO_BODY, NO_STORE, json_response, with_headers
from oauthcore.wire.text import media_type
from oauthcore_h11.loopback import loopback_addresses

# The newest first: that is the one to offer to who asks for another (lifecycle, version negotiation).
PROTOCOL_VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26")
# Without a handshake: `server/discover` says which there are.
STATELESS_VERSIONS = ("2026-07-28",)
NO_ARGUMENTS: Mapping[str, object] = MappingProxyType({"type": "object", "properties": {}})

# JSON-RPC 2.0 section 5.1.
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
# MCP 2026-07-28, base protocol: a header that a proxy routes by and the body differ; a revision that is not spoken.
HEADER_MISMATCH, UNSUPPORTED_PROTOCOL_VERSION = -32020, -32022
_META = "io.modelcontextprotocol/"
VERSION_KEY, CAPABILITIES_KEY, SERVER_KEY = (
    f"{_META}protocolVersion",
    f"{_META}clientCapabilities",
    f"{_META}serverInfo",
)

Call: TypeAlias = Callable[[Access, Mapping[str, object]], str]
Message: TypeAlias = Mapping[str, object]


@attrs.frozen(kw_only=True)
class Tool:
    """Declare a tool: what clients are told of it, the scope that it takes, and what does it.

    `call` is given who calls and the arguments, as they were sent, and returns text; it raises `ValueError` with
    what the client is to read.
    """

    name: str
    description: str
    call: Call
    scope: Scope = attrs.field(default=Scope(), converter=as_scope)
    input_schema: Mapping[str, object] = NO_ARGUMENTS


class _Unanswerable(Exception):
    """Refuse a message with an error of JSON-RPC."""

    def __init__(self, code: int, message: str, **data: object) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


class McpEndpoint:
    """Answer what MCP clients send to a resource server's `resource`: who they are, which tools there are, call one.

    Every request takes a token for `scope`, and a call one for the tool's scope as well.
    """

    def __init__(
        self, name: str, resource_server: ResourceServer, tools: Iterable[Tool], scope: str | Iterable[str] = ()
    ) -> None:
        self._name = name
        self._resource_server = resource_server
        self._tools = {tool.name: tool for tool in tools}
        self._scope = as_scope(scope)

    def handle(self, request: Request) -> Flow[Response]:
        """Answer a request, whatever its path."""
        origin = request.header("origin")
        if origin is not None and not is_local(origin):
            # A page that has its own name point here is of another origin still (transports, security warning).
            return _plain(403, "Pages of other hosts may not call this.\n")
        if request.method == "OPTIONS":
            return preflight(request, ("POST",))
        access = yield from self._resource_server.verify(request, self.scope_for(request.body))
        answered = access if isinstance(access, Response) else self.answer(request, access)
        return with_headers(answered, CORS)

    def scope_for(self, body: bytes) -> Scope:
        """Return all of the scope that a message takes, so that one new authorization is enough for it."""
        try:
            tool = self._tool_of(parse_object(body))
        except (ValueError, _Unanswerable):
            return self._scope
        return self._scope if tool is None else self._scope.union(tool.scope)

    def answer(self, request: Request, access: Access) -> Response:
        """Answer a request that may be made."""
        if request.method != "POST":
            # There is no stream to GET, and no session to DELETE.
            return with_headers(_plain(405, "Use POST.\n"), (("Allow", "POST, OPTIONS"),))
        if media_type(request.header("content-type") or "") != "application/json":
            return _plain(415, "Send application/json.\n")
        try:
            message = parse_object(request.body)
        except ValueError:
            return _error(400, None, PARSE_ERROR, "This is no JSON object.")
        spoken = request.header("mcp-protocol-version")
        if spoken in STATELESS_VERSIONS or VERSION_KEY in _envelope_of(message):
            return self._answer_stateless(request, message, access)
        if spoken is not None and spoken not in PROTOCOL_VERSIONS and message.get("method") != "initialize":
            return _error(400, message.get("id"), INVALID_REQUEST, f"Speak one of {', '.join(PROTOCOL_VERSIONS)}.")
        if "method" not in message or "id" not in message:
            # A notification, or a response: there is nothing to say to either.
            return Response(202, (NO_BODY, *NO_STORE))
        try:
            return _answer(200, message["id"], result=self._result(message, access))
        except _Unanswerable as error:
            return _error(200, message["id"], error.code, str(error))

    def _answer_stateless(self, request: Request, message: Message, access: Access) -> Response:
        """Answer a request that is understood without any before it (2026-07-28)."""
        if "method" not in message or "id" not in message:
            return Response(202, (NO_BODY, *NO_STORE))
        identifier = message["id"]
        try:
            _check_envelope(request, message)
            result = self._stateless_result(message, access)
        except _Unanswerable as error:
            status = 404 if error.code == METHOD_NOT_FOUND else 400
            return _error(status, identifier, error.code, str(error), **error.data)
        members = {"resultType": "complete", "_meta": {SERVER_KEY: self._server_info()}}
        return _answer(200, identifier, result={**result, **members})

    def _stateless_result(self, message: Message, access: Access) -> Message:
        # What is listed is for who asks, and may be another at the next start.
        uncached = {"cacheScope": "private", "ttlMs": 0}
        match message["method"]:
            case "server/discover":
                return {"supportedVersions": list(STATELESS_VERSIONS), "capabilities": {"tools": {}}, **uncached}
            case "tools/list":
                return {**self._result(message, access), **uncached}
            case "tools/call":
                return self._result(message, access)
            case _:
                raise _Unanswerable(METHOD_NOT_FOUND, "There is no such method.")

    def _server_info(self) -> Message:
        return {"name": self._name, "version": version("oauthcore")}

    def _result(self, message: Message, access: Access) -> Message:
        parameters = _parameters(message)
        match message["method"]:
            case "initialize":
                requested = parameters.get("protocolVersion")
                return {
                    "protocolVersion": requested if requested in PROTOCOL_VERSIONS else PROTOCOL_VERSIONS[0],
                    "capabilities": {"tools": {}},
                    "serverInfo": self._server_info(),
                }
            case "ping":
                return {}
            case "tools/list":
                return {"tools": [_described(tool) for tool in self._tools.values()]}
            case "tools/call":
                tool = self._tool_of(message)
                arguments = parameters.get("arguments", {})
                if tool is None or not isinstance(arguments, dict):
                    raise _Unanswerable(INVALID_PARAMS, "There is no such tool.")
                return _called(tool, access, arguments)
            case _:
                raise _Unanswerable(METHOD_NOT_FOUND, "There is no such method.")

    def _tool_of(self, message: Message) -> Tool | None:
        """Return the tool that a message calls, None if there is none."""
        if message.get("method") != "tools/call":
            return None
        name = _parameters(message).get("name")
        return self._tools.get(name) if isinstance(name, str) else None


def is_local(origin: str) -> bool:
    """Return whether an origin is a page of this machine's own, as a client's in a browser is."""
    try:
        host = urlsplit(origin).hostname
        return host is not None and bool(loopback_addresses(host))
    except (ConfigurationError, ValueError):
        return False


def _parameters(message: Message) -> Message:
    parameters = message.get("params", {})
    if not isinstance(parameters, dict):
        raise _Unanswerable(INVALID_PARAMS, "The params are no object.")
    return parameters


def _envelope_of(message: Message) -> Message:
    parameters = message.get("params")
    envelope = parameters.get("_meta") if isinstance(parameters, dict) else None
    return envelope if isinstance(envelope, dict) else {}


def _check_envelope(request: Request, message: Message) -> None:
    """Refuse a request whose envelope lacks something, or says something else than the headers do (2026-07-28).

    Proxies route by the headers, so that a body of another method would come to a server that is not meant for it.
    """
    envelope = _envelope_of(message)
    if VERSION_KEY not in envelope or CAPABILITIES_KEY not in envelope:
        raise _Unanswerable(INVALID_PARAMS, f"params._meta lacks {VERSION_KEY} or {CAPABILITIES_KEY}.")
    spoken, said = (
        envelope[VERSION_KEY],
        {"mcp-protocol-version": envelope[VERSION_KEY], "mcp-method": message["method"]},
    )
    if message["method"] == "tools/call":
        said["mcp-name"] = _parameters(message).get("name")
    for name, value in said.items():
        if request.header(name) != value:
            raise _Unanswerable(HEADER_MISMATCH, f"The header {name} and the body differ.")
    if spoken not in STATELESS_VERSIONS:
        raise _Unanswerable(
            UNSUPPORTED_PROTOCOL_VERSION,
            "Speak another revision.",
            supported=list(STATELESS_VERSIONS),
            requested=spoken,
        )


def _described(tool: Tool) -> Message:
    return {"name": tool.name, "description": tool.description, "inputSchema": dict(tool.input_schema)}


def _called(tool: Tool, access: Access, arguments: Message) -> Message:
    try:
        text, is_error = tool.call(access, arguments), False
    except ValueError as error:
        # A failure of the tool's is a result, which a model can read and mend (tools, error handling).
        text, is_error = str(error), True
    return {"content": [{"type": "text", "text": text}], "isError": is_error}


def _answer(status: int, identifier: object, **members: object) -> Response:
    return json_response(status, {"jsonrpc": "2.0", "id": identifier, **members})


def _error(status: int, identifier: object, code: int, message: str, **data: object) -> Response:
    return _answer(status, identifier, error={"code": code, "message": message, **({"data": data} if data else {})})


def _plain(status: int, text: str) -> Response:
    return Response(status, (NO_BODY, *NO_STORE), text.encode())
