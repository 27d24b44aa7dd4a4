"""Servers of the Model Context Protocol as protected resources: `McpResource` says which, `protect_mcp` protects it.

They need no SDK. `oauthcore_mcp.sdk` speaks to the official one, `mcp`, and `oauthcore_mcp.fastmcp` to FastMCP; each is
imported only there.
"""

from oauthcore.resource.requirement import Requirement
from oauthcore_mcp.protect import protect_mcp
from oauthcore_mcp.resource import McpResource
from oauthcore_mcp.server import oauth_for_mcp, server_for_mcp

__all__ = ["McpResource", "Requirement", "oauth_for_mcp", "protect_mcp", "server_for_mcp"]
