"""The server's own signing keys: their rotation, and where they come from."""
