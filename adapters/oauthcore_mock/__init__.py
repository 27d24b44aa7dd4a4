"""A provider for tests: real OAuth 2.x and OpenID Connect, with users who sign in without a page.

`Provider` holds any number of issuers below one URL, and answers requests as values. It opens no socket; a server calls
`handle`. `oauthcore_pytest` provides it as fixtures.

A test gets the authorization server itself, `oauthcore.AuthorizationServer` on a storage in memory, which refuses
incorrect clients as in production. What only tests need is added at the edges, so that the core knows nothing of it:

- before the core: `faults.py` (the next answer goes wrong), `sign_in.py` (people decide without a page), `clients.py`
  (a client that says nothing of itself learns by its requests);
- at the core's effects: `keys.py` (keys that are made once and rotated at will), `clock.py`, `people.py`, and
  `flaws.py`, which is applied where the core asks for a signature;
- at the core's signatures, too: `imitations.py`, what well-known providers put into tokens;
- behind it: `recorder.py`, `back_channel.py` (clients are told of logouts), and `tokens.py`, which makes tokens that
  the core then knows as its own.

- before the core: `faults.py` (the next response fails), `sign_in.py` (users decide without a page), `clients.py`
  (an incompletely registered client is completed by its requests);
- at the core's effects: `keys.py` (keys that are created once and rotated on demand), `clock.py`, `people.py`, and
  `flaws.py`, which is applied when the core requests a signature;
- also at signatures: `imitations.py`, the claims and formats of well-known providers;
- after the core: `recorder.py`, and `tokens.py`, which makes tokens that the core then recognises.

`browser.py` is the browser that walks through it.
"""

from oauthcore_mock.back_channel import DeliveredLogout
from oauthcore_mock.browser import Browser, Callback, NotSentBack
from oauthcore_mock.clients import RegisteredClient
from oauthcore_mock.clock import Clock
from oauthcore_mock.faults import Body, Slow
from oauthcore_mock.flaws import FLAWS, FlawName
from oauthcore_mock.issuer import Issuer, Reply
from oauthcore_mock.people import ALICE, Decision, User
from oauthcore_mock.provider import Provider
from oauthcore_mock.recorder import RecordedRequest, Recorder

__all__ = [
    "ALICE",
    "FLAWS",
    "Body",
    "Browser",
    "Callback",
    "Clock",
    "Decision",
    "DeliveredLogout",
    "FlawName",
    "Issuer",
    "NotSentBack",
    "Provider",
    "RecordedRequest",
    "Recorder",
    "RegisteredClient",
    "Reply",
    "Slow",
    "User",
]
