"""The decorator, on views of both kinds, and what Django makes of a request."""

from __future__ import annotations

import anyio
from django.http import HttpRequest, HttpResponse
from django.test import AsyncRequestFactory, RequestFactory

from oauthcore import MemoryStorage, World
from oauthcore_django.views import protect
from tests.core.resource.test_server import access, knows

protected = protect(knows(access()), World(MemoryStorage()), "read")
HEADERS = {"Authorization": "Bearer a"}


@protected
def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.token.subject)  # type: ignore[attr-defined]  # the decorator's


@protected  # type: ignore[arg-type]  # an async view is one, too
async def asynchronous(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.token.subject)  # type: ignore[attr-defined]  # the decorator's


def ask(request: HttpRequest) -> HttpResponse:
    async def call() -> HttpResponse:
        return await asynchronous(request)  # type: ignore[misc,no-any-return]  # an async view's answer is awaited

    return anyio.run(call)


def test_view_is_called_with_a_token() -> None:
    assert plain(RequestFactory().get("/", headers=HEADERS)).content == b"alice"  # type: ignore[attr-defined]


def test_view_is_not_called_without_one() -> None:
    response = plain(RequestFactory().get("/"))

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="api", scope="read"'


def test_async_view_is_awaited_with_a_token() -> None:
    assert ask(AsyncRequestFactory().get("/", headers=HEADERS)).content == b"alice"


def test_async_view_is_not_called_without_one() -> None:
    assert ask(AsyncRequestFactory().get("/")).status_code == 401
