"""DPoP: access tokens that are bound to a key of their client, who signs each request with it (RFC 9449).

Pure: what a proof says, and whether it is one for a request. Whether it was used before is for storage to say, at the
token endpoint (`oauthcore.grants.dpop`) and at resources (`oauthcore.resource.dpop`).
"""
