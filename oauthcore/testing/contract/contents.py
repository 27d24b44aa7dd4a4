"""Clauses about what is kept: every record as it was, and nothing that could be presented to the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from oauthcore.flow.outcome import Delete, Replace, Require
from oauthcore.records.client import Client
from oauthcore.records.interaction import AuthorizationRequest, Interaction
from oauthcore.records.record import Record
from oauthcore.scope import Scope
from oauthcore.server import AuthorizationServer
from oauthcore.storage.codec import dump
from oauthcore.testing.chance import FixedClock, SeededEntropy
from oauthcore.testing.client_session import ClientSession, members_of
from oauthcore.testing.contract.clause import Terms
from oauthcore.testing.samples import key_field, lone_kinds, sample, whole
from oauthcore.testing.storage_probe import StorageProbe
from oauthcore.testing.telling import brief, unlike

# What a text may hold besides letters: quotes of every language there is, controls, what has two spellings, and what
# has no place in the first 65,536 characters.
TEXTS = (
    "",
    " ",
    "null",
    "'; DROP TABLE record; --",
    '"{}"',
    "a\\u0000b\\",
    "\t\r\n\x01\x1f\x7f\x85\u2028",
    "é e\u0301 \u202eabc\u202c \ufeff",
    "日本語 العربية עברית",
    "🔑👩‍👩‍👧‍👦",
    "\U0010ffff\uffff",
)


def every_record_comes_back_as_it_was(probe: StorageProbe, terms: Terms) -> None:
    """Records of every kind, with all values that their types allow, are found equal to what was inserted."""
    from oauthcore.testing.strategies import records

    # Not left to what is drawn: clients compare the text of a scope, so its order has to come back.
    _comes_back(probe, Client(client_id="a", scope=Scope(("write", "read", "admin"))))
    kinds = (*terms.kinds, *lone_kinds())
    _each_of(probe, [records(kind) for kind in kinds], terms.examples, lambda record: _comes_back(probe, record))


def records_are_compared_whole(probe: StorageProbe, terms: Terms) -> None:
    """A precondition is about the whole record: a stored record that differs in one field is not the expected one."""
    from hypothesis import strategies as st

    from oauthcore.testing.strategies import records

    # Each field by itself first, so that what is found does not depend on what is drawn.
    for kind in terms.kinds:
        _differ(probe, whole(kind, "a", 0), whole(kind, "a", 1))
    pairs = [st.tuples(records(kind), records(kind)) for kind in terms.kinds]
    _each_of(probe, pairs, max(6, terms.examples // 10), lambda pair: _differ(probe, *pair))


def every_text_comes_back_as_it_was(probe: StorageProbe, terms: Terms) -> None:
    """Quotes, control characters, every plane of Unicode and the empty text are stored and returned exactly."""
    for text in TEXTS:
        client = Client(client_id="a", name=text, redirect_uris=(text, text), client_uri=text)
        _comes_back(probe, client)


def large_records_come_back_as_they_were(probe: StorageProbe, terms: Terms) -> None:
    """A client with a thousand redirect URIs, and a request with 60,000 characters of state, are returned whole."""
    uris = tuple(f"https://client.example/{number}/{'x' * 200}" for number in range(1_000))
    _comes_back(probe, Client(client_id="a", redirect_uris=uris, scope=Scope(tuple(map(str, range(1_000))))))
    request = AuthorizationRequest(client_id="a", state="ж🔑" * 30_000)
    _comes_back(probe, sample(Interaction, "a", 1, request=request))


def nothing_but_digests_is_kept(probe: StorageProbe, terms: Terms) -> None:
    """A whole authorization leaves nothing in storage that could be presented: no code, token, secret or handle."""
    clock, entropy = FixedClock(), SeededEntropy()
    server = AuthorizationServer(
        issuer="https://as.example", clock=clock, entropy=entropy, token_key=b"k" * 32, scopes=("email",)
    )
    session = ClientSession.begin(server, probe.drive, entropy)
    code, verifier = session.code()
    tokens = members_of(session.redeem(code, verifier))
    newer = members_of(session.refresh(tokens["refresh_token"]))
    if not session.is_active(newer["access_token"]):
        raise AssertionError("a token that was just given is not active")
    _holds_none(probe, session.secrets)
    if session.revoke(newer["refresh_token"]).status != 200:
        raise AssertionError("a revocation was refused")
    if session.is_active(newer["access_token"]):
        raise AssertionError("a token of a revoked grant is active")
    session.code("bob")
    _holds_none(probe, session.secrets)


def _holds_none(probe: StorageProbe, secrets: list[str]) -> None:
    kept = [dump(record) for record in probe.received] + probe.contents() + probe.story
    if not probe.received:
        raise AssertionError("nothing was stored")
    if len(secrets) <= 6:
        raise AssertionError("nothing secret was given")
    for secret in secrets:
        if any(secret in text for text in kept):
            raise AssertionError("something is kept that could be presented to the server")


def _each_of(probe: StorageProbe, drawn: list[Any], examples: int, check: Callable[[Any], None]) -> None:
    """Check so many examples of each that is drawn; the story is of one alone."""
    # Imported where it is used, so that what needs no examples needs no hypothesis.
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st

    @settings(
        max_examples=examples * len(drawn),
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(example=st.one_of(drawn))
    def holds(example: Any) -> None:
        """Try one."""
        probe.forget()
        check(example)

    holds()


def _differ(probe: StorageProbe, record: Any, other: Any) -> None:
    """Take each field of the one from the other, alone."""
    probe.put(record)
    key = key_field(type(record))
    for field in attrs.fields(type(record)):
        changed = attrs.evolve(record, **{field.name: getattr(other, field.name)})
        if field.name != key and changed != record:
            done = probe.tried(Require(changed))
            if done:
                raise AssertionError(
                    f"{brief(changed)} could be required, which differs from what is there in its {field.name}"
                )
    if not probe.tried(Delete(record)):
        raise AssertionError(f"{brief(record)} was inserted, and could not be deleted")


def _comes_back(probe: StorageProbe, record: Record) -> None:
    kind = type(record)
    if (stale := probe.find(kind, record.key)) is not None and not probe.tried(Delete(stale)):
        raise AssertionError(f"{brief(stale)} was found, and could not be deleted")
    probe.put(record)
    found = probe.find(kind, record.key)
    if found != record:
        raise AssertionError(unlike(found, record))
    if type(found) is not kind:
        raise AssertionError(f"a {kind.__name__} was found as a {type(found).__name__}")
    if not probe.tried(Require(record), Replace(found, record)):
        raise AssertionError(f"{brief(record)} was found, and can't be required")
    if not probe.tried(Delete(record)):
        raise AssertionError(f"{brief(record)} was found, and could not be deleted")


CLAUSES = (
    every_record_comes_back_as_it_was,
    records_are_compared_whole,
    every_text_comes_back_as_it_was,
    large_records_come_back_as_they_were,
    nothing_but_digests_is_kept,
)
