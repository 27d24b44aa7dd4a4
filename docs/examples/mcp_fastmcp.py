"""The same as a FastMCP server: `uvicorn mcp_fastmcp:app`."""

import secrets

from fastmcp import FastMCP
from fastmcp.server.dependencies import get_access_token

from oauthcore import MemoryStorage, Resource, Secret, World
from oauthcore_mcp import oauth_for_mcp
from oauthcore_mcp.fastmcp import McpAuth

URL = "http://localhost:8000/mcp"
USERS = {"alice": "wonderland"}  # yours have hashed passwords
KEY = secrets.token_bytes(32)  # keep yours: the same for all workers, and after every restart


def authenticate(username: str, password: Secret) -> str | None:
    """Return the user with this name and password, or None."""
    return username if username in USERS and USERS[username] == password.reveal() else None


world = World(MemoryStorage(), authenticate=authenticate)
oauth = oauth_for_mcp("http://localhost:8000", world, KEY, [Resource(URL, scopes="files:read files:write")])
mcp = FastMCP("Files", auth=McpAuth(oauth, URL, "files:read", tools={"delete": "files:write"}))


@mcp.tool
def read(path: str) -> str:
    """Read a file."""
    token = get_access_token()
    return f"{path}, read by {token.subject if token else None}"


@mcp.tool
def delete(path: str) -> str:
    """Delete a file."""
    return f"{path} is gone"


app = mcp.http_app(path="/mcp")
