"""Differences between two responses: each in a line, by its name."""

from __future__ import annotations

from typing import Any

from oauthcore.trace.differences import differences

GIVEN: dict[str, Any] = {
    "status": 200,
    "headers": [["A", "1"], ["B", "2"], ["Set-Cookie", "a"], ["Set-Cookie", "b"]],
    "body": {"token": "abc", "scope": "email"},
    "refusal": None,
}


def test_what_is_the_same_has_none() -> None:
    assert differences(GIVEN, GIVEN) == []


def test_each_is_told_by_its_name() -> None:
    said = {
        "status": 400,
        "headers": [["A", "9"], ["C", "3"], ["Set-Cookie", "a"]],
        "body": {"error": "x", "scope": "profile"},
        "refusal": {"code": "invalid_grant", "reason": "it has expired"},
    }

    assert differences(said, GIVEN) == [
        "status: 400; recorded: 200",
        "reason: invalid_grant: it has expired; recorded: none",
        "header A: '9'; recorded: '1'",
        "header B: none; recorded: present",
        "header Set-Cookie: 'a'; recorded: 'a, b'",
        "header C: '3'; recorded: none",
        "member token: none; recorded: present",
        "member scope: 'profile'; recorded: 'email'",
        "member error: 'x'; recorded: none",
    ]


def test_a_body_that_is_no_object_is_told_whole() -> None:
    assert differences({**GIVEN, "body": None}, GIVEN) == [f"body: None; recorded: {GIVEN['body']!r}"]
