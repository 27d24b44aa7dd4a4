"""One behaviour, every host: the same tests over HTTP, whatever serves."""
