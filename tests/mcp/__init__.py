"""The adapter for MCP, its pages, and real clients against it."""
