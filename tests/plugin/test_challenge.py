"""Assertions about what a resource server says to who may not."""

from __future__ import annotations

from importlib import import_module

import httpx
import pytest
from flask import Response as FlaskResponse

from oauthcore import Response
from oauthcore_pytest import assert_challenge

NARROW = 'Bearer realm="api", error="insufficient_scope", error_description="It, \\"too\\".", scope="read write"'


def answered(status: int, *headers: str) -> httpx.Response:
    """Return a response with those challenges."""
    return httpx.Response(status, headers=[("WWW-Authenticate", header) for header in headers])


def test_a_challenge_is_read() -> None:
    challenge = assert_challenge(answered(403, NARROW), error="insufficient_scope", scope="write read")

    assert challenge.parameters["error_description"] == 'It, "too".'
    assert challenge.resource_metadata is None


@pytest.mark.parametrize("header", ["Bearer", "bearer", 'Basic realm="x", Bearer', 'Bearer realm="x", Basic realm="y"'])
def test_who_has_no_token_is_told_no_error(header: str) -> None:
    assert assert_challenge(answered(401, header)).error is None


def test_a_challenge_says_where_the_resource_describes_itself() -> None:
    where = "https://api.example/.well-known/oauth-protected-resource"

    assert_challenge(answered(401, f'Bearer resource_metadata="{where}"'), resource_metadata=where)
    with pytest.raises(AssertionError, match="resource_metadata is None"):
        assert_challenge(answered(401, "Bearer"), resource_metadata=where)


@pytest.mark.parametrize(
    ("response", "wanted", "says"),
    [
        (answered(200, NARROW), {"error": "insufficient_scope"}, "the status is 200, and not 403"),
        (answered(403), {"error": "insufficient_scope"}, "there is no WWW-Authenticate"),
        (answered(401, 'Basic realm="Bearer"'), {}, "for no bearer token"),
        (answered(401, 'Bearer error="invalid_token"'), {}, "the error is invalid_token, and not None"),
        (answered(403, NARROW), {"error": "insufficient_scope", "scope": "read"}, r"the scope is \['read', 'write'\]"),
    ],
)
def test_what_is_there_instead_is_said(response: httpx.Response, wanted: dict[str, str], says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        assert_challenge(response, error=wanted.get("error"), scope=wanted.get("scope"))


def test_the_responses_of_each_framework_are_read() -> None:
    from django.conf import settings
    from django.http import HttpResponse

    if not settings.configured:
        import_module("tests.django.conftest")
    django = HttpResponse(status=403)
    django["WWW-Authenticate"] = NARROW
    pair = ("WWW-Authenticate", NARROW)

    for response in (django, FlaskResponse(status=403, headers=[pair]), Response(403, (pair,))):
        assert_challenge(response, error="insufficient_scope", scope="read write")
