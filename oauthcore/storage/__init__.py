"""Storage that comes with the core: memory, records as JSON, and how what has expired is removed."""
