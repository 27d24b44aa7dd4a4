"""Tracebacks: once a minute for each cause, and counted in between."""

from __future__ import annotations

from oauthcore.tracebacks import CAUSES, TRACEBACK_EVERY, Tracebacks, words_of


def failure(words: str, cause: Exception | None = None) -> Exception:
    """Return an exception as it is caught."""
    try:
        raise OSError(words) from cause
    except OSError as error:
        return error


def test_a_cause_is_shown_once_a_minute_with_how_often_it_has_happened_since() -> None:
    tracebacks = Tracebacks()

    shown = [tracebacks.repeated(failure("away"), now) for now in (0.0, 1.0, 2.0, TRACEBACK_EVERY)]

    assert shown == [0, None, None, 2]


def test_numbers_make_no_other_cause_and_words_do() -> None:
    tracebacks = Tracebacks()

    shown = [tracebacks.repeated(failure(words), 0.0) for words in ("port 1", "port 2", "disk full")]

    assert shown == [0, None, 0]


def test_whoever_makes_up_causes_gets_no_tracebacks_until_old_ones_are_over() -> None:
    tracebacks = Tracebacks()
    for number in range(CAUSES):
        assert tracebacks.repeated(failure("x" * number), 0.0) == 0

    assert tracebacks.repeated(failure("new"), 1.0) is None
    assert tracebacks.repeated(failure("new"), TRACEBACK_EVERY) == 0


def test_a_line_names_what_a_failure_came_from() -> None:
    assert words_of(failure("outer", ValueError("inner"))) == "OSError: outer (from ValueError: inner)"
    assert words_of(failure("alone")) == "OSError: alone"
