"""The demo: what it tells its operator, which is never what it was told in confidence."""

from __future__ import annotations

import logging

import pytest

from oauthcore import Refusal, Request, Response
from oauthcore_h11.demo import log_refusal

ASKED = Request("GET", "/login?code=hush")


def test_reason_of_a_refusal_is_logged_without_the_query(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    log_refusal(ASKED, Response(400, refusal=Refusal("invalid_grant", "the code is unknown")))

    (record,) = caplog.records
    assert (record.levelno, record.exc_info) == (logging.INFO, None)
    assert record.getMessage() == "GET /login: 400 invalid_grant: the code is unknown"
    assert "hush" not in caplog.text


def test_cause_of_a_refusal_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    refusal = Refusal("temporarily_unavailable", "no answer", OSError("disk full"))

    log_refusal(ASKED, Response(503, refusal=refusal))

    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "GET /login: 503 temporarily_unavailable: no answer"
    assert "OSError: disk full" in caplog.text


def test_what_was_not_refused_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    log_refusal(ASKED, Response(200))

    assert not caplog.records
