"""Notifications of clients in ping mode (CIBA Core section 10.2)."""

from __future__ import annotations

import json

import attrs

from oauthcore import Client, Outgoing, Response
from oauthcore.flow.outcome import Replace
from oauthcore.records.backchannel import WAITING, BackchannelPing
from tests.core.ciba.till import NOTIFIED, OTHER, PINGED, TOKEN, Till


def notify(till: Till) -> int:
    """Deliver what is due."""
    tried: int = till.drive(till.site.server.backchannel.notify())
    return tried


def waiting(till: Till) -> int:
    """Return how many notifications wait."""
    return len(till.site.world.storage.find_of(BackchannelPing, WAITING))


def answer(status: int) -> Response:
    """Return an answer of the client's."""
    return Response(status)


def test_the_client_is_notified_with_its_own_token_that_the_user_has_answered() -> None:
    till = Till(client=PINGED)
    sent = till.answered_by(lambda _: answer(204))
    identifier = till.begin()
    assert notify(till) == 0
    till.allow()

    assert notify(till) == 1

    (request,) = sent
    assert (request.method, request.url) == ("POST", NOTIFIED)
    assert dict(request.headers)["Authorization"] == f"Bearer {TOKEN}"
    assert dict(request.headers)["Content-Type"] == "application/json"
    assert json.loads(request.body) == {"auth_req_id": identifier}
    assert waiting(till) == 0
    assert till.poll(identifier).status == 200


def test_a_denial_is_notified_too() -> None:
    till = Till(client=PINGED)
    sent = till.answered_by(lambda _: answer(200))
    till.begin()
    till.deny()

    assert notify(till) == 1
    assert len(sent) == 1


def test_a_client_that_polls_is_not_notified() -> None:
    till = Till()
    till.begin()
    till.allow()

    assert waiting(till) == 0


def test_a_client_that_does_not_answer_is_tried_three_times_and_can_poll() -> None:
    till = Till(client=PINGED)
    sent = till.answered_by(lambda _: answer(503))
    identifier = till.begin()
    till.allow()
    for _ in range(4):
        _ = notify(till)
        assert notify(till) == 0  # not before some seconds have passed
        till.site.clock.advance(15)

    assert len(sent) == 3
    assert waiting(till) == 0
    assert "backchannel_not_notified" in [event.name for event in till.site.events]
    assert till.poll(identifier).status == 200


def test_a_client_that_refuses_or_redirects_is_not_tried_again() -> None:
    for status in (302, 401, 404):
        till = Till(client=PINGED)

        def refused(_: Outgoing, status: int = status) -> Response:
            return answer(status)

        sent = till.answered_by(refused)
        till.begin()
        till.allow()
        _ = notify(till)
        till.site.clock.advance(60)

        assert (notify(till), len(sent), waiting(till)) == (0, 1, 0)


def test_a_client_that_was_removed_or_gave_up_its_endpoint_is_not_notified() -> None:
    till = Till(client=PINGED)
    sent = till.answered_by(lambda _: answer(204))
    till.begin()
    till.allow()
    till.drive(till.site.server.clients.remove("pinged"))

    assert notify(till) == 0
    assert (sent, waiting(till)) == ([], 0)


def test_a_client_that_takes_its_time_is_notified_once() -> None:
    till = Till(client=PINGED)

    def slow(_: Outgoing) -> Response:
        till.site.clock.advance(2)
        return answer(204)

    sent = till.answered_by(slow)
    till.begin(requested_expiry="600")
    till.allow()
    for _ in range(20):
        _ = notify(till)
        till.site.clock.advance(20)

    assert (len(sent), waiting(till)) == (1, 0)


def test_a_worker_that_never_settles_does_not_make_more_tries() -> None:
    till = Till(client=PINGED)
    sent = till.answered_by(lambda _: answer(204))
    till.begin(requested_expiry="600")
    till.allow()
    (ping,) = till.site.world.storage.find_of(BackchannelPing, WAITING)
    till.site.world.storage.commit([Replace(ping, attrs.evolve(ping, tries=3))])

    assert (notify(till), len(sent), waiting(till)) == (0, 0, 0)


def test_a_disabled_client_is_not_notified() -> None:
    till = Till(client=PINGED)
    sent = till.answered_by(lambda _: answer(204))
    till.begin()
    till.allow()
    till.drive(till.site.server.clients.disable("pinged"))

    assert (notify(till), len(sent)) == (0, 0)


def test_nothing_of_the_notification_can_be_read_in_storage() -> None:
    till = Till(client=PINGED)
    identifier = till.begin()
    till.allow()
    (ping,) = till.site.world.storage.find_of(BackchannelPing, WAITING)

    assert TOKEN not in str(attrs.asdict(ping))
    assert identifier not in str(attrs.asdict(ping))


def queued(till: Till, number: int, client: Client = PINGED) -> None:
    """Have so many requests of a client's allowed."""
    for _ in range(number):
        values = {"scope": "openid", "login_hint": "alice@wonderland.example", "client_notification_token": TOKEN}
        assert till.post("/bc-authorize", client=client, **values).status == 200
        till.allow()


def test_each_client_has_its_share_however_much_is_due_to_another() -> None:
    till = Till(client=PINGED)
    sent = till.answered_by(lambda _: answer(204))
    queued(till, 5)
    queued(till, 1, OTHER)

    assert till.drive(till.site.server.backchannel.notify(2)) == 2

    assert sorted(request.url for request in sent) == ["https://other.example/notified", NOTIFIED]


def test_a_client_that_is_slow_takes_a_few_seconds_of_a_round_and_no_more() -> None:
    till = Till(client=PINGED)

    def slow(request: Outgoing) -> Response:
        if request.url == NOTIFIED:
            till.site.clock.advance(3)
        return answer(204)

    sent = till.answered_by(slow)
    queued(till, 5)
    queued(till, 1, OTHER)

    assert notify(till) == 3

    assert [request.url for request in sent].count(NOTIFIED) == 2


def test_a_client_that_does_not_answer_is_tried_once_in_a_round() -> None:
    till = Till(client=PINGED)

    def silent(request: Outgoing) -> Response:
        if request.url == NOTIFIED:
            raise TimeoutError
        return answer(204)

    sent = till.answered_by(silent)
    queued(till, 3)
    queued(till, 1, OTHER)

    assert notify(till) == 2

    assert [request.url for request in sent].count(NOTIFIED) == 1


def test_a_host_can_notify_several_clients_at_the_same_time() -> None:
    till = Till(client=PINGED)
    sent = till.answered_by(lambda _: answer(204))
    queued(till, 2)
    queued(till, 1, OTHER)

    due = till.drive(till.site.server.backchannel.due_notifications())
    tried = [till.drive(till.site.server.backchannel.notify_client(one)) for one in due]

    assert sorted(tried) == [1, 2]
    assert len(sent) == 3
    assert waiting(till) == 0
