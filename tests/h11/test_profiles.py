"""Profiles: what the reference server knows of people, and how an operator says it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import anyio
import attrs
import pytest
from typing_extensions import override

from oauthcore import ConfigurationError, KnownUser
from oauthcore.flow.effects import Claims
from oauthcore.flow.outcome import Change, Delete, Insert, Replace
from oauthcore.storage.codec import dump, load
from oauthcore_h11.cli import main
from oauthcore_h11.email_addresses import EmailAddress
from oauthcore_h11.profiles import MAX_CLAIMS, Profile, known_of, parse_claims, profile_of
from oauthcore_h11.users import User, change_profile, change_user, remove_user
from oauthcore_sqlite import AsyncSqliteStorage, SqliteStorage
from tests.h11.test_cli import Shell, shell

__all__ = ["shell"]


def profile(folder: Path, subject: str) -> Profile | None:
    """Return what is stored of somebody."""
    storage = SqliteStorage(folder / "oauthcore.db")
    try:
        return storage.find(Profile, subject)
    finally:
        storage.close()


def test_what_is_said_of_a_user_is_known_under_his_subject(shell: Shell, tmp_path: Path) -> None:
    words = ("--claim", "name=Alice Liddell", "--claim", "email=a@b.example", "--claim", "email_verified=true")
    shell.ask("user", "add", "alice", "--subject", "s1", *words, typed="wonderland\n")

    known = profile(tmp_path, "s1")

    assert known is not None
    assert known.members == {
        "preferred_username": "alice",
        "name": "Alice Liddell",
        "email": "a@b.example",
        "email_verified": True,
    }
    assert "Liddell" not in repr(known)


def test_claims_are_changed_one_by_one_and_taken_away_by_a_blank_value(shell: Shell, tmp_path: Path) -> None:
    shell.ask("user", "add", "alice", "--subject", "s1", "--claim", "name=Alice", typed="wonderland\n")

    said = shell.ask("user", "set-claims", "alice", "nickname=Al", "name=")

    assert said["claims"] == {"preferred_username": "alice", "nickname": "Al"}


def test_who_is_removed_is_known_no_longer(shell: Shell, tmp_path: Path) -> None:
    shell.ask("user", "add", "alice", "--subject", "s1", typed="wonderland\n")
    shell.run("user", "remove", "alice")

    assert profile(tmp_path, "s1") is None


def test_claims_of_nobody_can_not_be_set(shell: Shell) -> None:
    assert "there is no such user" in shell.run("user", "set-claims", "bob", "name=Bob", status=2)


def test_groups_are_set_whole_and_taken_away(shell: Shell, tmp_path: Path) -> None:
    shell.ask("user", "add", "alice", "--subject", "s1", "--group", "staff", "--group", "dev", typed="wonderland\n")
    added = profile(tmp_path, "s1")

    said = shell.ask("user", "set-groups", "alice", "board")
    assert shell.ask("user", "set-groups", "alice")["groups"] == []
    taken = profile(tmp_path, "s1")

    assert added is not None and added.members["groups"] == ["staff", "dev"]
    assert said == {"username": "alice", "groups": ["board"]}
    assert taken is not None and "groups" not in taken.members
    assert "there is no such user" in shell.run("user", "set-groups", "bob", "staff", status=2)


@pytest.mark.parametrize("group", ["", " staff", "a|b", "a\nb"])
def test_a_group_that_no_client_could_require_is_refused(shell: Shell, group: str) -> None:
    shell.ask("user", "add", "alice", "--generate")

    assert "groups" in shell.run("user", "set-groups", "alice", group, status=2)


def test_what_a_client_requires_is_set_by_a_command(shell: Shell) -> None:
    redirect = ("--redirect-uri", "https://app.example/cb")
    shell.ask("client", "add", "app", *redirect, "--require", "group:staff", "--require", "group:a|group:b")

    assert shell.ask("client", "show", "app")["require"] == ["group:staff", "group:a|group:b"]
    shell.ask("client", "update", "app", "--require", "")
    assert shell.ask("client", "show", "app")["require"] == []
    assert "require" in shell.run("client", "update", "app", "--require", "staff", status=2)


@pytest.mark.parametrize("claim", ["name", "=x", "email_verified=yes", "sub=mallory", "address={"])
def test_a_claim_that_can_not_be_is_named(shell: Shell, claim: str) -> None:
    complaint = shell.run("user", "add", "alice", "--claim", claim, typed="wonderland\n", status=2)

    assert "claim" in complaint
    assert complaint.count("\n") == 1


def test_only_the_few_claims_that_are_no_texts_are_read_as_such() -> None:
    read = parse_claims(["zip=01234", "updated_at=12", "phone_number=+44", 'address={"locality": "Oxford"}', "x="])

    assert read == {
        "zip": "01234",
        "updated_at": 12,
        "phone_number": "+44",
        "address": {"locality": "Oxford"},
        "x": None,
    }


def test_no_user_has_a_subject_that_a_clients_could_be_taken_for() -> None:
    with pytest.raises(ConfigurationError, match="subject = 'app@clients'"):
        profile_of("app@clients", {})


def test_a_profile_has_an_end() -> None:
    with pytest.raises(ConfigurationError, match="claims"):
        profile_of("s1", {"name": "x" * MAX_CLAIMS})


ALICE = User(key="alice", username="alice", subject="s1", password_hash="", created_at=1)


def test_somebody_without_a_profile_is_no_user_here(tmp_path: Path) -> None:
    storage = AsyncSqliteStorage(inner := SqliteStorage(tmp_path / "x.db"))
    inner.commit((Insert(ALICE),))

    async def ask() -> list[KnownUser | None]:
        before = await known_of(storage, Claims("s1", "rp", ("name",)))
        await change_profile(storage, "alice", {"name": "Alice"})
        return [before, await known_of(storage, Claims("s1", "rp", ("name",)))]

    try:
        nobody, alice = anyio.run(ask)
        assert nobody is None
        assert alice is not None and alice.claims == {"name": "Alice"}
    finally:
        inner.close()


def test_a_disabled_user_is_unknown_until_they_are_enabled_again(tmp_path: Path) -> None:
    storage = AsyncSqliteStorage(inner := SqliteStorage(tmp_path / "x.db"))
    inner.commit((Insert(ALICE), Insert(profile_of("s1", {"name": "Alice"}))))

    async def ask() -> list[KnownUser | None]:
        known = []
        for enabled in (False, True):
            await change_user(storage, "alice", enabled=enabled)
            known.append(await known_of(storage, Claims("s1", "rp", ("name",))))
        return known

    try:
        nobody, alice = anyio.run(ask)
        assert nobody is None
        assert alice is not None and alice.claims == {"name": "Alice"}
    finally:
        inner.close()


def test_claims_that_are_set_of_a_disabled_user_do_not_enable_them(tmp_path: Path) -> None:
    storage = AsyncSqliteStorage(inner := SqliteStorage(tmp_path / "x.db"))
    inner.commit((Insert(ALICE), Insert(profile_of("s1", {"name": "Alice"}))))

    async def ask() -> KnownUser | None:
        await change_user(storage, "alice", enabled=False)
        await change_profile(storage, "alice", {"nickname": "Al"})
        return await known_of(storage, Claims("s1", "rp", ("name",)))

    try:
        assert anyio.run(ask) is None
    finally:
        inner.close()


def test_claims_that_are_set_while_their_user_is_disabled_do_not_enable_them(tmp_path: Path) -> None:
    known = profile_of("s1", {"name": "Alice"})
    off = attrs.evolve(ALICE, enabled=False), attrs.evolve(known, enabled=False)
    storage = Meanwhile(inner := SqliteStorage(tmp_path / "x.db"), Replace(ALICE, off[0]), Replace(known, off[1]))
    inner.commit((Insert(ALICE), Insert(known)))

    async def ask() -> KnownUser | None:
        await change_profile(storage, "alice", {"nickname": "Al"})
        return await known_of(storage, Claims("s1", "rp", ("name",)))

    try:
        assert anyio.run(ask) is None
    finally:
        inner.close()


def test_a_profile_that_was_stored_before_is_of_an_enabled_user() -> None:
    assert load(Profile, '{"key": "s1", "claims": "{}"}').enabled
    assert "enabled" not in dump(profile_of("s1", {}))


def test_the_command_line_disables_and_enables(shell: Shell, tmp_path: Path) -> None:
    shell.ask("user", "add", "alice", "--subject", "s1", "--generate")

    assert shell.ask("user", "disable", "alice")["enabled"] is False
    off = profile(tmp_path, "s1")
    assert shell.ask("user", "enable", "Alice")["enabled"] is True
    on = profile(tmp_path, "s1")

    assert off is not None and on is not None
    assert (off.enabled, on.enabled) == (False, True)
    assert "there is no such user" in shell.run("user", "disable", "bob", status=2)


class Meanwhile(AsyncSqliteStorage):
    """Be a storage in which something else is committed right before the first commit."""

    def __init__(self, inner: SqliteStorage, *others: Change) -> None:
        super().__init__(inner)
        self.others = others

    @override
    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit the others first."""
        others, self.others = self.others, ()
        self.blocking.commit(others)
        return await super().commit(changes)


