"""What Redis and Valkey do beside the contract of storage."""

from __future__ import annotations

import time

import attrs
import pytest
import redis

from oauthcore import Client, ConfigurationError
from oauthcore.flow.outcome import Delete, Insert, Replace, Require
from oauthcore.records.grant import Grant
from oauthcore_redis import RedisStorage
from tests.redis.engine import Engine
from tests.redis.things import LATER, Other, Thing, consent_of, grant_of
from tests.storages.old_consents import old_consent_is_read_replaced_and_withdrawn

pytestmark = pytest.mark.slow

A, B = Thing("a"), Thing("b")
A1 = Thing("a", 1)


def things(storage: RedisStorage) -> set[Thing]:
    return set(storage.every(Thing))


def test_records_outlive_the_storage(engine: Engine, storage: RedisStorage, prefix: str) -> None:
    client = Client(client_id="app", name="Ä\0 app", redirect_uris=("https://a.example/cb",), scope="a b")
    storage.commit((Insert(client),))

    with engine.client(decode_responses=True) as decoding:
        again = RedisStorage(decoding, prefix=prefix)
        found = again.find(Client, "app"), again.find(Client, "app")

    assert found == (client, client)


def test_installations_with_other_prefixes_see_nothing_of_each_other(client: redis.Redis) -> None:
    one, two = RedisStorage(client, prefix="one"), RedisStorage(client, prefix="two")

    assert one.commit((Insert(A), Insert(grant_of("alice", "1")))) is True
    assert two.find(Thing, "a") is None
    assert two.find_of(Grant, "alice") == []
    assert two.commit((Insert(A),)) is True
    assert two.purge(LATER + 1, 100) == 0
    assert things(two) == {A}


def test_a_text_that_has_no_spelling_is_refused_before_anything_is_done(storage: RedisStorage) -> None:
    with pytest.raises(ValueError, match="surrogate"):
        storage.commit((Insert(A), Insert(Thing("\ud800"))))

    assert things(storage) == set()
    assert storage.find(Thing, "\ud800") is None
    assert storage.find_of(Grant, "\ud800") == []


def test_the_index_follows_what_is_replaced_and_deleted(storage: RedisStorage, client: redis.Redis) -> None:
    one, two = grant_of("alice", "1"), grant_of("alice", "2")
    storage.commit((Insert(one), Insert(two)))
    moved = attrs.evolve(one, subject="bob")

    storage.commit((Replace(one, moved), Replace(two, attrs.evolve(two, client_id="d"))))

    assert storage.find_of(Grant, "alice") == [attrs.evolve(two, client_id="d")]
    assert storage.find_of(Grant, "bob") == [moved]
    storage.commit((Delete(moved), Delete(attrs.evolve(two, client_id="d"))))
    assert client.keys("*") == []


def test_who_had_a_key_before_does_not_find_what_is_under_it_now(
    storage: RedisStorage, client: redis.Redis, prefix: str
) -> None:
    """An index is rid of what has gone when it is next written; the key may be somebody else's by then."""
    storage.commit((Insert(grant_of("alice", "1")), Insert(grant_of("alice", "2"))))
    client.delete(f"{{{prefix}}}:Grant:1")  # as its lifetime does
    storage.commit((Insert(grant_of("bob", "1")),))

    assert storage.find_of(Grant, "alice") == [grant_of("alice", "2")]
    assert storage.find_of(Grant, "bob") == [grant_of("bob", "1")]


def test_every_record_of_a_kind_comes_out_once_in_order(storage: RedisStorage) -> None:
    keys = [f"{number:04}" for number in range(2_500)]
    for start in range(0, 2_500, 500):
        storage.commit([Insert(Thing(key)) for key in keys[start : start + 500]])
    storage.commit((Insert(Other("x")),))

    assert [thing.key for thing in storage.every(Thing)] == keys


def test_a_record_written_before_a_field_was_added_is_still_the_same(
    storage: RedisStorage, client: redis.Redis, prefix: str
) -> None:
    storage.commit((Insert(A), Insert(B)))
    client.set(f"{{{prefix}}}:Thing:a", '{"key": "a"}')
    client.set(f"{{{prefix}}}:Thing:b", '{"key": "b", "value": 0}')

    assert storage.find(Thing, "a") == A
    assert storage.commit((Require(A1), Require(B))) is False
    assert storage.commit((Require(A), Replace(A, A1), Replace(B, Thing("b", 1)))) is True
    assert things(storage) == {A1, Thing("b", 1)}


def test_a_record_that_can_not_be_read_is_an_error_and_changes_nothing(
    storage: RedisStorage, client: redis.Redis, prefix: str
) -> None:
    storage.commit((Insert(A),))
    client.set(f"{{{prefix}}}:Thing:a", "[]")

    with pytest.raises(ValueError, match="not a Thing"):
        storage.commit((Insert(B), Replace(A, A1)))
    with pytest.raises(ValueError, match="not a Thing"):
        storage.find(Thing, "a")
    assert storage.find(Thing, "b") is None


@pytest.mark.parametrize("prefix", ["", "a{b", "a}b", "a*", "ä", "x" * 101])
def test_a_prefix_that_could_be_mistaken_is_refused(client: redis.Redis, prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="use letters, digits"):
        RedisStorage(client, prefix=prefix)


@pytest.mark.parametrize("linger", [0, -1, 86_401])
def test_a_linger_that_makes_no_sense_is_refused(client: redis.Redis, linger: int) -> None:
    with pytest.raises(ConfigurationError, match="seconds"):
        RedisStorage(client, linger=linger)


def test_a_commit_of_consents_that_never_expire_keeps_their_index_for_ever(
    storage: RedisStorage, client: redis.Redis, prefix: str
) -> None:
    index = f"{{{prefix}}}:Consent.subject:alice"
    for_ever, for_now = consent_of("alice", "1", None), consent_of("alice", "2", int(time.time()) + 60)

    storage.commit((Insert(for_ever), Insert(for_now)))
    assert client.ttl(index) == -1

    storage.commit((Delete(for_ever),))
    assert 0 < client.ttl(index) <= 60 + 300


def test_a_consent_of_an_earlier_version_is_read_replaced_and_withdrawn(
    storage: RedisStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_consent_is_read_replaced_and_withdrawn(storage, monkeypatch)
