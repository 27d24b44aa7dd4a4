"""Documents of other servers: a client's keys, a request object, a sector's redirect URIs.

A decision never waits for another server. It asks here for what is known, and where that is nothing, or too old,
`Missing` ends the attempt; `transact` fetches the document outside of any attempt and decides afresh. So a slow server
holds up one request, and nothing that was found before the wait is decided on after it.

What failed is remembered too, for a little while: a client whose server is down must not make ours ask at each request.
"""

from __future__ import annotations

from codecs import BOM_UTF8

import attrs

from oauthcore.http import Outgoing, Response
from oauthcore.strict_json import parse_value

# An honest key set is published for days; a failure may be over in a minute.
FRESH_FOR = 3_600
FAILED_FOR = 30
# A key that nobody knows makes us ask again, but not more often than this, or anybody could make us hammer a client.
SOONEST_AGAIN = 60
CAPACITY = 1_000
# A set of fifty RSA keys takes a tenth of it. What is kept is read at each request.
MAX_BODY = 256 * 1024


@attrs.frozen
class Document:
    """Hold what another server said at `fetched_at` (seconds since the epoch); None where it said nothing of use."""

    url: str
    body: bytes | None
    fetched_at: int

    def members(self) -> dict[str, object] | None:
        """Read it as a JSON object; None where it is none."""
        value = self._json()
        return value if isinstance(value, dict) else None

    def array(self) -> list[object] | None:
        """Read it as a JSON array; None where it is none."""
        value = self._json()
        return value if isinstance(value, list) else None

    def _json(self) -> object:
        try:
            return parse_value((self.body or b"").removeprefix(BOM_UTF8))
        except ValueError:
            return None


class Missing(Exception):
    """End an attempt for want of a document; whoever decides again has it, or knows that it can't be had."""

    def __init__(self, documents: Documents, url: str, now: int) -> None:
        super().__init__("a document of another server is missing")
        self.documents = documents
        self.url = url
        self.now = now

    @property
    def request(self) -> Outgoing:
        """Give the request for it."""
        return Outgoing("GET", self.url, (("Accept", "application/json, application/jwk-set+json, */*;q=0.1"),))


class Documents:
    """Keep what other servers said, at most `capacity` of it; one for each authorization server object."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._kept: dict[str, Document] = {}

    def get(self, url: str, now: int, *, fresh_for: int = FRESH_FOR) -> Document:
        """Give the document, not older than `fresh_for` seconds; raises `Missing` where it has to be fetched."""
        known = self._kept.get(url)
        if known is None or now >= known.fetched_at + (fresh_for if known.body is not None else FAILED_FOR):
            raise Missing(self, url, now)
        return known

    def get_newer(self, url: str, now: int) -> Document:
        """Give the document, fetched again if that was not done just now: the old one lacked what was looked for."""
        return self.get(url, now, fresh_for=SOONEST_AGAIN)

    def keep(self, url: str, answer: Response | None, now: int) -> Document:
        """Remember what was answered, or that nothing was."""
        is_usable = answer is not None and answer.status == 200 and len(answer.body) <= MAX_BODY
        body = answer.body if answer is not None and is_usable else None
        document = Document(url, body, now)
        if len(self._kept) >= self._capacity:
            # The oldest half goes; copied and put in place whole, since threads may be at it together.
            newest = sorted(self._kept.copy().values(), key=lambda kept: kept.fetched_at)[self._capacity // 2 :]
            self._kept = {kept.url: kept for kept in newest}
        self._kept[url] = document
        return document
