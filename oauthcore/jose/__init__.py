"""JOSE (RFC 7515 to RFC 7519): tokens and keys from strangers, read strictly before any key is touched."""
