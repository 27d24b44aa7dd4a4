"""The only commit: run a flow to its outcome, commit it, decide again where somebody else was first.

This is the one place that may guard a `yield from`, and the one that turns whatever went wrong into a response.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from oauthcore.effects import Flow, commit
from oauthcore.errors import OAuthError, ServerError, TemporarilyUnavailable, Unanswered
from oauthcore.http import Response
from oauthcore.outcome import Outcome

# Two requests that meet need one more try; more than a few mean that a crowd wants the same record, and waiting
# helps more than insisting.
ATTEMPTS = 5

T = TypeVar("T")
Refuse = Callable[[OAuthError, BaseException | None], Response]


def transact(decision: Callable[[], Flow[Outcome]], refuse: Refuse) -> Flow[Response]:
    """Decide, commit, answer; whatever happens, a response leaves.

    `decision` makes the flow afresh for each attempt; `refuse` gives an error the form that its endpoint's peers read.
    """
    return guard(agree(decision), refuse)


def guard(flow: Flow[T], refuse: Refuse) -> Flow[T | Response]:
    """Give a flow's result, or a refusal whatever happens."""
    try:
        return (yield from flow)
    except OAuthError as error:
        return refuse(error, None)
    except Unanswered as failure:
        return refuse(TemporarilyUnavailable(str(failure)), failure)
    except Exception as bug:  # a bug ends as a 500 with its traceback in the log, never as a lost connection
        return refuse(ServerError("a bug in the server"), bug)


def agree(decision: Callable[[], Flow[Outcome]]) -> Flow[Response]:
    """Decide and commit, again on fresh facts where somebody else was first; raises what the decision raises."""
    for _ in range(ATTEMPTS):
        outcome = yield from decision()
        if not outcome.changes and not outcome.events:
            return outcome.response
        if (yield from commit(outcome.changes, outcome.events)):
            return outcome.response
    raise TemporarilyUnavailable("others were first, every time")
