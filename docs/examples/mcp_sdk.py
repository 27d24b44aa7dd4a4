"""An MCP server whose users log in, with the authorization server in the same process: `uvicorn mcp_sdk:app`."""

import secrets

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver import MCPServer

from oauthcore import MemoryStorage, Resource, Secret, World
from oauthcore_mcp import oauth_for_mcp, protect_mcp
from oauthcore_mcp.sdk import verifier

URL = "http://localhost:8000/mcp"
USERS = {"alice": "wonderland"}  # yours have hashed passwords
KEY = secrets.token_bytes(32)  # keep yours: the same for all workers, and after every restart


def authenticate(username: str, password: Secret) -> str | None:
    """Return the user with this name and password, or None."""
    return username if username in USERS and USERS[username] == password.reveal() else None


mcp = MCPServer("Files")


@mcp.tool()
def read(path: str) -> str:
    """Read a file."""
    token = get_access_token()
    return f"{path}, read by {token.subject if token else None}"


@mcp.tool()
def delete(path: str) -> str:
    """Delete a file."""
    return f"{path} is gone"


world = World(MemoryStorage(), authenticate=authenticate)
oauth = oauth_for_mcp("http://localhost:8000", world, KEY, [Resource(URL, scopes="files:read files:write")])
resource = verifier(oauth, URL, "files:read", tools={"delete": "files:write"})
app = protect_mcp(mcp.streamable_http_app(), resource)
