"""What a storage's library raises in the middle of a command is one line, without what was asked."""

from __future__ import annotations

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy.exc import OperationalError

from oauthcore_h11 import cli
from oauthcore_h11.cli import commands
from oauthcore_h11.engines import trouble

FAILED = OperationalError("UPDATE x SET y", {"secret": "hush"}, Exception("server closed the connection\nunexpectedly"))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FAILED, "the storage failed: server closed the connection"),
        (RedisConnectionError("Connection refused."), "the storage failed: Connection refused."),
        (RedisConnectionError(), "the storage failed: ConnectionError"),
        (ValueError("a bug"), None),
    ],
)
def test_trouble_is_told_in_one_line(error: Exception, said: str | None) -> None:
    assert trouble(error) == said


def test_a_command_that_meets_it_ends_with_one_line_and_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise FAILED

    monkeypatch.setattr(commands, "app", fail)

    with pytest.raises(SystemExit) as ended:
        cli.main(["client", "list"])

    assert ended.value.code == 1
    assert capsys.readouterr().err == "oauthcore: the storage failed: server closed the connection\n"


def test_a_bug_stays_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(commands, "app", fail)

    with pytest.raises(ValueError, match="a bug"):
        cli.main(["client", "list"])