def test_no_profile_is_stored_of_a_user_who_is_removed_meanwhile(tmp_path: Path) -> None:
    storage = Meanwhile(inner := SqliteStorage(tmp_path / "x.db"), Delete(ALICE))
    inner.commit((Insert(ALICE),))

    async def change() -> None:
        await change_profile(storage, "alice", {"name": "Alice"})

    try:
        with pytest.raises(ConfigurationError, match="no such user"):
            anyio.run(change)
        assert inner.find(Profile, "s1") is None
    finally:
        inner.close()


def test_a_profile_that_is_stored_while_its_user_is_removed_goes_with_them(tmp_path: Path) -> None:
    late = profile_of("s1", {"name": "Alice"})
    storage = Meanwhile(inner := SqliteStorage(tmp_path / "x.db"), Insert(late))
    inner.commit((Insert(ALICE),))

    async def remove() -> None:
        await remove_user(storage, "alice")

    try:
        anyio.run(remove)
        assert inner.find(User, "alice") is None
        assert inner.find(Profile, "s1") is None
    finally:
        inner.close()


OLD = {"email": "alice@wonderland.example", "email_verified": True}
NEW = {"email": "a@wonderland.example", "email_verified": True}


def addresses(inner: SqliteStorage) -> list[str]:
    """Return by which of the two addresses alice is found."""
    return [str(one["email"]) for one in (OLD, NEW) if inner.find_of(EmailAddress, str(one["email"]))]


