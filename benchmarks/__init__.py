"""Benchmarks of oauthcore beside its peers and beside the least that has to be done.

Each operation goes from a raw request (method, target, header pairs, body bytes) to the raw response bytes, in memory,
on one thread, in one process:

1. client credentials with HTTP Basic;
2. the exchange of a code, with PKCE S256 and HTTP Basic;
3. a refresh, with rotation;
4. the introspection of a live access token, by a confidential client (RFC 7662);
5. authorize: a person who is signed in and has consented is sent back with a code, PKCE S256.

The claim: oauthcore takes at most 2.3, 2.4, 2.4, 1.7 and 2.7 times as long as the floor (`floor.py`), is at least 2
times as fast as the fastest of aioauth, Authlib and oauthlib on every operation but introspection, and is ahead of them
there too.

What a reader should hold against the figures. The peers store secrets as they are, oauthcore digests of them; nobody
is charged for what the other does not do. oauthcore routes by path and commits atomically with preconditions; the
peers' adapters get their endpoint told and write to plain dicts. The peers' own minting draws each character of a token
from the system by itself, and that is most of what some operations cost them. Where a host may choose, Authlib and
oauthlib run twice: as they come, and (", our mint") with the cheapest minting there is; both verdicts are printed.
A contestant is timed only after `verify.py` has seen it succeed where it should and refuse where it must.

Run `python -m benchmarks`; `--json FILE` keeps the figures, `--profile OPERATION` shows where oauthcore's time goes.

The conclusion so far (0.1.0, CPython 3.11.7): the claim does not hold. On two cores that had far more to do than they
could, the operations took 4.2, 2.6, 3.0, 4.2 and 4.0 times as long as the floor, the fastest peers as they come
1.8, 1.7, 1.8, 0.5 and 1.3 times as long as oauthcore; a host of Authlib that replaces its token generator was ahead
everywhere. (What disturbs all alike brings such ratios nearer to one.) Authlib's requests here find one record in a
dict by its plain text; ours find three by digest, check that the grant is live, and commit on preconditions.

Where the time goes is counted, since two counts of one tree are the same: a request enters 106, 184, 176, 109 and 178
Python functions, in the order above. Of client credentials, by time: sending the answer to bytes and reading the
request from bytes a sixth, routing a fifteenth, reading form and credentials a fifth, deciding (secret's digest, scope,
token, its record, JSON) two fifths, the find and the commit a tenth, and a twentieth at the end. No single one
is large. What would be left out next are the values that carry evidence from one step to the next, and those are what
the core's safety hangs on.
"""
