"""How often users may be asked, and how often clients may guess at users (CIBA Core section 15)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import pytest

from oauthcore import Client, MemoryStorage, Secret
from oauthcore.ciba import Ciba
from oauthcore.flow.outcome import Change
from tests.core.ciba.till import CLIENTS, PINGED, SECRETS, SIGNING, TILL, TOKEN, Till


def ask(till: Till, client: Client, **changes: str | None) -> tuple[int, str]:
    """Send a request as one of the clients; return its status and error."""
    values: dict[str, str | None] = {"scope": "openid", "login_hint": "alice@wonderland.example"}
    if client is PINGED:
        values["client_notification_token"] = TOKEN
    answer = till.post("/bc-authorize", client=client, **(values | changes))
    return answer.status, "" if answer.status == 200 else till.error(answer)


def test_one_client_can_not_weary_a_user() -> None:
    till = Till(ciba=Ciba(max_pending=2))
    till.begin()
    till.begin()

    refused = till.request()

    assert (refused.status, till.error(refused)) == (403, "access_denied")
    assert len(till.pending()) == 2
    assert ask(till, PINGED) == (200, "")


def test_many_clients_can_not_weary_a_user_either() -> None:
    till = Till(ciba=Ciba(max_pending_of_user=2))
    assert [ask(till, client) for client in (TILL, PINGED)] == [(200, "")] * 2

    assert ask(till, TILL) == (403, "access_denied")
    assert ask(till, PINGED) == (403, "access_denied")
    assert len(till.pending()) == 2


def test_a_client_does_not_learn_whose_requests_wait() -> None:
    of_client = Till(ciba=Ciba(max_pending=1))
    of_client.begin()
    of_user = Till(ciba=Ciba(max_pending_of_user=1))
    assert ask(of_user, PINGED) == (200, "")

    assert of_client.request().body == of_user.request().body


def test_what_was_answered_or_is_over_makes_room_for_the_next() -> None:
    till = Till(ciba=Ciba(max_pending=1, max_pending_of_user=1))
    till.begin()
    till.allow()
    till.begin()
    till.site.clock.advance(121)

    assert till.request().status == 200


@pytest.mark.parametrize("settings", [Ciba(max_pending=1), Ciba(max_pending_of_user=1)])
@pytest.mark.parametrize("expiry", [None, "1"])
def test_neither_a_no_nor_a_short_request_lets_a_client_ask_on_and_on(expiry: str | None, settings: Ciba) -> None:
    till = Till(ciba=settings)
    asked = 0
    for _ in range(60):
        asked += till.request(requested_expiry=expiry).status == 200
        if till.pending() and expiry is None:
            till.deny()
        till.site.clock.advance(1)

    assert asked == 1


def test_without_limits_nothing_is_refused() -> None:
    till = Till(ciba=Ciba(max_pending=None, max_pending_of_user=None, max_unknown=None))

    assert {till.request().status for _ in range(30)} == {200}
    unknown = {till.error(till.request(login_hint="bob@wonderland.example")) for _ in range(120)}
    assert unknown == {"unknown_user_id"}


def test_a_client_can_not_find_out_by_hints_who_is_a_user() -> None:
    till = Till(ciba=Ciba(max_unknown=2))
    for hint in ("bob@wonderland.example", "gone@wonderland.example"):
        assert ask(till, TILL, login_hint=hint) == (400, "unknown_user_id")

    refused = till.request(login_hint="carol@wonderland.example")
    right = till.request()

    assert (refused.status, refused.header("retry-after")) == (429, "3600")
    # The right one is refused, too: otherwise the guesses would go on, and only the wrong ones would be told.
    assert right.status == 429
    assert till.pending() == ()
    assert ask(till, PINGED) == (200, "")
    till.site.clock.advance(3_600)
    assert till.request().status == 200


def test_an_id_token_that_names_no_user_is_counted_too() -> None:
    till = Till(ciba=Ciba(max_unknown=1))
    assert ask(till, TILL, login_hint=None, id_token_hint="a.b.c") == (400, "unknown_user_id")

    assert till.request().status == 429


def test_what_is_refused_for_another_reason_is_not_counted_as_a_guess() -> None:
    till = Till(ciba=Ciba(max_unknown=1))
    for _ in range(3):
        wrong = ask(till, TILL, login_hint="bob@wonderland.example", binding_message="one\ntwo")
        assert wrong == (400, "invalid_binding_message")
        assert ask(till, TILL, scope="email") == (400, "invalid_scope")

    assert till.request().status == 200


def test_a_guess_that_is_signed_is_counted_in_the_same_way() -> None:
    till = Till(client=SIGNING, ciba=Ciba(max_unknown=1))
    guess = till.post("/bc-authorize", request=till.signed(login_hint="bob@wonderland.example"))
    assert till.error(guess) == "unknown_user_id"

    assert till.post("/bc-authorize", request=till.signed(jti="2")).status == 429


class Meanwhile(MemoryStorage):
    """Be a storage in which something else happens right before the next commit."""

    other: Callable[[], object] | None = None

    def commit(self, changes: Sequence[Change], /) -> bool:  # type: ignore[explicit-override]  # none in 3.11
        """Let the other happen first."""
        other, self.other = self.other, None
        if other is not None:
            other()
        return super().commit(changes)


def test_a_right_guess_that_was_looked_up_before_a_wrong_one_does_not_count_as_earlier() -> None:
    """Otherwise of a thousand guesses at once all right ones would be told, however few are answered in turn."""
    till = Till(ciba=Ciba(max_unknown=1))
    till.site.world = attrs.evolve(till.site.world, storage=(storage := Meanwhile()))
    for client in CLIENTS:
        till.drive(till.site.server.clients.register(client, Secret(SECRETS[client.client_id])))
    storage.other = lambda: ask(till, TILL, login_hint="bob@wonderland.example")

    assert till.request().status == 429
    assert till.pending() == ()
