"""Documents of other servers: a client's keys, a request object, a sector's redirect URIs.

A decision never waits for another server. It uses a cached document; if there is none, or only a stale one,
`DocumentNeeded` ends the attempt. `transact` fetches the document outside of any attempt and decides again. So a slow
server delays only one request, and no decision relies on what was found before the wait.

Anybody can send requests that need a document, so this module also limits their cost. One request fetches a document,
and all others that need it share the response (`Turn`). The requests to a host are limited per minute. And a failure is
cached for a short time, so that a client whose server is down does not cause a fetch at each request.

A response of 200 need not be the document: proxies, captive portals and sites in maintenance answer every URL with a
page. So the reader of a document says how it is recognised (`IsReadable`), and anything else is a failure like no
response at all: it is cached as briefly, and never replaces a document.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable, Generator
from enum import Enum
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import attrs

from oauthcore.jose.strict_json import parse_value
from oauthcore.wire.http import Outgoing, Response

# An honest key set is published for days; a failure may be over in a minute.
FRESH_FOR = 3_600
FAILED_FOR = 30
# An unknown key causes a fetch, but not more often than this; otherwise anybody could flood a client's server.
SOONEST_AGAIN = 60
CAPACITY = 1_000
# A set of fifty RSA keys takes a tenth of it. What is kept is read at each request.
MAX_BODY = 256 * 1024
# All bodies together: some thousands of honest ones, and no more of an attacker's.
MAX_KEPT = 16 * 1024 * 1024
# Requests for documents of one host within a minute. A host may have many clients' documents, each of which is fetched
# once an hour; and an attacker who can name many URLs there can't use this server to flood it.
HOST_BUDGET = 60
MINUTE = 60
# The number of unknown documents that strangers name and that are fetched within a minute: they could otherwise make
# this server send a request to every host there is.
UNVERIFIED_BUDGET = 120
# A request that fetches and never returns holds the turn for so long: longer than any fetch lasts.
TURN_LASTS = 30


class Turn(Enum):
    """Say what a request that lacks a document is to do: fetch it, wait for who fetches it, or neither."""

    FETCH = "fetch"
    JOIN = "join"
    # It has come in the meantime.
    KNOWN = "known"
    # Its host has had too many requests.
    LATER = "later"


@attrs.frozen
class Document:
    """Hold the response of another server at `fetched_at` (seconds since the epoch); `body` is None if it was unusable.

    `failed_at` is when the last attempt to fetch it again failed.
    """

    url: str
    body: bytes | None
    fetched_at: int
    failed_at: int | None = None

    def members(self) -> dict[str, object] | None:
        """Return the body as a JSON object; None if it is not one."""
        value = self._json()
        return value if isinstance(value, dict) else None

    def array(self) -> list[object] | None:
        """Return the body as a JSON array; None if it is not one."""
        value = self._json()
        return value if isinstance(value, list) else None

    def _json(self) -> object:
        try:
            return parse_value((self.body or b"").removeprefix(BOM_UTF8))
        except ValueError:
            return None


# Return whether a body is what it should be: a key set, say, and not a page. Values that compare equal read the same.
IsReadable: TypeAlias = Callable[[bytes], bool]
# A flow, by its result; what flows are made of stands above this room.
Remember: TypeAlias = Callable[[Response | None], Generator[Any, Any, bool]]


class DocumentNeeded(Exception):
    """End an attempt that lacks a document; the next one has it, or knows that it could not be fetched."""

    max_size = MAX_BODY

    def __init__(
        self, documents: Documents, url: str, now: int, is_readable: IsReadable, fresh_for: int = FRESH_FOR
    ) -> None:
        super().__init__("a document of another server is missing")
        self.documents = documents
        self.url = url
        self.now = now
        self.is_readable = is_readable
        self.fresh_for = fresh_for

    @property
    def request(self) -> Outgoing:
        """Return the request for it."""
        headers = (("Accept", "application/json, application/jwk-set+json, */*;q=0.1"),)
        return Outgoing("GET", self.url, headers, max_size=self.max_size)


class StoredDocumentNeeded(DocumentNeeded):
    """End an attempt that needs a document which is kept in storage.

    `remember` is given the answer, or None if there was none. `is_known` tells that there is an older answer in
    storage, `max_size` how long a document may be. `new_budget` is how many documents that are not known may be fetched
    within a minute, None for any number.
    """

    def __init__(
        self, missing: DocumentNeeded, remember: Remember, *, is_known: bool, new_budget: int | None, max_size: int
    ) -> None:
        super().__init__(missing.documents, missing.url, missing.now, missing.is_readable, missing.fresh_for)
        self.remember = remember
        self.max_size = max_size
        self.is_known = is_known
        self.new_budget = new_budget


@attrs.frozen(eq=False)
class _Fetching:
    """Represent the turn of one request to fetch a document."""

    since: int


@attrs.frozen
class _Requests:
    """Count the requests to a host in the minute that began at `since`."""

    since: int
    times: int = 0


class Documents:
    """Keep what other servers said, at most `capacity` of it.

    An authorization server has one for what its operator has registered, and others for what strangers name: whatever
    these have it fetch, they neither push out what it knows of the former nor use up how often it may ask. Of what is
    not kept, `new_budget` are fetched within a minute, None for any number.
    """

    def __init__(
        self,
        capacity: int = CAPACITY,
        max_kept: int = MAX_KEPT,
        host_budget: int = HOST_BUDGET,
        new_budget: int | None = None,
    ) -> None:
        self._capacity = capacity
        self._max_kept = max_kept
        self._host_budget = host_budget
        self._new_budget = new_budget
        # By how they are read as well: a client that registers another's key set as its request object would otherwise
        # make a failure of it.
        self._kept: dict[tuple[str, IsReadable], Document] = {}
        self._fetching: dict[str, _Fetching] = {}
        self._requests: dict[str, _Requests] = {}

    def get(self, url: str, now: int, is_readable: IsReadable, *, fresh_for: int = FRESH_FOR) -> Document:
        """Return the document, not older than `fresh_for` seconds, or without a body if it can't be fetched just now.

        A body that it has is readable. Raises `DocumentNeeded` if it has to be fetched.
        """
        found = self._find(url, now, is_readable, fresh_for)
        if found is None:
            raise DocumentNeeded(self, url, now, is_readable, fresh_for)
        return found

    def _find(self, url: str, now: int, is_readable: IsReadable, fresh_for: int) -> Document | None:
        known = self._kept.get((url, is_readable))
        if known is None:
            return None
        if known.body is not None and now < known.fetched_at + fresh_for:
            return known
        if known.failed_at is not None and now < known.failed_at + FAILED_FOR:
            return attrs.evolve(known, body=None)
        return None

    def get_newer(self, url: str, now: int, is_readable: IsReadable) -> Document:
        """Return the document, fetched again unless that was just done: the cached one lacked what was needed.

        If its server fails, the cached one is returned. Otherwise an attacker who names an unknown key while the server
        has a problem would make the valid keys unavailable for everybody.
        """
        newer = self.get(url, now, is_readable, fresh_for=SOONEST_AGAIN)
        return newer if newer.body is not None else self.get(url, now, is_readable)

    def is_being_fetched(self, url: str, now: int) -> bool:
        """Return whether a request is at it, so that another which has an older answer need not wait for this one."""
        held = self._fetching.get(url)
        return held is not None and now < held.since + TURN_LASTS

    def turn(self, missing: DocumentNeeded) -> Turn:
        """Decide what a request that needs a document does; the one that fetches it has to call `end_turn`.

        Several threads may call this at the same time: the first to store its turn is the one that fetches.
        """
        url, now = missing.url, missing.now
        if self._find(url, now, missing.is_readable, missing.fresh_for) is not None:
            return Turn.KNOWN
        held = self._fetching.get(url)
        if held is not None and now >= held.since + TURN_LASTS:
            self.end_turn(url)
        mine = _Fetching(now)
        if self._fetching.setdefault(url, mine) is not mine:
            return Turn.JOIN
        # It may have come between the two looks; then its turn had ended before ours began.
        if self._find(url, now, missing.is_readable, missing.fresh_for) is not None:
            self.end_turn(url)
            return Turn.KNOWN
        if not self._may_ask(missing, now):
            self.end_turn(url)
            return Turn.LATER
        return Turn.FETCH

    def _may_ask(self, missing: DocumentNeeded, now: int) -> bool:
        """Count a request; return whether it is within the limits of its host and of unknown documents."""
        host = host_of(missing.url)
        if isinstance(missing, StoredDocumentNeeded):
            is_known, budget = missing.is_known, missing.new_budget
        else:
            kept, budget = self._kept.get((missing.url, missing.is_readable)), self._new_budget
            is_known = budget is None or (kept is not None and kept.body is not None)
        if is_known:
            return self._is_within_budget(host, now, self._host_budget)
        # No host has a space in its name. What strangers name at a host is counted apart, or they could keep us from
        # asking it for what is known; and what they name anywhere, together.
        return (budget is None or self._is_within_budget(" ", now, budget)) and self._is_within_budget(
            f" {host}", now, self._host_budget
        )

    def end_turn(self, url: str) -> None:
        """End the turn: the document has been cached, or no request waits for it any more."""
        _ = self._fetching.pop(url, None)

    def _is_within_budget(self, host: str, now: int, budget: int) -> bool:
        counted = self._requests.get(host)
        if counted is None or not counted.since <= now < counted.since + MINUTE:
            if counted is None and len(self._requests) >= self._capacity:
                # Copied and put in place whole, since threads may be at it together.
                current = {name: a for name, a in self._requests.copy().items() if a.since <= now < a.since + MINUTE}
                self._requests = current
                if len(current) >= self._capacity:
                    return False
            counted = _Requests(now)
        if counted.times >= budget:
            return False
        self._requests[host] = attrs.evolve(counted, times=counted.times + 1)
        return True

    def keep(self, url: str, answer: Response | None, now: int, is_readable: IsReadable) -> Document:
        """Remember the document in a response, or that there was none: then an older one stays, as old as it is."""
        is_document = answer is not None and answer.status == 200 and len(answer.body) <= MAX_BODY
        if answer is not None and is_document and is_readable(answer.body):
            document = Document(url, answer.body, now)
        else:
            # How old a document may be that is used while its server fails, the reader says, by `fresh_for`.
            document = attrs.evolve(self._kept.get((url, is_readable), Document(url, None, now)), failed_at=now)
        self._kept[url, is_readable] = document
        kept = list(self._kept.copy().items())
        while len(kept) > self._capacity or sum(len(known.body or b"") for _, known in kept) > self._max_kept:
            # Half of it goes, what could not be had before what was, and of that the oldest; put in place whole, since
            # threads may be at it together.
            kept.sort(key=lambda entry: (entry[1].body is not None, entry[1].fetched_at))
            kept = kept[(len(kept) + 1) // 2 :]
            self._kept = dict(kept)
        return document


def is_object(body: bytes) -> bool:
    """Return whether a body is a JSON object."""
    return Document("", body, 0).members() is not None


def is_array(body: bytes) -> bool:
    """Return whether a body is a JSON array."""
    return Document("", body, 0).array() is not None


def host_of(url: str) -> str:
    """Return the host of a URL: all servers on a host share its budget, whatever their port."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # brackets that are no IPv6 address
        return ""
