"""What `demo --mcp` serves beside the authorization server: a protected MCP endpoint with three tools.

Its tools take two scopes, so that a client can be seen to ask for more than it has.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from oauthcore import (
    Access,
    AnyoneMayRegister,
    AuthorizationServer,
    Client,
    ClientIdMetadata,
    Registration,
    Request,
    Resource,
    Resources,
    ResourceServer,
    Response,
)
from oauthcore.flow.effects import Flow
from oauthcore.scope import as_scope
from oauthcore_h11.mcp_endpoint import McpEndpoint, Tool

PATH = "/mcp"
# What every request takes; one of the tools takes more.
SCOPE, SCOPES = "read", ("read", "write")
NAME = "The demo's notes"
# Longer than any demo runs: it is for developers, who try their clients.
FOR_EVER = 2**40


def in_developer_mode(client: Client) -> Client:
    """Return a client whose errors say their reason and the setting, as those of all the demo's clients."""
    return attrs.evolve(client, explain_until=FOR_EVER)


# The scope of clients that register themselves or publish a metadata document.
OFFERED_SCOPE = as_scope("read write openid email profile offline_access")
REGISTRATION = Registration(
    access=AnyoneMayRegister(),
    scope=OFFERED_SCOPE,
    grant_types=("authorization_code", "refresh_token"),
    review=in_developer_mode,
)
DOCUMENTS = ClientIdMetadata(scope=OFFERED_SCOPE, review=in_developer_mode)
MAX_NOTE = 1_000
_NOTE: Mapping[str, object] = {
    "type": "object",
    "properties": {"text": {"type": "string", "maxLength": MAX_NOTE}},
    "required": ["text"],
}


@attrs.frozen
class Notes:
    """Hold one note for each who has written one: they are the demo's few people and clients."""

    _of: dict[str, str] = attrs.field(factory=dict, init=False, repr=False)

    def read(self, access: Access, arguments: Mapping[str, object]) -> str:
        """Return the caller's note."""
        return self._of.get(access.identity, "There is no note yet.")

    def write(self, access: Access, arguments: Mapping[str, object]) -> str:
        """Take a note in place of the caller's last one."""
        text = arguments.get("text")
        if not isinstance(text, str) or len(text) > MAX_NOTE:
            raise ValueError(f"The text has to be a string of at most {MAX_NOTE} characters.")
        self._of[access.identity] = text
        return "It is written down."


def whoami(access: Access, arguments: Mapping[str, object]) -> str:
    """Describe a token: its user, its client and its scope."""
    return f"{access.identity}, by the client {access.client_id}, with the scope {access.scope.text}"


@attrs.frozen
class DemoMcp:
    """Answer at the endpoint's path, and at those of its metadata."""

    url: str
    path: str
    resource_server: ResourceServer
    endpoint: McpEndpoint

    def owns(self, path: str) -> bool:
        """Return whether a path is one of these; clients differ about a slash at its end."""
        return path.rstrip("/") == self.path or self.resource_server.owns(path)

    def handle(self, request: Request) -> Flow[Response]:
        """Answer a request for a path that this owns."""
        if self.resource_server.owns(request.path):
            return self.resource_server.handle(request)
        return self.endpoint.handle(request)


def resources_of(issuer: str) -> Resources:
    """Return what the authorization server has to know of the endpoint: clients name it by its URL (RFC 8707)."""
    return Resources([Resource(issuer + PATH, scopes=SCOPES, name=NAME)], trailing_slash="ignored")


def make_mcp(server: AuthorizationServer) -> DemoMcp:
    """Make the endpoint, for tokens of the server beside it."""
    notes = Notes()
    url = server.issuer + PATH
    resource_server = ResourceServer(server.tokens, resource=url, scopes=SCOPES, name=NAME)
    tools = (
        Tool(name="whoami", description="Say who is signed in, and what the token allows.", call=whoami),
        Tool(name="read_note", description="Read your note.", call=notes.read),
        Tool(
            name="write_note",
            description="Write your note. It takes a scope more than reading does.",
            call=notes.write,
            scope="write",
            input_schema=_NOTE,
        ),
    )
    endpoint = McpEndpoint("oauthcore demo", resource_server, tools, SCOPE)
    return DemoMcp(url, server.base + PATH, resource_server, endpoint)
