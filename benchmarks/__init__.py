"""Benchmarks of oauthcore beside its peers and beside the least that has to be done.

Each operation goes from a raw request (method, target, header pairs, body bytes) to the raw response bytes, in memory,
on one thread, in one process:

1. client credentials with HTTP Basic;
2. the exchange of a code, with PKCE S256 and HTTP Basic;
3. a refresh, with rotation;
4. the introspection of a live access token, by a confidential client (RFC 7662);
5. authorize: a person who is signed in and has consented is sent back with a code, PKCE S256.

The claim: oauthcore takes at most 3 times the floor (`floor.py`) on every operation, is at least 2 times as fast as
the fastest of aioauth, Authlib and oauthlib on every operation but introspection, and is ahead of them there too.

What a reader should hold against the figures. The peers store secrets as they are, oauthcore digests of them; nobody
is charged for what the other does not do. oauthcore routes by path and commits atomically with preconditions; the
peers' adapters get their endpoint told and write to plain dicts. The peers' own minting draws each character of a token
from the system by itself, and that is most of what some operations cost them. Where a host may choose, Authlib and
oauthlib run twice: as they come, and (", our mint") with the cheapest minting there is; both verdicts are printed.
A contestant is timed only after `verify.py` has seen it succeed where it should and refuse where it must.

Run `python -m benchmarks`; `--json FILE` keeps the figures, `--profile OPERATION` shows where oauthcore's time goes.

The conclusion: to be written after the final run.
"""
