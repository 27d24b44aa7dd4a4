"""The log: one line a record, whatever is in it."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

from oauthcore.tracebacks import CAUSES
from oauthcore_h11.logs import JsonLines, TextLines, request_id, set_up


def record(message: str, fields: dict[str, object] | None = None, *, failed: bool = False) -> logging.LogRecord:
    try:
        raise OSError("disk full")
    except OSError:
        made = logging.LogRecord(
            "oauthcore.access", logging.INFO, "", 1, message, (), sys.exc_info() if failed else None
        )
    made.created = 784_111_777.25
    if fields is not None:
        made.fields = fields
    return made


@pytest.fixture
def named() -> Iterator[None]:
    """Be within a request."""
    token = request_id.set("abc")
    yield
    request_id.reset(token)


def test_line_for_people_has_the_fields_after_the_message(named: None) -> None:
    line = TextLines().format(record("GET /token", {"status": 200, "reason": "so it is", "error": None, "empty": ""}))

    assert line == '1994-11-06T08:49:37.250Z INFO GET /token request_id=abc status=200 reason="so it is" empty=""'


def test_line_for_programs_is_json(named: None) -> None:
    members = json.loads(JsonLines().format(record("GET /token", {"status": 200})))

    assert members == {
        "time": "1994-11-06T08:49:37.250Z",
        "level": "info",
        "logger": "oauthcore.access",
        "message": "GET /token",
        "request_id": "abc",
        "status": 200,
    }


def test_failure_comes_with_its_traceback() -> None:
    assert "OSError: disk full" in json.loads(JsonLines().format(record("failed", failed=True)))["traceback"]
    assert TextLines().format(record("failed", failed=True)).endswith("OSError: disk full")


@attrs.define
class Log:
    """Be a log that is written to at times that a test says."""

    lines: JsonLines = attrs.field(factory=JsonLines)
    now: float = 784_111_777.0

    def has_of(self, failing: Callable[[], object]) -> dict[str, Any]:
        """Return the line of a failure, as its members."""
        failed = logging.LogRecord("oauthcore.errors", logging.ERROR, "", 1, "POST /token failed", (), None)
        try:
            failing()
        except Exception:
            failed.exc_info = sys.exc_info()
        failed.created = self.now
        members: dict[str, Any] = json.loads(self.lines.format(failed))
        return members


def locked() -> None:
    raise OSError("database is locked")


def full() -> None:
    raise OSError("disk is full")


def unavailable() -> None:
    try:
        locked()
    except OSError as error:
        raise RuntimeError("the storage does not answer") from error


def test_failure_that_goes_on_is_a_line_each_and_a_traceback_a_minute_with_the_count() -> None:
    log = Log()

    first = log.has_of(locked)
    again = [log.has_of(locked) for _ in range(3)]
    log.now += 60
    later = log.has_of(locked)

    assert "traceback" in first
    assert "repeated" not in first
    assert [(line.get("traceback"), line["failure"]) for line in again] == [(None, "OSError: database is locked")] * 3
    assert "traceback" in later
    assert later["repeated"] == 3


def test_failure_of_another_cause_has_a_traceback_of_its_own() -> None:
    log = Log()

    assert "traceback" in log.has_of(locked)
    assert "traceback" in log.has_of(full)


def test_cause_is_what_was_raised_first_whatever_it_was_made_into() -> None:
    log = Log()
    log.has_of(unavailable)

    line = log.has_of(unavailable)

    assert line["failure"] == "RuntimeError: the storage does not answer (from OSError: database is locked)"


def test_number_in_a_failures_words_makes_no_other_cause() -> None:
    log = Log()

    def fails(number: int) -> Callable[[], object]:
        return lambda: int(f"x{number}")

    assert "traceback" in log.has_of(fails(1))
    assert "traceback" not in log.has_of(fails(2))


def test_whoever_makes_up_causes_gets_lines_and_no_more_tracebacks_than_are_remembered() -> None:
    log = Log()

    def fails(words: str) -> Callable[[], object]:
        return lambda: int(words)

    shown = ["traceback" in log.has_of(fails("x" * length)) for length in range(1, CAUSES + 10)]
    log.now += 60

    assert shown.count(True) == CAUSES
    assert "traceback" in log.has_of(fails("another"))


def test_clock_that_is_set_back_hides_no_traceback_for_ever() -> None:
    log = Log()
    log.has_of(locked)
    log.now -= 3_600

    assert "traceback" in log.has_of(locked)


def test_message_never_looks_like_two() -> None:
    forged = "GET /\n1994-11-06 INFO forged"

    assert "\n" not in TextLines().format(record(forged, {"a": "b\nc"}))
    assert "\n" not in JsonLines().format(record(forged, {"a": "b\nc"}))


@pytest.mark.parametrize("json_lines", [True, False])
def test_everything_goes_to_standard_error(json_lines: bool, capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        set_up(json_lines=json_lines, level="warning")
        logging.getLogger("oauthcore.test").info("unheard")
        logging.getLogger("oauthcore.test").warning("heard")
    finally:
        root.handlers[:] = before
        root.setLevel(level)

    said, logged = capsys.readouterr()
    assert said == ""
    assert logged.count("\n") == 1
    assert logged.startswith("{") is json_lines
