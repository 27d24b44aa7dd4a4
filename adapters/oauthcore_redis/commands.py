"""Commands to the server and the meaning of its replies: generators that yield the former and get the latter.

Both the blocking and the async storage drive these, so there is one encoding, and nothing here waits.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

import attrs
from redis.exceptions import NoScriptError

from oauthcore.flow.outcome import Change, R, S
from oauthcore.records.client import Client
from oauthcore.records.record import Record
from oauthcore.storage.codec import dump, load
from oauthcore_redis.key_names import KeyNames, RecordKey, subject_of
from oauthcore_redis.merging import Demand, merge_changes
from oauthcore_redis.scripts import COMMIT, FIND_OF, PURGE, Script

# A record with other text than expected is compared by what it says, and asked for once more by its own text. Where it
# has changed once more by then, others are at it, and the decision is better made again.
SPELLINGS = 3
# How many keys one purge looks at. Nearly all of them have nothing to be done about, and a thousand take a millisecond.
LOOKED_AT = 10_000
PAGE = 1_000
# The last second of the year 9999: what expires later never does.
FOREVER = 253_402_300_799

T = TypeVar("T")


@attrs.frozen
class Command:
    """Hold the words of a command; `is_safe` says that asking twice is as good as asking once.

    Its reply counts once so many `replicas` have what it wrote.
    """

    words: tuple[bytes, ...]
    is_safe: bool = False
    replicas: int = 0


CommandFlow: TypeAlias = Generator[Command, Any, T]


@lru_cache(maxsize=256)
def _load_client(body: str) -> Client:
    # Nearly every request needs one of a few clients, and to read one takes longer than to find it. Records are frozen,
    # so that one may be handed out many times; and the text is the key, so that no change is ever missed.
    return load(Client, body)


def read(kind: type[R], text: bytes) -> R:
    """Return the record that a text is; raises `ValueError` for one that is none of that kind."""
    body = text.decode()
    return _load_client(body) if kind is Client else load(kind, body)  # type: ignore[return-value]  # R is Client


@attrs.frozen
class Operations:
    """Ask for the records of one installation; `linger` is for how many seconds an expired one is kept.

    `replicas` is how many of them have to have a commit.
    """

    names: KeyNames
    linger: int
    replicas: int = 0

    def find(self, kind: type[R], key: str) -> CommandFlow[R | None]:
        """Find a record: one command."""
        try:
            place = self.names.of(kind, key)
        except UnicodeEncodeError:
            return None
        text = yield Command((b"GET", place), is_safe=True)
        return None if text is None else read(kind, text)

    def find_of(self, kind: type[S], subject: str) -> CommandFlow[Sequence[S]]:
        """Find the records of a person: one script."""
        try:
            index = self.names.of_subject(kind, subject)
        except UnicodeEncodeError:
            return []
        texts = yield from run_script(FIND_OF, (index,), (self.names.of_kind(kind),), is_safe=True)
        # An index may know a key yet under which another person's record is by now.
        return [record for record in (read(kind, text) for text in texts) if record.subject == subject]

    def commit(self, changes: Sequence[Change]) -> CommandFlow[bool]:
        """Commit: one script, and one more only where a record is stored in an older spelling."""
        demands = merge_changes(changes)
        if not demands:
            return demands is not None
        keys, arguments = self.spelled(demands)
        for _ in range(SPELLINGS):
            answer = yield from run_script(COMMIT, keys, arguments, replicas=self.replicas)
            if isinstance(answer, int):
                return answer == 1
            for number, text in zip(answer[::2], answer[1::2], strict=True):
                expected = list(demands.values())[number - 1].before
                assert expected is not None
                if read(type(expected), text) != expected:
                    return False
                arguments[3 * number - 1] = text
        return False

    def purge(self, keys: Sequence[bytes], expired_before: int, limit: int) -> CommandFlow[int]:
        """Remove what has expired of some records, and rid indexes of what has gone: one script, safe to run twice."""
        arguments = (str(expired_before).encode(), str(limit).encode(), self.lingers)
        removed: int = yield from run_script(PURGE, keys, arguments)
        return removed

    def spelled(self, demands: Mapping[RecordKey, Demand]) -> tuple[list[bytes], list[bytes]]:
        """Spell demands as the script's keys and arguments; raises `ValueError` for what has no UTF-8."""
        keys = [self.names.of(*place) for place in demands]
        arguments = [self.lingers, str(len(demands)).encode()]
        for demand in demands.values():
            before, after = spelled(demand.before), spelled(demand.after)
            arguments += (before, b"=" if before == after else after, expiry_of(demand.after))
        for index, *entry in self._entries(demands):
            if index not in keys:
                keys.append(index)
            arguments += (str(keys.index(index) + 1).encode(), *entry)
        return keys, arguments

    def _entries(self, demands: Mapping[RecordKey, Demand]) -> Iterator[tuple[bytes, bytes, bytes]]:
        """Return the changes of indexes: which, the member, and when it expires, a dash for its removal."""
        for (kind, key), demand in demands.items():
            before, after = subject_of(demand.before), subject_of(demand.after)
            if before is not None and before != after:
                yield self.names.of_subject(kind, before), key.encode(), b"-"
            if after is not None and demand.after != demand.before:
                yield self.names.of_subject(kind, after), key.encode(), expiry_of(demand.after)

    @property
    def lingers(self) -> bytes:
        """Return how long an expired record stays, in milliseconds."""
        return str(self.linger * 1000).encode()


def run_script(
    script: Script, keys: Sequence[bytes], arguments: Iterable[bytes], *, is_safe: bool = False, replicas: int = 0
) -> CommandFlow[Any]:
    """Run a script by its digest, and by its text where the server has never seen it: it has then done nothing."""
    rest = (str(len(keys)).encode(), *keys, *arguments)
    try:
        return (yield Command((b"EVALSHA", script.digest, *rest), is_safe, replicas))
    except NoScriptError:
        return (yield Command((b"EVAL", script.text, *rest), is_safe, replicas))


def spelled(record: Record | None) -> bytes:
    """Return a record's text, blank for none; raises `ValueError` for characters without UTF-8 (lone surrogates)."""
    return b"" if record is None else dump(record).encode()


def expiry_of(record: Record | None) -> bytes:
    """Return when a record expires, in milliseconds since the epoch; blank for never."""
    expires_at = None if record is None else record.expires_at
    return b"" if expires_at is None or expires_at > FOREVER else str(int(expires_at) * 1000).encode()
