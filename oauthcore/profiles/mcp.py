"""The rules for authorization servers of the Model Context Protocol, revision 2025-11-25, beside those of OAuth 2.1."""

from __future__ import annotations

from oauthcore.profiles import shared_rules as shared
from oauthcore.profiles.oauth21 import OAUTH21
from oauthcore.profiles.rule import Deployment, Problem, Rule

_MCP = "MCP Authorization, section"


def _has_resources(deployment: Deployment) -> Problem | None:
    if deployment.resources is not None:
        return None
    return Problem("resources", None, "name the MCP servers, or let clients: resources=Resources(unregistered=…)")


def _strangers_can_come(deployment: Deployment) -> Problem | None:
    if deployment.has_client_id_metadata or deployment.has_registration:
        return None
    remedy = "take clients that publish their metadata, client_id_metadata=ClientIdMetadata(), or let them register"
    return Problem("client_id_metadata", None, remedy)


MCP: tuple[Rule, ...] = (
    *OAUTH21,
    shared.metadata(f"{_MCP} Server Metadata Discovery"),
    Rule(
        name="resources",
        requirement="an access token is for the MCP server that the client names as resource",
        source=f"{_MCP} Resource Parameter Implementation",
        setting="resources",
        server=_has_resources,
    ),
    Rule(
        name="unknown_clients",
        requirement="clients that the operator has not registered can use the server",
        source=f"{_MCP} Client Registration Approaches",
        setting="client_id_metadata",
        server=_strangers_can_come,
    ),
    Rule(
        name="pkce_in_metadata",
        requirement="the metadata says that S256 is supported; clients refuse a server without it",
        source=f"{_MCP} Authorization Code Protection",
    ),
)
