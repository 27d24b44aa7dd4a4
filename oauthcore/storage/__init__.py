"""Storage that comes with the core: in memory; records as JSON; and removal of expired records."""
