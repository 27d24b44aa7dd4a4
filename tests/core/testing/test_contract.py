"""The contract of storage: a sound storage keeps every clause, and each clause catches one that does not."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from threading import Event, current_thread, main_thread

import attrs
import pytest

from oauthcore import MemoryStorage
from oauthcore.digest import Digest, Digester, Kind, Secret
from oauthcore.testing import (
    Clause,
    ClauseBroken,
    ContractBroken,
    NotOffered,
    StorageUnderTest,
    Terms,
    check_storage,
    clauses,
    concurrency,
    contract,
)
from oauthcore.testing.storage_probe import Factory
from tests.core.testing import storages, subtle
from tests.core.testing.storages import Severable, Sound, SoundOnThreads, severable
from tests.storages.kinds import SOME_KINDS

# Memory keeps the contract with all kinds (tests/core/storage/); here it is about the clauses.
FEW = Terms(kinds=SOME_KINDS, contenders=4, rounds=3, examples=5)
BY_NAME = {clause.name: clause for clause in clauses}

# It is given again and again, with all that was left in it.
LEFT_OVER = Sound()

# Which storages each clause is there to catch.
CAUGHT: dict[str, tuple[Factory, ...]] = {
    "fresh_storage_is_empty": (storages.NotFresh, lambda: LEFT_OVER),
    "insert_adds_record_or_fails_where_key_is_taken": (storages.InsertsOver,),
    "replace_changes_record_or_fails_where_it_is_another": (storages.ReplacesByKey,),
    "require_changes_nothing_or_fails_where_record_is_another": (storages.RequiresAny,),
    "delete_removes_record_or_fails_where_it_is_another": (storages.DeletesLeniently,),
    "record_is_another_where_it_differs_by_little": (subtle.ComparesWithoutCase, subtle.ComparesTheBeginning),
    "commit_of_nothing_succeeds": (storages.NothingFails,),
    "failed_commit_does_nothing": (storages.CommitsInParts,),
    "many_changes_go_together": (storages.CommitsInBatches, storages.SaysOne),
    "changes_see_those_before_them": (storages.JudgesBefore,),
    "keys_belong_to_their_kind": (storages.OneKeyForAllKinds,),
    "keys_are_exact": (storages.FoldsKeys,),
    "whatever_is_asked_for_is_missing_rather_than_an_error": (storages.ChokesOnLongKeys, subtle.ChokesOnNul),
    "find_of_gives_all_of_a_subject": (storages.PagesOfFifty,),
    "find_of_follows_every_change": (storages.IndexesInserts,),
    "subjects_are_exact": (storages.FoldsSubjects,),
    "every_record_comes_back_as_it_was": (storages.SortsScopes,),
    "records_are_compared_whole": (storages.ComparesColumns, storages.ComparesWhatIsShown),
    "every_text_comes_back_as_it_was": (storages.ChangesNames,),
    "large_records_come_back_as_they_were": (storages.CutsLists,),
    "records_stay_until_they_expire": (storages.SecondsOf32Bits,),
    "expired_record_is_whole_or_gone": (storages.RefusesExpired, subtle.HidesExpired),
    "purge_takes_what_has_expired_and_nothing_else": (storages.PurgesTheEdge, storages.PurgesWhatNeverExpires),
    "purge_keeps_to_its_limit": (storages.PurgesWithoutLimit, subtle.TakesMinusOneForAll),
    "purge_follows_every_change": (storages.PurgesByFirstExpiry,),
    "purge_leaves_nothing_to_be_found_by_subject": (storages.LeavesIndex, subtle.IndexesByKey),
    "prolonging_and_purging_agree": (storages.PurgesWhatItSaw, storages.CountsWhatItSaw),
    "deleted_by_one_of_many": (storages.LooksThenLeaps, storages.RaisesWhenLate, storages.LooksThenLeapsOnThreads),
    "replaced_by_one_of_many": (storages.LooksThenLeaps, storages.LooksThenLeapsOnThreads),
    "inserted_by_one_of_many": (storages.LooksThenLeaps, storages.LooksThenLeapsOnThreads),
    "opposite_orders_meet_without_deadlock": (storages.LocksAsTheyCome,),
    "requirements_cross_only_once": (storages.SkewsWrites,),
    "those_who_only_require_never_lose": (storages.LosesWhenBusy,),
    "no_update_is_lost": (storages.LooksThenLeaps, storages.LooksThenLeapsOnThreads),
    "commits_are_seen_whole": (storages.WritesOneByOne,),
    "find_of_sees_commits_whole": (storages.WritesOneByOne, storages.ShowsWhatFails, storages.LooksAtWhatChanges),
    "handles_see_each_other": (storages.cached, subtle.with_lists),
    "cancelled_commit_is_whole_and_in_nobodys_way": (subtle.IsLeftHalfDone, subtle.KeepsItsLock),
    "storage_recovers_between_calls": (severable(storages.NeverRecovers),),
    "commits_are_whole_though_connections_die_inside": (severable(storages.BreaksInTheMiddle),),
    "one_wins_though_connections_die_inside": (severable(storages.ForgetsConditions),),
}


def two_handles() -> StorageUnderTest:
    storage = Severable()
    return StorageUnderTest(storage, storage, list, storage.sever)


async def awaited() -> Sound:
    return Sound()


@contextmanager
def within() -> Iterator[SoundOnThreads]:
    yield SoundOnThreads()


@asynccontextmanager
async def within_async() -> AsyncIterator[Sound]:
    yield Sound()


@pytest.mark.parametrize("factory", [Sound, SoundOnThreads, two_handles])
@pytest.mark.parametrize("clause", clauses, ids=str)
def test_sound_storage_keeps(clause: Clause, factory: Factory) -> None:
    clause.check(factory, FEW)


@pytest.mark.parametrize(("name", "factory"), [(name, broken) for name, all_of in CAUGHT.items() for broken in all_of])
def test_broken_storage_is_caught_by(name: str, factory: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "PATIENCE", 0.5)

    with pytest.raises(ClauseBroken) as caught:
        BY_NAME[name].check(factory, attrs.evolve(FEW, kinds=Terms().kinds))

    assert caught.value.clause.name == name
    assert caught.value.story or name == "fresh_storage_is_empty"


def test_server_that_keeps_secrets_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def plain(self: Digester, kind: Kind, secret: Secret) -> Digest:
        return Digest(secret.reveal())

    monkeypatch.setattr(Digester, "__call__", plain)

    with pytest.raises(ClauseBroken, match="could be presented to the server"):
        BY_NAME["nothing_but_digests_is_kept"].check(MemoryStorage)


def test_what_the_engine_holds_is_searched_for_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    reveal = Secret.reveal

    def heard(self: Secret) -> str:
        told.append(reveal(self))
        return told[-1]

    monkeypatch.setattr(Secret, "reveal", heard)

    with pytest.raises(ClauseBroken, match="could be presented to the server"):
        BY_NAME["nothing_but_digests_is_kept"].check(
            lambda: StorageUnderTest(MemoryStorage(), contents=lambda: [" ".join(told).encode()])
        )


def test_every_clause_is_shown_to_catch_something() -> None:
    assert {*CAUGHT, "nothing_but_digests_is_kept"} == set(BY_NAME)


@pytest.mark.parametrize("factory", [awaited, within, within_async])
def test_storage_may_be_awaited_or_come_from_a_context_manager(factory: Factory) -> None:
    BY_NAME["deleted_by_one_of_many"].check(factory, FEW)


@pytest.mark.full
@pytest.mark.slow
def test_all_at_once_tells_what_holds_and_what_could_not_be_told() -> None:
    checked = check_storage(Sound, FEW)

    assert len(checked.held) + len(checked.skipped) == len(clauses)
    assert set(checked.skipped) == {
        "handles_see_each_other",
        "storage_recovers_between_calls",
        "commits_are_whole_though_connections_die_inside",
        "one_wins_though_connections_die_inside",
    }


@pytest.mark.full
@pytest.mark.slow
def test_all_at_once_tells_every_clause_that_is_broken() -> None:
    with pytest.raises(ContractBroken, match="find_of gave") as caught:
        check_storage(storages.PagesOfFifty, FEW)

    assert [broken.clause.name for broken in caught.value.broken] == ["find_of_gives_all_of_a_subject"]
    assert str(caught.value).startswith(f"1 of {len(clauses)} clause is broken:\n  find_of_gives_all_of_a_subject\n\n")


@pytest.mark.full
@pytest.mark.slow
def test_all_at_once_names_the_clauses_before_their_stories_and_shortens_these() -> None:
    with pytest.raises(ContractBroken) as caught:
        check_storage(storages.SortsScopes, FEW)

    broken = caught.value.broken
    assert len(broken) > 1
    head, first, *_ = str(caught.value).split("\n\n")
    assert head.splitlines()[1:] == [f"  {each.clause}" for each in broken]
    assert first.startswith(f"{broken[0].clause} is broken.")
    assert len(str(caught.value).splitlines()) < 30 * len(broken)


def test_every_failure_of_the_contract_says_what_is_wrong() -> None:
    rooms = Path(contract.__file__).parent.glob("*.py")
    nodes = [node for room in rooms for node in ast.walk(ast.parse(room.read_text(encoding="utf-8")))]
    raised = [node.exc for node in nodes if isinstance(node, ast.Raise)]
    told = [each for each in raised if isinstance(each, ast.Call) and ast.unparse(each.func) == "AssertionError"]

    assert len(told) > 60
    assert all(each.args for each in told)
    assert not any(isinstance(node, ast.Assert) for node in nodes)


def test_message_says_which_clause_and_what_was_asked_in_which_order() -> None:
    with pytest.raises(ClauseBroken) as caught:
        BY_NAME["deleted_by_one_of_many"].check(storages.LooksThenLeaps, FEW)

    message = str(caught.value)
    assert "-> …\n" in message  # they were all at it before the first was answered
    assert message.startswith("deleted_by_one_of_many is broken.\n  Promised: Of many concurrent commits")
    assert "\n  But: round 0: 4 succeeded, and should have been one\n" in message
    assert "contender 3: commit Delete(Client round 0 #" in message
    assert "Insert(Client round 0 trophy 3 #" in message


def test_clause_without_its_hook_is_left_out() -> None:
    with pytest.raises(NotOffered, match="no way to cut"):
        BY_NAME["storage_recovers_between_calls"].check(MemoryStorage)


@pytest.mark.slow
def test_deadlock_on_threads_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    released = Event()

    class Stuck(SoundOnThreads):
        def pause(self) -> None:  # type: ignore[explicit-override]  # none in 3.11
            if current_thread() is not main_thread():
                released.wait(30)

    monkeypatch.setattr(concurrency, "PATIENCE", 0.3)

    with pytest.raises(ClauseBroken, match="did not come back"):
        BY_NAME["those_who_only_require_never_lose"].check(Stuck, FEW)

    released.set()
