"""Documents of other servers: fetched outside of every attempt, and remembered, also that they can't be had."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import attrs
import pytest

from oauthcore import MemoryStorage, Outgoing, Response, World, run
from oauthcore.documents import (
    FAILED_FOR,
    FRESH_FOR,
    MAX_BODY,
    SOONEST_AGAIN,
    TURN_LASTS,
    DocumentNeeded,
    Documents,
    Turn,
    is_array,
    is_object,
)
from oauthcore.errors import OAuthError
from oauthcore.flow.effects import Fetch, Flow, find, pure
from oauthcore.flow.outcome import Decision, Outcome, Replace
from oauthcore.flow.storage import Storage
from oauthcore.flow.transact import ATTEMPTS, transact
from oauthcore.testing import Run, interleave
from tests.core.flow.test_transact import Counter
from tests.processes import PATIENCE

URL = "https://client.example/jwks"


def anything(body: bytes) -> bool:
    """Read any body."""
    return True


def refuse(error: OAuthError, cause: BaseException | None) -> Response:
    """Refuse."""
    return Response(error.status)


@attrs.define
class Elsewhere:
    """Be other servers, and count what they are asked."""

    answer: Response | Exception
    asked: list[str] = attrs.field(factory=list)

    def __call__(self, request: Outgoing) -> Response:
        """Answer, or fail."""
        self.asked.append(request.url)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def reading(documents: Documents, now: int = 100) -> Flow[Outcome]:
    """Answer with what a document says."""
    document = documents.get(URL, now, anything)
    return pure(Decision(Response(200 if document.body else 404, (), document.body or b"")))


def test_what_is_missing_is_fetched_and_the_decision_made_afresh() -> None:
    documents, elsewhere = Documents(), Elsewhere(Response(200, (), b'{"keys": []}'))
    world = World(MemoryStorage(), fetch=elsewhere)

    first = run(transact(lambda: reading(documents), refuse), world)
    second = run(transact(lambda: reading(documents), refuse), world)

    assert (first.body, second.body) == (b'{"keys": []}', b'{"keys": []}')
    assert elsewhere.asked == [URL]


def test_facts_that_were_found_before_the_wait_are_found_again_after_it() -> None:
    documents, storage = Documents(), MemoryStorage([Counter()])

    def elsewhere(request: Outgoing) -> Response:
        assert storage.commit([Replace(Counter(), Counter(5))])
        return Response(200, (), b"{}")

    def decision() -> Flow[Outcome]:
        counter = yield from find(Counter, "c")
        assert counter is not None
        documents.get(URL, 100, anything)
        return Decision(Response(200), (Replace(counter, Counter(counter.value + 1)),))

    assert run(transact(decision, refuse), World(storage, fetch=elsewhere)).status == 200

    assert storage.find(Counter, "c") == Counter(6)


@pytest.mark.parametrize(
    "answer", [OSError("no route"), Response(500), Response(404), Response(200, (), b"x" * (MAX_BODY + 1))]
)
def test_that_a_document_can_not_be_had_is_remembered_for_a_little_while(answer: Response | Exception) -> None:
    documents, elsewhere = Documents(), Elsewhere(answer)
    world = World(MemoryStorage(), fetch=elsewhere)

    statuses = [
        run(transact(lambda now=now: reading(documents, now), refuse), world).status  # type: ignore[misc]  # a default
        for now in (100, 100 + FAILED_FOR - 1, 100 + FAILED_FOR)
    ]

    assert statuses == [404, 404, 404]
    assert elsewhere.asked == [URL, URL]


def test_a_document_grows_old() -> None:
    documents = Documents()
    documents.keep(URL, Response(200, (), b"{}"), 100, anything)

    assert documents.get(URL, 100 + FRESH_FOR - 1, anything).body == b"{}"
    with pytest.raises(DocumentNeeded):
        documents.get(URL, 100 + FRESH_FOR, anything)


def test_a_newer_one_is_fetched_at_most_once_a_minute() -> None:
    documents = Documents()
    documents.keep(URL, Response(200, (), b"{}"), 100, anything)

    assert documents.get_newer(URL, 100 + SOONEST_AGAIN - 1, anything).body == b"{}"
    with pytest.raises(DocumentNeeded):
        documents.get_newer(URL, 100 + SOONEST_AGAIN, anything)


def missing(documents: Documents, url: str = URL, now: int = 100) -> DocumentNeeded:
    return DocumentNeeded(documents, url, now, anything)


def test_one_request_fetches_a_document_and_the_others_join_it() -> None:
    documents = Documents()

    turns = [documents.turn(missing(documents)) for _ in range(3)]
    documents.keep(URL, Response(200, (), b"{}"), 100, anything)
    documents.end_turn(URL)

    assert turns == [Turn.FETCH, Turn.JOIN, Turn.JOIN]
    assert documents.turn(missing(documents)) is Turn.KNOWN


def test_threads_that_lack_a_document_together_fetch_it_once() -> None:
    documents, start = Documents(), Barrier(8)

    def turn(_: int) -> Turn:
        start.wait(PATIENCE)
        return documents.turn(missing(documents))

    with ThreadPoolExecutor(8) as threads:
        turns = list(threads.map(turn, range(8)))

    assert turns.count(Turn.FETCH) == 1


def test_a_document_is_fetched_once_in_whatever_order_requests_meet() -> None:
    turns: list[Turn] = []

    class Counting(Documents):
        def turn(self, missing: DocumentNeeded) -> Turn:  # type: ignore[explicit-override]  # typing.override is 3.12's
            turns.append(turn := super().turn(missing))
            return turn

    def prepare(_: object) -> Documents:
        turns.clear()
        return Counting()

    def request(documents: Documents) -> Flow[Response]:
        return transact(lambda: reading(documents), refuse)

    def check(run: Run[Response]) -> None:
        assert [response.status for response in run.results] == [200, 200, 200]
        assert turns.count(Turn.FETCH) == 1

    def world(storage: Storage) -> World:
        return World(storage, fetch=Elsewhere(Response(200, (), b"{}")))

    explored = interleave(request, request, request, prepare=prepare, check=check, world=world)

    assert explored.schedules > 1


def test_a_request_that_is_given_up_leaves_the_fetch_to_the_next() -> None:
    documents = Documents()
    given_up = transact(lambda: reading(documents), refuse)
    assert isinstance(next(given_up), Fetch)

    given_up.close()

    assert documents.turn(missing(documents)) is Turn.FETCH


def test_a_request_that_nobody_heard_of_again_holds_up_the_others_for_a_while() -> None:
    documents = Documents()
    documents.turn(missing(documents))

    assert documents.turn(missing(documents, now=100 + TURN_LASTS - 1)) is Turn.JOIN
    assert documents.turn(missing(documents, now=100 + TURN_LASTS)) is Turn.FETCH


def test_who_joined_and_heard_nothing_does_not_take_the_server_for_failed() -> None:
    documents = Documents()
    fetching = transact(lambda: reading(documents), refuse)
    next(fetching)

    joined = run(
        transact(lambda: reading(documents), refuse), World(MemoryStorage(), fetch=Elsewhere(OSError("too many wait")))
    )
    with pytest.raises(StopIteration) as fetched:
        fetching.send(Response(200, (), b"{}"))

    assert joined.status == 503
    assert fetched.value.value.status == 200


def test_a_host_is_asked_for_so_many_documents_a_minute() -> None:
    documents = Documents(host_budget=2)
    elsewhere = Elsewhere(Response(200, (), b"{}"))
    world = World(MemoryStorage(), fetch=elsewhere)

    def ask(url: str, now: int) -> int:
        def decision() -> Flow[Outcome]:
            return pure(Decision(Response(200, (), documents.get(url, now, anything).body or b"")))

        return run(transact(decision, refuse), world).status

    first = [ask(f"https://client.example/{number}", 100) for number in range(2)]
    same_host = [ask(f"https://{who}CLIENT.example:8443/{number}", 159) for number, who in enumerate(["", "me@"])]
    other_host = ask("https://other.example/", 159)
    next_minute = ask("https://client.example/9", 160)

    assert (first, same_host, other_host, next_minute) == ([200, 200], [503, 503], 200, 200)
    assert len(elsewhere.asked) == 4


def test_hosts_beyond_number_are_not_remembered() -> None:
    documents = Documents(capacity=3)

    turns = [documents.turn(missing(documents, f"https://{number}.example/")) for number in range(5)]
    for number in range(5):
        documents.end_turn(f"https://{number}.example/")
    later = documents.turn(missing(documents, "https://4.example/", 160))

    assert turns == [Turn.FETCH, Turn.FETCH, Turn.FETCH, Turn.LATER, Turn.LATER]
    assert later is Turn.FETCH
    assert len(documents._requests) == 1


def test_all_that_is_kept_has_so_many_bytes_together() -> None:
    documents = Documents(max_kept=10)
    for second in range(4):
        documents.keep(f"{URL}/{second}", Response(200, (), b"x" * 4), second, anything)

    assert sum(len(kept.body or b"") for kept in documents._kept.values()) <= 10
    assert documents.get(f"{URL}/3", 4, anything).body == b"xxxx"


def test_a_document_that_is_still_fresh_outlives_a_failure_to_fetch_a_newer_one() -> None:
    """Else a key that nobody has, asked for in a bad moment of its server's, takes the good ones from everybody."""
    documents = Documents()
    documents.keep(URL, Response(200, (), b"{}"), 100, anything)

    documents.keep(URL, None, 200, anything)

    assert documents.get(URL, 201, anything).body == b"{}"
    assert documents.get_newer(URL, 201, anything).body == b"{}"
    assert documents.get(URL, 201, anything, fresh_for=SOONEST_AGAIN).body is None
    with pytest.raises(DocumentNeeded):
        documents.get_newer(URL, 200 + FAILED_FOR, anything)
    with pytest.raises(DocumentNeeded):
        documents.get(URL, 100 + FRESH_FOR, anything)


