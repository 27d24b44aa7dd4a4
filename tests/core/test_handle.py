"""Handles that carry what they are about: read again as they were written, and by nobody else's key."""

from __future__ import annotations

import json
import random
import string
import zlib
from urllib.parse import quote

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import MemoryStorage, Request, Secret
from oauthcore.digest import encoded
from oauthcore.endpoints.end_session import carried_by
from oauthcore.handle import MAX_CARRIED, HandleKind, Handles, check_carried
from oauthcore.records.interaction import Interaction
from tests.core.site import FORM, Site, handle_of, location, make_site, params, refused_by_page

HANDLES = Handles("https://as.example", bytes(32))
NONCE = encoded(bytes(range(32)))
MEMBERS = {"request": {"state": "s"}, "started_at": 1}
SERVER_TAKES = 8_000  # octets of a request line, at least (RFC 9110 section 4.1)


def record_count(site: Site) -> int:
    """Return how many records the site's storage holds."""
    assert isinstance(site.world.storage, MemoryStorage)
    return len(site.world.storage._records)


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none() | st.dictionaries(st.text(), st.text())))
def test_what_was_written_is_read_again(members: dict[str, object]) -> None:
    assert HANDLES.read("interaction", HANDLES.write("interaction", members, NONCE)) == members


@pytest.mark.parametrize(
    ("handles", "kind"),
    [
        (Handles("https://as.example", bytes(32)), "logout"),
        (Handles("https://other.example", bytes(32)), "interaction"),
        (Handles("https://as.example", b"another key that has 32 bytes...."[:32]), "interaction"),
    ],
)
def test_another_kind_issuer_or_key_reads_nothing(handles: Handles, kind: HandleKind) -> None:
    assert handles.read(kind, HANDLES.write("interaction", MEMBERS, NONCE)) is None


def test_a_handle_with_one_other_character_carries_nothing() -> None:
    handle = HANDLES.write("interaction", MEMBERS, NONCE).reveal()

    for place, letter in enumerate(handle):
        changed = handle[:place] + ("A" if letter != "A" else "B") + handle[place + 1 :]
        assert HANDLES.read("interaction", Secret(changed)) is None


@given(st.text())
def test_whatever_else_is_shown_carries_nothing(text: str) -> None:
    assert HANDLES.read("interaction", Secret(text)) is None


def test_nothing_is_unpacked_that_was_not_written_here(monkeypatch: pytest.MonkeyPatch) -> None:
    packer = zlib.compressobj(wbits=-15)
    bomb = encoded(packer.compress(bytes(10_000_000)) + packer.flush()).reveal()
    unpacked: list[object] = []
    monkeypatch.setattr(zlib, "decompress", lambda *arguments: unpacked.append(arguments))

    assert HANDLES.read("interaction", Secret("A" * 86 + bomb)) is None
    assert unpacked == []


@pytest.mark.parametrize(
    "letters",
    [
        "".join(map(chr, range(1, 128))),
        string.printable,
        string.ascii_letters + "-_",
        "".join(map(chr, range(128, 2_048))),
    ],
    ids=["ascii", "printable", "base64url", "two bytes each"],
)
def test_the_longest_handle_fits_a_request_line_with_a_path_and_a_proof(letters: str) -> None:
    """Text without any pattern is the worst there is to pack."""
    draw = random.Random(7)
    state = ""
    while len(json.dumps(state, ensure_ascii=False).encode()) < MAX_CARRIED - 30:
        state += draw.choice(letters)
    members = {"request": {"client_id": "c", "state": state}, "browser": "d" * 64, "started_at": 1_800_000_000}
    check_carried({"client_id": "c", "state": state})

    handle = HANDLES.write("interaction", members, NONCE).reveal()

    assert len(f"GET /authorize/resume?interaction={handle}&proof={'p' * 43} HTTP/1.1") < SERVER_TAKES


def test_a_request_that_nobody_signed_in_for_is_stored_nowhere(site: Site) -> None:
    before = record_count(site)

    by_get = site.authorize(state="s" * 2_000)
    by_post = site.handle(
        Request("POST", "/authorize", (FORM, ("Cookie", site.cookie or "")), site.authorize_target().encode()[11:])
    )

    assert handle_of(by_get) != handle_of(by_post)
    assert record_count(site) == before


def test_what_is_shown_of_a_carried_request_stores_nothing(site: Site) -> None:
    before = record_count(site)
    handle = handle_of(site.authorize())

    looked = [site.drive(site.server.interactions.find(handle), site.world) for _ in range(3)]

    assert looked[0] == looked[1] == looked[2] is not None
    assert record_count(site) == before


