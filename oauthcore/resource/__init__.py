"""The protected side: bearer tokens on the wire, and the server that checks them (RFC 6750, RFC 9728)."""
