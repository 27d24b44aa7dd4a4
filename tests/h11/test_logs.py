"""The log: one line a record, whatever is in it."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator

import pytest

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
