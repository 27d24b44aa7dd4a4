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

The conclusion (0.1.0, CPython 3.11.7 on two shared cores, 6 s an operation; ratios of medians in one run):

| operation | x floor | fastest peer as it comes | fastest peer with our mint |
|---|---|---|---|
| client credentials | 3.5 | 2.1 times as fast as Authlib | 0.65 of Authlib's speed |
| code exchange | 3.8 | 2.1 times as fast as Authlib | 0.54 of Authlib's speed |
| refresh | 3.9 | 2.5 times as fast as oauthlib | 0.49 of Authlib's speed |
| introspection | 3.2 | 0.55 of Authlib's speed | 0.56 of Authlib's speed |
| authorize | 5.0 | 1.7 times as fast as aioauth | 0.79 of Authlib's speed |

So the claim holds half way. As the peers come, oauthcore is at least twice as fast on three operations of five; a host
of Authlib that replaces its token generator is ahead everywhere, and on introspection it is ahead as it comes. Nothing
is within 3 times the floor yet. Authlib's requests here find one record in a dict by its plain text; ours find three by
digest, check that the grant is live, and commit on preconditions.

Where the rest goes, for client credentials (29 us): decide 9.0, of which the access token's record 2.5, the answer's
JSON and headers 3.0, minting 1.3; the secret's check 2.2, reading Basic 2.2, the form 1.9, the request 1.5, the
commit 1.9, outcome and changes 1.3, the context 0.9; the remaining five or so are flows, effects and the driver. Across
all of it, 17 frozen values are made, and a frozen attrs value of four fields costs 0.74 us where a mutable one costs
0.26: a third of the time is the price of values that can't change. Records without slots were tried and are no faster.
"""