def test_a_decision_that_never_has_enough_documents_is_given_up() -> None:
    elsewhere = Elsewhere(Response(200, (), b"{}"))
    numbers = iter(range(100))

    def decision() -> Flow[Outcome]:
        raise DocumentNeeded(Documents(), f"{URL}/{next(numbers)}", 100, anything)

    assert run(transact(decision, refuse), World(MemoryStorage(), fetch=elsewhere)).status == 503
    assert len(elsewhere.asked) == ATTEMPTS


def test_only_so_many_are_kept_and_the_oldest_go_first() -> None:
    documents = Documents(capacity=4)
    for second in range(5):
        documents.keep(f"{URL}/{second}", Response(200, (), b"{}"), second, anything)

    assert documents.get(f"{URL}/4", 5, anything).body == b"{}"
    with pytest.raises(DocumentNeeded):
        documents.get(f"{URL}/0", 5, anything)


@pytest.mark.parametrize("body", [b"", b"[]", b"no", b"[" * 100_000, b'"text"', b"\xff"])
def test_a_body_that_is_no_object_has_no_members(body: bytes) -> None:
    assert Documents().keep(URL, Response(200, (), body), 0, anything).members() is None


def test_a_body_is_read_as_what_it_is() -> None:
    kept = Documents().keep(URL, Response(200, (), b'["a"]'), 0, anything)

    assert kept.array() == ["a"]
    assert Documents().keep(URL, Response(200, (), b'{"a": 1}'), 0, anything).members() == {"a": 1}
    assert Documents().keep(URL, Response(200, (), b"{}"), 0, anything).array() is None


