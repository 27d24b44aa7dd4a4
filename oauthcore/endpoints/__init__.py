"""Endpoints: one file an endpoint, each a flow from a request to an outcome."""
