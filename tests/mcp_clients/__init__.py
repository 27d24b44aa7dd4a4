"""MCP clients that others have written, against an authorization server and a protected MCP endpoint beside it."""
