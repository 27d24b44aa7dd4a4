"""The server's own signing keys: their life, and where they come from."""
