"""OpenID Connect: the claims that a provider releases about a user, to which client and on whose request.

Pure functions that grants and endpoints combine: the claims parameter, subjects, ID tokens. Keys are in `signing`.
"""
