"""Assertions: what another issuer, one that is trusted, says of a subject (RFC 7521, RFC 7523)."""