def test_a_request_of_who_is_signed_in_is_stored_under_a_short_handle(site: Site) -> None:
    before = record_count(site)

    handle = handle_of(site.authorize(site.alice))

    assert len(handle) == 43
    assert record_count(site) == before + 1


def test_a_long_state_and_claims_of_an_honest_client_come_through(site: Site) -> None:
    """A state of 2 kB is honest, and so is a claims parameter of 3."""
    state, claims = "aB3-" * 512, '{"userinfo":{' + ",".join(f'"claim{n}":null' for n in range(200)) + "}}"

    answered = site.approve(site.authorize(state=state, claims=claims))

    assert params(answered)["state"] == state
    assert "code" in params(answered)


@pytest.mark.parametrize("name", ["state", "nonce", "claims", "login_hint", "ui_locales"])
def test_a_request_too_long_to_wait_is_refused_at_the_client(site: Site, name: str) -> None:
    answer = params(site.authorize(None, **{name: "é" * (MAX_CARRIED // 2)}))

    assert answer["error"] == "invalid_request"
    assert answer["error_description"] == "The request's parameters are too long."


def test_it_is_refused_as_well_where_nobody_has_to_be_asked(site: Site) -> None:
    """So a client finds out the first time, and not on the day that a person has signed out."""
    site.code()

    assert params(site.authorize(site.alice, nonce="n" * MAX_CARRIED))["error"] == "invalid_request"


def test_another_worker_and_one_that_was_restarted_go_on_with_it(site: Site) -> None:
    started = site.authorize()
    other = attrs.evolve(site, server=make_site(site.drive).server, cookie=site.cookie)
    other.server = other.server.with_instruments(attrs.evolve(other.server.instruments, clock=site.clock))

    assert "code" in params(other.approve(started))


def test_a_handle_of_a_newer_version_with_a_parameter_unknown_here_is_refused_with_a_page(site: Site) -> None:
    """It may narrow what is asked for, so it can't be left out."""
    context = site.server.context()
    members = context.handles.read("interaction", Secret(handle_of(site.authorize())))
    assert members is not None
    newer = {**members, "request": {**members["request"], "of_tomorrow": "x"}}
    handle = context.handles.write("interaction", newer, context.mint()).reveal()

    assert site.drive(site.server.interactions.find(handle), site.world) is None
    assert refused_by_page(site.drive(site.server.interactions.finish(handle, site.alice), site.world), "unknown")


def test_a_logout_handle_of_a_newer_version_is_not_read(site: Site) -> None:
    context = site.server.context()
    members = {"browser": "b" * 64, "expires_at": site.now + 60, "of_tomorrow": "x"}
    handle = context.handles.write("logout", members, context.mint())

    assert carried_by(handle, context) is None
    assert carried_by(context.handles.write("logout", dict(list(members.items())[:2]), context.mint()), context)


def test_it_expires_with_the_interaction(site: Site) -> None:
    handle = handle_of(site.authorize())
    site.clock.advance(3_599)
    assert site.drive(site.server.interactions.find(handle), site.world) is not None
    site.clock.advance(1)

    assert site.drive(site.server.interactions.find(handle), site.world) is None
    assert refused_by_page(site.drive(site.server.interactions.finish(handle, site.alice), site.world), "expired")
    assert refused_by_page(site.drive(site.server.interactions.deny(handle, None), site.world), "expired")


@pytest.mark.parametrize("seconds", [0, 61, 3_599])
def test_purging_makes_no_answered_interaction_answerable_again(site: Site, seconds: int) -> None:
    """Its record is all that tells it from one that nobody has answered."""
    started = site.authorize()
    site.approve(started)
    site.clock.advance(seconds)
    site.world.storage.purge(site.now, 100)

    again = site.drive(site.server.interactions.finish(handle_of(started), site.alice, ["email"]), site.world)

    assert refused_by_page(again)
    assert site.drive(site.server.interactions.find(handle_of(started)), site.world) is None


def test_what_was_answered_is_purged_when_its_handle_has_expired(site: Site) -> None:
    key = site.server.context().digest("interaction", Secret(handle_of(started := site.authorize())))
    site.approve(started)
    site.clock.advance(3_600)
    site.world.storage.purge(site.now + 1, 100)

    assert site.world.storage.find(Interaction, key) is None


def test_what_nobody_has_answered_can_not_be_resumed(site: Site) -> None:
    handle = handle_of(site.authorize())

    assert refused_by_page(site.get(f"/authorize/resume?interaction={handle}&proof={'A' * 43}"), "not answered")


def test_a_handle_is_the_same_in_a_query_whether_quoted_or_not(site: Site) -> None:
    handle = handle_of(site.authorize())

    assert quote(handle, safe="") == handle
    assert location(site.authorize()).startswith("/login?interaction=")
