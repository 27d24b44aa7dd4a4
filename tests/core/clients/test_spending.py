"""What a request was proven with is spent by the commit of what comes of it: several things at once, all or none."""

from __future__ import annotations

import attrs

from oauthcore import MemoryStorage, Response
from oauthcore.clients.authentication import spend
from oauthcore.errors import InvalidClient
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Change, Decision, Delete, Event, Insert, Outcome, Replace, Require
from oauthcore.flow.transact import transact
from oauthcore.testing import Run, interleave
from oauthcore.wire.refusals import refuse_as_json
from tests.core.site import CONFIDENTIAL


@attrs.frozen
class Spent:
    """Remember that something was used."""

    key: str
    expires_at: int | None = None


JTI, ATTESTATION, TRUST = Spent("jti"), Spent("attestation"), Spent("trust", 100)
PORTABLE = attrs.evolve(CONFIDENTIAL, name="rewritten")


def decided(*changes: Change) -> Outcome:
    """Return what a grant decided."""
    return Decision(Response(200), changes, (Event("token_issued", "confidential"),))


def committed(storage: MemoryStorage, outcome: Outcome) -> bool:
    """Commit an outcome's changes."""
    return storage.commit(outcome.changes)


def test_several_things_are_spent_at_once_or_none() -> None:
    storage = MemoryStorage([CONFIDENTIAL, TRUST])
    both = (Insert(JTI), Insert(ATTESTATION), Require(TRUST))

    assert committed(storage, spend(both, decided(Require(CONFIDENTIAL), Insert(Spent("token 1")))))
    assert not committed(storage, spend((Insert(Spent("another jti")), *both[1:]), decided(Insert(Spent("token 2")))))
    assert storage.find(Spent, "another jti") is None
    assert storage.find(Spent, "token 2") is None


def test_what_a_proof_relied_on_has_to_stand_still_until_the_commit() -> None:
    storage = MemoryStorage([CONFIDENTIAL, attrs.evolve(TRUST, expires_at=50)])

    assert not committed(storage, spend((Insert(JTI), Require(TRUST)), decided(Require(CONFIDENTIAL))))
    assert storage.find(Spent, "jti") is None


def test_a_record_that_is_replaced_is_not_required_beside_it() -> None:
    """Whichever of the two says so: the grant that the client is the same, or the proof that some trust is."""
    portable = Replace(CONFIDENTIAL, PORTABLE)

    assert spend((portable,), decided(Require(CONFIDENTIAL), Insert(JTI))).changes == (Insert(JTI), portable)
    assert spend((Require(TRUST),), decided(Delete(TRUST))).changes == (Delete(TRUST),)


def test_what_grant_and_proof_spend_both_is_spent_once() -> None:
    changes = (Require(CONFIDENTIAL), Insert(JTI))

    assert spend((Insert(JTI), Require(CONFIDENTIAL)), decided(*changes)).changes == changes


def test_a_request_that_spends_nothing_is_left_as_it_is() -> None:
    outcome = decided(Require(CONFIDENTIAL), Require(CONFIDENTIAL))

    assert spend((), outcome) is outcome


def test_who_is_second_with_one_of_several_things_spends_none_of_the_others() -> None:
    """Two requests with assertions of their own, and one attestation."""

    def sent(name: str) -> Flow[Response]:
        """Return the flow of a request that is proven by two things, and issues one."""
        jti, token = Spent(f"jti of {name}"), Spent(f"token of {name}")

        def decision() -> Flow[Outcome]:
            for key in (jti.key, ATTESTATION.key):
                if (yield from find(Spent, key)) is not None:
                    raise InvalidClient("it was used before")
            return spend((Insert(jti), Insert(ATTESTATION)), decided(Insert(token)))

        return transact(decision, lambda error, cause: refuse_as_json(error, "https://as.example", cause))

    def check(run: Run[Response]) -> None:
        """What the winner had is stored, all of it, and nothing of the loser's."""
        assert sorted(response.status for response in run.results) == [200, 401]
        stored = [
            [run.world.storage.find(Spent, f"{kind} of {name}") is not None for kind in ("jti", "token")]
            for name in ("a", "b")
        ]
        assert stored == [[response.status == 200] * 2 for response in run.results]

    explored = interleave(lambda _: sent("a"), lambda _: sent("b"), prepare=lambda _: None, check=check)

    assert explored.schedules > 1


def test_value_and_events_stay() -> None:
    outcome = decided()

    spent = spend((Insert(JTI),), outcome)

    assert (spent.value, spent.events) == (outcome.value, outcome.events)
