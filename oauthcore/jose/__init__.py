"""JOSE (RFC 7515 to RFC 7519): tokens and keys of other parties, parsed strictly before any key is used."""
