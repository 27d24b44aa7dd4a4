"""Django below a prefix: the rows of `tests/hosts/test_prefixes.py` that take Django to be set up."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import include, path

from oauthcore_django.views import OAuth
from tests.hosts.prefixes import (
    ISSUERS,
    MINE,
    TOKEN_KEY,
    by_asgi,
    by_wsgi,
    check,
    check_own,
    check_root,
    register,
    world_of,
)

API = "/api"
issuers = pytest.mark.parametrize("issuer", ISSUERS)


def made(issuer: str, prefix: str = "") -> OAuth:
    oauth = OAuth.at(issuer, world_of(), TOKEN_KEY, interaction="/consent", login=lambda _: None, prefix=prefix)
    register(oauth)
    return oauth


def mine(_: HttpRequest) -> HttpResponse:
    return HttpResponse(MINE)


def urls(oauth: OAuth) -> tuple[Any, ...]:
    return (*oauth.urls, path("token", mine))


@issuers
def test_at_the_hosts_root(issuer: str) -> None:
    with override_settings(ROOT_URLCONF=urls(made(issuer))):
        check(by_wsgi(WSGIHandler()), issuer)
        check_root(by_wsgi(WSGIHandler()), issuer)
        check_own(by_wsgi(WSGIHandler()), "/token")


@issuers
def test_below_a_script_name(issuer: str) -> None:
    with override_settings(ROOT_URLCONF=urls(made(issuer))):
        check(by_wsgi(WSGIHandler(), API), issuer)


@issuers
@pytest.mark.parametrize("keeps", [True, False], ids=["kept in the path", "cut off the path"])
def test_below_a_root_path(issuer: str, *, keeps: bool) -> None:
    with override_settings(ROOT_URLCONF=urls(made(issuer))):
        check(by_asgi(ASGIHandler(), API, keeps=keeps), issuer)


@issuers
def test_below_a_forced_script_name(issuer: str) -> None:
    with override_settings(ROOT_URLCONF=urls(made(issuer)), FORCE_SCRIPT_NAME=API):
        check(by_wsgi(WSGIHandler(), cut=API), issuer)
        check_root(by_wsgi(WSGIHandler()), issuer)


@issuers
def test_behind_a_proxy_that_cuts_the_prefix_off(issuer: str) -> None:
    with override_settings(ROOT_URLCONF=urls(made(issuer, API))):
        check(by_wsgi(WSGIHandler(), cut=API), issuer)


@issuers
def test_included_below_a_path(issuer: str) -> None:
    """What a path is included below is nothing that a pattern is told of: the `prefix` says it."""
    oauth = made(issuer, API)
    with override_settings(ROOT_URLCONF=(path("api/", include(oauth.urls)), *oauth.urls)):
        check(by_wsgi(WSGIHandler()), issuer)
        check_root(by_wsgi(WSGIHandler()), issuer)
