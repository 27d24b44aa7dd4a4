"""Since when somebody is signed in: what the session at hand says, whatever happened at other browsers."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from django.contrib.auth import login
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import Client as Browser
from django.test import RequestFactory

from oauthcore import Client, Login, Secret, run
from oauthcore_django.auth_time import KEY
from oauthcore_django.views import login_of
from tests.core.site import CHALLENGE
from tests.django.urls import first, world

REDIRECT = "https://app.example/cb"
YESTERDAY = int(time.time()) - 86_400


@pytest.fixture
def alice() -> User:
    return User.objects.create(username="alice")


def signed_in(person: User) -> HttpRequest:
    """Return a request of a browser where that person has just signed in."""
    request = RequestFactory().get("/")
    request.session = SessionStore()
    request.user = AnonymousUser()
    login(request, person, backend="django.contrib.auth.backends.ModelBackend")
    return request


def test_sign_in_elsewhere_does_not_refresh_a_session(alice: User) -> None:
    here = signed_in(alice)
    here.session[KEY] = YESTERDAY

    elsewhere = signed_in(alice)

    assert login_of(here) == Login(subject=str(alice.pk), auth_time=YESTERDAY)
    found = login_of(elsewhere)
    assert found is not None
    assert found.auth_time > YESTERDAY


def test_second_sign_in_of_a_session_is_later_than_its_first(alice: User) -> None:
    request = signed_in(alice)
    request.session[KEY] = first_time = int(time.time()) + 100  # as if within the same second

    login(request, alice, backend="django.contrib.auth.backends.ModelBackend")

    found = login_of(request)
    assert found is not None
    assert found.auth_time == first_time + 1


def test_session_that_does_not_say_when_it_began_is_nobodys(alice: User) -> None:
    request = signed_in(alice)
    del request.session[KEY]

    assert login_of(request) is None


def test_user_without_a_session_is_nobody(alice: User) -> None:
    """Whoever is told by a header has not signed in at a moment that is known here."""
    request = RequestFactory().get("/")
    request.user = alice

    assert login_of(request) is None


def test_old_session_does_not_pass_prompt_login_after_a_sign_in_elsewhere(alice: User) -> None:
    """OIDC Core section 3.1.2.1."""
    app = Client(client_id="app", redirect_uris=[REDIRECT], scope="profile")
    _ = run(first.server.clients.register(app, Secret("s" * 32)), world)
    here, elsewhere = Browser(), Browser()
    here.force_login(alice)
    session = here.session
    session[KEY] = YESTERDAY
    session.save()
    User.objects.update(last_login=datetime.fromtimestamp(YESTERDAY, UTC))
    asked = {"client_id": "app", "response_type": "code", "redirect_uri": REDIRECT, "scope": "profile"}
    asked |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256", "prompt": "login", "max_age": "1"}
    sent_on = here.get(f"/authorize?{urlencode(asked)}")
    handle = sent_on["Location"].partition("interaction=")[2]

    elsewhere.force_login(alice)
    request = RequestFactory().get("/")
    request.session, request.user = here.session, User.objects.get(pk=alice.pk)
    reported = login_of(request)
    assert reported is not None
    answer = first.interactions.finish(handle, subject=reported)

    assert answer["Location"].startswith("/consent?"), "the person is asked to sign in"
    pending = first.interactions.find(handle, reported)
    assert pending is not None
    assert pending.need == "login"