def test_a_page_never_replaces_a_document_and_is_a_failure_for_a_short_time() -> None:
    """Else a proxy in maintenance takes an issuer's or a client's keys from everybody until its page has grown old."""
    documents = Documents()
    documents.keep(URL, Response(200, (), b"{}"), 100, is_object)

    documents.keep(URL, Response(200, (), b"<html>Back in a minute.</html>"), 200, is_object)

    assert documents.get_newer(URL, 201, is_object).body == b"{}"
    with pytest.raises(DocumentNeeded):
        documents.get_newer(URL, 200 + FAILED_FOR, is_object)


def test_a_page_in_the_place_of_a_document_is_looked_at_again_as_soon_as_no_answer_is() -> None:
    documents = Documents()

    kept = documents.keep(URL, Response(200, (), b"<html>"), 100, is_array)

    assert kept.body is None
    assert documents.get(URL, 100 + FAILED_FOR - 1, is_array).body is None
    with pytest.raises(DocumentNeeded):
        documents.get(URL, 100 + FAILED_FOR, is_array)


def test_a_url_that_is_read_as_something_else_is_no_failure_of_what_is_there() -> None:
    """A client registers another's key set as its sector: what fails is the sector."""
    documents, answer = Documents(), Response(200, (), b'{"a": 1}')
    documents.keep(URL, answer, 100, is_object)

    documents.keep(URL, answer, 100 + FRESH_FOR, is_array)

    with pytest.raises(DocumentNeeded):
        documents.get(URL, 100 + FRESH_FOR, is_object)


def test_an_old_document_is_there_for_who_takes_one_while_its_server_fails() -> None:
    documents = Documents()
    documents.keep(URL, Response(200, (), b"{}"), 100, is_object)

    documents.keep(URL, Response(502), 100 + FRESH_FOR, is_object)

    assert documents.get(URL, 100 + FRESH_FOR, is_object).body is None
    assert documents.get(URL, 100 + FRESH_FOR, is_object, fresh_for=2 * FRESH_FOR).body == b"{}"
