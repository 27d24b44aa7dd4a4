"""OpenID Connect: what a provider says of a person, to whom, and at whose wish.

Pure parts that grants and endpoints put together: the claims parameter, subjects, ID tokens. Keys are elsewhere.
"""
