"""Expiry: records go by themselves, never before they may, and a purge finds what is left."""

from __future__ import annotations

import attrs
import pytest
import redis

from oauthcore.flow.outcome import Insert, Replace
from oauthcore.records.grant import Consent, Grant
from oauthcore_redis import RedisStorage
from tests.redis.things import Other, Thing, consent_of, grant_of
from tests.redis.waiting import until

pytestmark = pytest.mark.slow


def stays(client: redis.Redis, prefix: str, key: str) -> int:
    """Return for how many seconds a key will be there."""
    return round(client.pttl(f"{{{prefix}}}:{key}") / 1000)


def test_a_record_stays_until_it_has_expired_and_a_little_longer(
    storage: RedisStorage, client: redis.Redis, prefix: str
) -> None:
    now = int(client.time()[0])

    storage.commit((Insert(Thing("a", expires_at=now + 1_000)), Insert(Thing("b"))))

    assert stays(client, prefix, "Thing:a") in range(1_298, 1_302)
    assert client.ttl(f"{{{prefix}}}:Thing:b") == -1


@pytest.mark.parametrize("expires_at", [-(2**40), -1, 0, 1, 1_700_000_000])
def test_a_record_that_has_expired_when_it_comes_is_found_for_a_while(
    storage: RedisStorage, client: redis.Redis, prefix: str, expires_at: int
) -> None:
    thing = Thing("a", expires_at=expires_at)

    assert storage.commit((Insert(thing), Insert(grant_of("alice", "g", expires_at)))) is True

    assert storage.find(Thing, "a") == thing
    assert storage.find_of(Grant, "alice") == [grant_of("alice", "g", expires_at)]
    assert stays(client, prefix, "Thing:a") in {299, 300}
    assert storage.commit((Replace(thing, attrs.evolve(thing, value=1)),)) is True


@pytest.mark.parametrize("expires_at", [253_402_300_800, 2**53, 2**63, 10**30])
def test_a_time_past_the_calendar_is_never(
    storage: RedisStorage, client: redis.Redis, prefix: str, expires_at: int
) -> None:
    thing = Thing("a", expires_at=expires_at)

    assert storage.commit((Insert(thing), Insert(grant_of("alice", "g", expires_at)))) is True

    assert storage.find(Thing, "a") == thing
    assert client.ttl(f"{{{prefix}}}:Thing:a") == client.ttl(f"{{{prefix}}}:Grant.subject:alice") == -1


def test_a_replacement_that_expires_later_or_never_stays_longer(
    storage: RedisStorage, client: redis.Redis, prefix: str
) -> None:
    now = int(client.time()[0])
    short, longer, for_ever = (Thing("a", expires_at=expires_at) for expires_at in (now + 10, now + 1_000, None))

    storage.commit((Insert(short),))
    storage.commit((Replace(short, longer),))
    assert stays(client, prefix, "Thing:a") in range(1_298, 1_302)

    storage.commit((Replace(longer, for_ever),))
    assert client.ttl(f"{{{prefix}}}:Thing:a") == -1


def test_what_has_gone_by_itself_leaves_nothing(client: redis.Redis, prefix: str) -> None:
    storage = RedisStorage(client, prefix=prefix, linger=1)
    expired = [Insert(Thing(str(number), expires_at=1)) for number in range(10)]
    storage.commit((*expired, Insert(grant_of("alice", "g", 1))))
    assert client.dbsize() == 12

    until(lambda: client.dbsize() == 0)

    assert storage.find(Thing, "1") is None
    assert storage.find_of(Grant, "alice") == []
    assert storage.commit((Insert(Thing("1")),)) is True


def test_an_index_forgets_who_has_gone_when_it_is_touched_and_when_it_is_swept(
    client: redis.Redis, prefix: str
) -> None:
    storage = RedisStorage(client, prefix=prefix, linger=1)
    index = f"{{{prefix}}}:Consent.subject:alice"
    storage.commit([Insert(consent_of("alice", f"old {number}", 1)) for number in range(5)])
    storage.commit((Insert(consent_of("alice", "kept", None)),))
    until(lambda: client.dbsize() == 2)
    assert client.zcard(index) == 6

    storage.purge(1, 10)
    assert client.zcard(index) == 1
    assert storage.find_of(Consent, "alice") == [consent_of("alice", "kept", None)]

    storage.commit((Insert(consent_of("alice", "old", 1)),))
    until(lambda: client.dbsize() == 2)
    storage.commit((Insert(consent_of("alice", "new", None)),))
    assert client.zcard(index) == 2


def test_purging_removes_what_has_expired_and_is_still_there_in_batches(storage: RedisStorage) -> None:
    expired = [Insert(Thing(str(second), expires_at=second)) for second in range(5)]
    storage.commit((*expired, Insert(Thing("now", expires_at=5)), Insert(Thing("never"))))

    assert [storage.purge(5, 3), storage.purge(5, 3), storage.purge(5, 3)] == [3, 2, 0]

    assert {thing.key for thing in storage.every(Thing)} == {"now", "never"}


def test_purging_goes_by_the_hosts_clock_where_it_is_ahead(storage: RedisStorage, client: redis.Redis) -> None:
    now = int(client.time()[0])
    later = [Insert(Thing(str(second), expires_at=now + second)) for second in range(100, 105)]
    storage.commit((*later, Insert(grant_of("alice", "g", now + 101))))

    assert storage.purge(now + 102, 100) == 3

    assert [thing.key for thing in storage.every(Thing)] == ["102", "103", "104"]
    assert storage.find_of(Grant, "alice") == []


def test_a_purge_looks_at_so_many_keys_and_the_next_one_goes_on_from_there(
    storage: RedisStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oauthcore_redis.sweeping.PAGE", 20)
    monkeypatch.setattr("oauthcore_redis.sweeping.LOOKED_AT", 40)
    storage.commit([Insert(Thing(str(number), expires_at=1)) for number in range(200)])

    removed = [storage.purge(2, 1_000) for _ in range(12)]

    assert all(number < 100 for number in removed)
    assert sum(removed) == 200


def test_a_sweep_looks_at_every_key_once_though_most_of_them_have_not_expired(
    storage: RedisStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oauthcore_redis.sweeping.PAGE", 20)
    monkeypatch.setattr("oauthcore_redis.sweeping.LOOKED_AT", 40)
    storage.commit([Insert(Thing(f"{number}")) for number in range(300)])
    assert storage.purge(2, 10) == 0  # which leaves off somewhere in between
    storage.commit([Insert(Thing(f"expired {number}", expires_at=1)) for number in range(30)])

    batches = list(storage.sweep(2, 4))

    assert sum(batches) == 30
    assert max(batches) == 4
    assert len([batch for batch in batches if batch < 4]) < 25, "it walked more than twice"


def test_what_is_no_record_of_ours_is_left_alone(storage: RedisStorage, client: redis.Redis, prefix: str) -> None:
    client.set(f"{{{prefix}}}:Thing:text", "no record", px=1_000_000)
    client.set(f"{{{prefix}}}:Thing:list", "[]", px=1_000_000)
    client.lpush(f"{{{prefix}}}:list", "x")
    client.set("theirs", '{"expires_at":1}', px=1_000_000)
    client.pexpire(f"{{{prefix}}}:Thing:text", 100_000)
    storage.commit((Insert(Other("a", expires_at=1)),))

    assert storage.purge(10, 10) == 1

    assert client.dbsize() == 4