def test_a_verified_address_goes_with_its_user_however_late_it_was_set(tmp_path: Path) -> None:
    before, after = profile_of("s1", OLD), profile_of("s1", NEW)
    stored = EmailAddress(key=f"{OLD['email']} s1", subject=str(OLD["email"]), user="s1")
    late = EmailAddress(key=f"{NEW['email']} s1", subject=str(NEW["email"]), user="s1")
    changed = (Replace(before, after), Delete(stored), Insert(late))
    storage = Meanwhile(inner := SqliteStorage(tmp_path / "x.db"), *changed)
    inner.commit((Insert(ALICE), Insert(before), Insert(stored)))

    async def remove() -> None:
        await remove_user(storage, "alice")

    try:
        anyio.run(remove)
        assert addresses(inner) == []
        assert inner.find(Profile, "s1") is None
    finally:
        inner.close()


def test_no_address_is_stored_of_a_user_who_is_removed_meanwhile(tmp_path: Path) -> None:
    known = profile_of("s1", {"name": "Alice"})
    storage = Meanwhile(inner := SqliteStorage(tmp_path / "x.db"), Delete(ALICE), Delete(known))
    inner.commit((Insert(ALICE), Insert(known)))

    async def change() -> None:
        await change_profile(storage, "alice", NEW)

    try:
        with pytest.raises(ConfigurationError, match="no such user"):
            anyio.run(change)
        assert addresses(inner) == []
    finally:
        inner.close()


def test_an_address_that_was_verified_before_is_found_once_the_claims_are_set_again(tmp_path: Path) -> None:
    storage = AsyncSqliteStorage(inner := SqliteStorage(tmp_path / "x.db"))
    inner.commit((Insert(ALICE), Insert(profile_of("s1", OLD))))

    async def change() -> None:
        await change_profile(storage, "alice", {"name": "Alice"})

    try:
        assert addresses(inner) == []
        anyio.run(change)
        assert addresses(inner) == [OLD["email"]]
    finally:
        inner.close()


def test_the_command_line_has_a_page_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["user", "set-claims", "--help"])

    assert "blank value" in capsys.readouterr().out
