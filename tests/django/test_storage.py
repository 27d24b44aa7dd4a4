"""The storage on Django's database: all or nothing, one winner of every race, and purging in bounds."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import StringIO
from itertools import count
from threading import Barrier
from typing import Any

import attrs
import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, connections, models, transaction

from oauthcore import Client, ConfigurationError, World, run
from oauthcore.digest import Digest
from oauthcore.flow.outcome import Change, Delete, Insert, Replace, Require
from oauthcore.records.grant import Consent
from oauthcore.scope import Scope
from oauthcore.testing import Factory, clauses
from oauthcore_django.models import Record
from oauthcore_django.storage import DjangoStorage
from tests.core import test_extension_records
from tests.core.site import CLIENTS, make_site
from tests.processes import PATIENCE
from tests.storages.behaviour import suites
from tests.storages.old_consents import old_consent_is_read_replaced_and_withdrawn

# With the method that a text means which names none, as the older ones below do.
ONE = Client(client_id="one", name="ö", token_endpoint_auth_method="client_secret_basic")
TWO = Client(client_id="two", expires_at=10)
OTHER = attrs.evolve(ONE, enabled=False)


globals().update(suites([test_extension_records]))


@pytest.fixture
def emptied() -> Factory:
    """Return what opens an empty storage, in a partition of its own."""
    numbers = count()
    return lambda: DjangoStorage(partition=f"schedule-{next(numbers)}")


def consent(key: str, subject: str) -> Consent:
    known = {"client_id": "one", "scope": Scope(("a", "b")), "granted_at": 1, "expires_at": 5}
    return Consent(key=Digest(key), subject=subject, **known)  # type: ignore[arg-type]  # given by name


@pytest.fixture
def storage() -> DjangoStorage:
    storage = DjangoStorage()
    assert storage.commit([Insert(ONE)])
    return storage


def test_record_comes_back_as_it_was(storage: DjangoStorage) -> None:
    assert storage.find(Client, "one") == ONE
    assert storage.find(Client, "two") is None
    assert storage.find(Consent, "one") is None


def test_a_record_that_an_older_version_wrote_is_still_the_same(storage: DjangoStorage) -> None:
    for older in ('{"client_id": "one", "name": "ö"}', '{"client_id":"one","name":"ö","organization_name":null}'):
        Record.objects.filter(key="one").update(body=older)
        assert storage.find(Client, "one") == ONE
        assert storage.commit([Require(ONE), Insert(TWO)]) is True
        assert storage.commit([Replace(OTHER, ONE)]) is False
        assert storage.commit([Replace(ONE, OTHER)]) is True
        assert storage.find(Client, "one") == OTHER
        assert storage.commit([Replace(OTHER, ONE), Delete(TWO)]) is True

    Record.objects.filter(key="one").update(body='{"client_id": "one", "name": "ö"}')
    assert storage.commit([Delete(ONE)]) is True


def test_records_of_a_person_are_found(storage: DjangoStorage) -> None:
    mine = [consent("a", "alice"), consent("b", "alice")]
    assert storage.commit([Insert(record) for record in (*mine, consent("c", "bob"))])

    assert sorted(storage.find_of(Consent, "alice"), key=lambda record: record.key) == mine


CARELESS: dict[str, models.Field[Any, Any]] = {
    "keys_are_exact": models.CharField("key", max_length=255, db_collation="NOCASE"),
    "subjects_are_exact": models.CharField("subject", max_length=255, null=True, db_collation="NOCASE"),
    "record_is_another_where_it_differs_by_little": models.TextField("body", db_collation="NOCASE"),
}


@contextmanager
def comparing(careless: models.Field[Any, Any]) -> Iterator[None]:
    """Compare a column without regard to case, as MySQL does if nobody tells it otherwise."""
    strict = Record._meta.get_field(str(careless.verbose_name))
    assert isinstance(strict, models.Field)
    careless.set_attributes_from_name(strict.name)
    careless.model = Record
    with connection.schema_editor() as editor:
        editor.alter_field(Record, strict, careless)
    yield
    with connection.schema_editor() as editor:
        editor.alter_field(Record, careless, strict)


@pytest.mark.parametrize("name", CARELESS)
def test_what_differs_by_case_is_told_apart_by_a_database_that_does_not(name: str) -> None:
    (clause,) = (clause for clause in clauses if clause.name == name)

    with comparing(CARELESS[name]):
        clause.check(DjangoStorage)


def test_a_person_is_found_under_his_own_name(storage: DjangoStorage) -> None:
    mine, theirs = consent("a", "alice"), consent("b", "Alice\0" + "x" * 300)
    assert storage.commit([Insert(mine), Insert(theirs)])

    assert storage.find_of(Consent, "alice") == [mine]
    assert storage.find_of(Consent, theirs.subject) == [theirs]
    assert Record.objects.filter(subject="alice").count() == 1


@pytest.mark.parametrize(
    "failing", [Insert(ONE), Replace(OTHER, ONE), Delete(OTHER), Require(OTHER), Require(TWO), Delete(TWO)]
)
def test_failing_precondition_leaves_everything_as_it_was(storage: DjangoStorage, failing: Change) -> None:
    more = Client(client_id="zzz")

    assert not storage.commit([failing, Insert(more), Insert(Client(client_id="aaa"))])

    assert Record.objects.count() == 1
    assert storage.find(Client, "one") == ONE


def test_every_change_is_made(storage: DjangoStorage) -> None:
    assert storage.commit([Require(ONE), Insert(TWO)])
    assert storage.commit([Replace(ONE, OTHER), Delete(TWO)])

    assert storage.find(Client, "one") == OTHER
    assert storage.find(Client, "two") is None


@pytest.mark.parametrize(("failures", "expected"), [(1, True), (4, True), (5, None)])
def test_commit_that_the_database_has_undone_is_made_again(
    storage: DjangoStorage, monkeypatch: pytest.MonkeyPatch, failures: int, expected: bool | None
) -> None:
    apply, tries = storage._apply, 0

    def deadlock(change: Change) -> None:
        nonlocal tries
        tries += 1
        apply(change)
        if tries <= failures:
            raise OperationalError(1213, "Deadlock found when trying to get lock")

    monkeypatch.setattr(storage, "_apply", deadlock)

    if expected is None:
        with pytest.raises(OperationalError):
            storage.commit([Insert(TWO)])
        assert storage.find(Client, "two") is None
    else:
        assert storage.commit([Insert(TWO)]) is expected
        assert storage.find(Client, "two") == TWO


def test_commit_within_a_transaction_of_the_applications_is_made_once(
    storage: DjangoStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(change: Change) -> None:
        tried.append(change)
        raise OperationalError(1213, "Deadlock found when trying to get lock")

    tried: list[Change] = []
    monkeypatch.setattr(storage, "_apply", fail)

    with pytest.raises(OperationalError), transaction.atomic():
        storage.commit([Insert(TWO)])
    assert tried == [Insert(TWO)]


def test_commit_within_a_transaction_of_the_applications_goes_with_it(storage: DjangoStorage) -> None:
    def request() -> None:
        with transaction.atomic():
            assert storage.commit([Insert(TWO)])
            assert not storage.commit([Insert(TWO)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        request()

    assert storage.find(Client, "two") is None


def test_one_of_many_threads_wins(storage: DjangoStorage) -> None:
    barrier = Barrier(8)

    def race(number: int) -> bool:
        barrier.wait(PATIENCE)
        try:
            renamed = attrs.evolve(ONE, name=str(number))
            return storage.commit([Replace(ONE, renamed), Insert(Client(client_id=str(number)))])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(race, range(8)))

    assert won.count(True) == 1
    assert Record.objects.count() == 2
    assert storage.find(Client, str(won.index(True))) is not None


def test_purging_is_bounded(storage: DjangoStorage) -> None:
    assert storage.commit([Insert(consent(str(number), "alice")) for number in range(5)])

    assert [storage.purge(6, 3), storage.purge(6, 3), storage.purge(6, 3)] == [3, 2, 0]
    assert storage.find(Client, "one") == ONE


def test_migrations_are_those_of_the_models() -> None:
    call_command("makemigrations", "--check", "--dry-run", stdout=StringIO())


def test_whole_flow_is_kept_by_it() -> None:
    site = make_site(run)
    storage = DjangoStorage()
    for client in CLIENTS:
        registered = site.world.storage.find(Client, client.client_id)
        assert isinstance(registered, Client)
        assert storage.commit([Insert(registered)])
    site = attrs.evolve(site, world=World(storage))

    tokens = site.tokens()

    assert site.refresh(tokens["refresh_token"]).status == 200


def test_a_table_that_was_forgotten_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Record._meta, "db_table", "nowhere")

    with pytest.raises(ConfigurationError, match=r"DATABASES = 'default': its tables are not there: run manage\.py"):
        DjangoStorage().find(Client, "app")


def test_a_consent_of_an_earlier_version_is_read_replaced_and_withdrawn(
    storage: DjangoStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_consent_is_read_replaced_and_withdrawn(storage, monkeypatch)
