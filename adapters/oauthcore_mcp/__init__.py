"""Servers of the Model Context Protocol as protected resources: `McpResource` says which, `protect_mcp` protects it.

They need no SDK. `oauthcore_mcp.sdk` speaks to the official one, `mcp`, and `oauthcore_mcp.fastmcp` to FastMCP; each is
imported only there.
"""

from oauthcore.resource.requirement import Requirement
from oauthcore_mcp.protect import protect_mcp
from oauthcore_mcp.resource import McpResource

__all__ = ["McpResource", "Requirement", "protect_mcp"]
