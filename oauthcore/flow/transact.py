"""The only commit: run a flow to its outcome, commit it, and decide again if a precondition failed.

This is the only module that may guard a `yield from`, and the one that turns every failure into a response.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from oauthcore.documents import DocumentNeeded, StoredDocumentNeeded, Turn
from oauthcore.errors import Contended, EffectFailed, OAuthError, ServerError, TemporarilyUnavailable
from oauthcore.flow.effects import Flow, commit, fetch
from oauthcore.flow.outcome import Decision, Outcome
from oauthcore.wire.http import Headers, Outgoing, Response, with_headers

# Two requests that meet need one more try; more than a few mean that a crowd wants the same record, and waiting
# helps more than insisting.
ATTEMPTS = 5

T = TypeVar("T")
U = TypeVar("U")
Refuse = Callable[[OAuthError, BaseException | None], Response]


def transact(decision: Callable[[], Flow[Outcome]], refuse: Refuse, extra_headers: Headers = ()) -> Flow[Response]:
    """Decide, commit, respond; there is always a response.

    `decision` creates the flow for each attempt; `refuse` turns an error into the response of this endpoint.
    `extra_headers` are added to every response. Tokens are signed before the commit, so that nothing is changed if
    there is no key; an attempt after a conflict signs again, since it creates other tokens.
    """
    try:
        response = yield from commit_with_retry(decision)
    except Exception as failure:
        response = refuse(*refused_as(failure))
    return with_headers(response, extra_headers) if extra_headers else response


def refuse_errors(flow: Flow[T], refuse: Callable[[OAuthError, BaseException | None], U]) -> Flow[T | U]:
    """Return a flow's result, or a refusal whatever happens."""
    try:
        return (yield from flow)
    except Exception as failure:
        return refuse(*refused_as(failure))


def annotate_errors(flow: Flow[T], annotate: Callable[[OAuthError], OAuthError]) -> Flow[T]:
    """Return a flow's result, or raise its error as `annotate` returns it."""
    try:
        return (yield from flow)
    except OAuthError as error:
        raise annotate(error) from error.__cause__


def refused_as(failure: Exception) -> tuple[OAuthError, BaseException | None]:
    """Return the error that a peer is answered with for whatever was raised, and the cause that the log gets."""
    # A refusal that leaves no trace: nothing was committed, so there is nothing to undo.
    if isinstance(failure, OAuthError):
        return failure, None
    # RFC 6749 section 4.1.2.1 and RFC 9110 section 15.6.4: the storage's failure is a 503, with nothing half done.
    if isinstance(failure, EffectFailed):
        return TemporarilyUnavailable(str(failure)), failure
    # A bug ends as a 500 with its traceback in the log, never as a lost connection.
    return ServerError("a bug in the server"), failure


def commit_with_retry(decision: Callable[[], Flow[Decision[T]]]) -> Flow[T]:
    """Decide and commit, again on fresh facts after a conflict; raises what the decision raises."""
    for _ in range(ATTEMPTS):
        try:
            decided = yield from decision()
        except DocumentNeeded as missing:
            _ = yield from fetch_document(missing)
            continue
        # Nothing to commit: a refusal or a plain answer costs no round trip.
        if not decided.changes and not decided.events:
            return decided.value
        if (yield from commit(decided.changes, decided.events)):
            return decided.value
    # Each attempt lost to one that succeeded, so the server as a whole makes progress; this client may retry.
    raise Contended("others were first, every time")


def commit_until_unchanged(decision: Callable[[bool], Flow[Decision[T]]]) -> Flow[tuple[T, ...]]:
    """Decide and commit until a decision changes nothing more; raises what the decision raises.

    This is for decisions that end *all* records of a kind. A record that is inserted between the find and the commit
    breaks none of the commit's preconditions, but the next find sees it. So when this returns, nothing is left that
    existed when the last find began, at no cost for those who insert. `decision` gets whether anything was committed
    before. Returns the values of all committed decisions.
    """
    committed: list[T] = []
    # Twice as many: here a lost race and a successful commit each take a round.
    for _ in range(2 * ATTEMPTS):
        decided = yield from decision(bool(committed))
        if not decided.changes:
            return tuple(committed)
        if (yield from commit(decided.changes, decided.events)):
            committed.append(decided.value)
    raise Contended("there was more to end after every commit")


def total(counts: Flow[tuple[int, ...]]) -> Flow[int]:
    """Return the sum of what a flow counted."""
    return sum((yield from counts))


def fetch_document(missing: DocumentNeeded) -> Flow[Turn]:
    """Fetch a document between two attempts, never within one; a failure is cached as well.

    If another request is fetching it already, `fetch` gives both the same response. Raises `TemporarilyUnavailable` if
    the host has had too many requests, and there is no older document to use.
    """
    documents = missing.documents
    turn = documents.turn(missing)
    # Strangers may choose the host: the limit keeps this server from flooding one (RFC 9101 section 10.4.1).
    if turn is Turn.KNOWN:
        return turn
    stored = missing if isinstance(missing, StoredDocumentNeeded) else None
    if turn is Turn.LATER:
        if stored is None or not stored.is_known:
            raise TemporarilyUnavailable("a host has been asked for too many documents within a minute")
        _ = yield from stored.remember(None)
        return turn
    try:
        answer = yield from reply_to(missing.request)
        if stored is not None:
            _ = yield from stored.remember(answer)
        # That this request gave up waiting says nothing about the other server; the request that fetches caches a
        # failure.
        elif turn is Turn.FETCH or answer is not None:
            _ = documents.keep(missing.url, answer, missing.now, missing.is_readable)
    finally:  # also if the host cancels this request, so that the next one may fetch it
        if turn is Turn.FETCH:
            documents.end_turn(missing.url)
    return turn


# An issuer's metadata at three places, and its keys twice; the rest is for requests that fetch the same.
MOST_DOCUMENTS = 8


def with_documents(decide: Callable[[], T]) -> Flow[T]:
    """Decide what changes nothing, again with each document of another server that it lacked."""
    for _ in range(MOST_DOCUMENTS):
        try:
            return decide()
        except DocumentNeeded as missing:
            _ = yield from fetch_document(missing)
    raise TemporarilyUnavailable("documents of other servers were lacking, every time")


def reply_to(request: Outgoing) -> Flow[Response | None]:
    """Return another server's answer, None if none came."""
    try:
        return (yield from fetch(request))
    except EffectFailed:
        return None
