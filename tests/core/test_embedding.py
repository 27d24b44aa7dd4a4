"""What an application has of its own: a page, a prefix, a bare subject, a form that no other site can send."""

from __future__ import annotations

import attrs
import pytest

from oauthcore import (
    AuthorizationServer,
    ConfigurationError,
    Login,
    MemoryStorage,
    Paths,
    Request,
    Response,
    World,
    run,
)
from oauthcore.flow.outcome import Insert
from oauthcore.testing import FixedClock, SeededEntropy
from tests.core.site import CHALLENGE, PUBLIC, TOKEN_KEY

NOW = 1_000_000
ALICE = Login(subject="alice", auth_time=NOW - 3600)


@attrs.define
class Application:
    """Be an application with a server in it, and one browser that visits."""

    server: AuthorizationServer
    world: World
    clock: FixedClock
    cookie: str = ""

    def ask(self, login: Login | None = None, **more: str) -> str:
        """Make an authorization request; give where the browser is sent."""
        query = f"client_id=public&response_type=code&scope=email&redirect_uri={PUBLIC.redirect_uris[0]}"
        query += f"&code_challenge_method=S256&code_challenge={CHALLENGE}"
        query += "".join(f"&{name}={value}" for name, value in more.items())
        path = self.server.base + self.server.paths.authorization
        response = run(self.server.handle(Request("GET", f"{path}?{query}"), login), self.world)
        self.cookie = (response.header("set-cookie") or "").partition(";")[0]
        return response.header("location") or ""

    def handle(self, login: Login | None = None, **more: str) -> str:
        """Make one; give the interaction's handle."""
        return self.ask(login, **more).partition("interaction=")[2]

    def request(self) -> Request:
        """Return a request of the browser's, to a page of the application's."""
        return Request("POST", "/consent", (("Cookie", self.cookie),))

    def finish(self, handle: str, login: Login | str) -> Response:
        """Report who allowed it."""
        return run(self.server.interactions.finish(handle, login, ["email"]), self.world)

    def auth_time(self, handle: str) -> int | None:
        """Return when the person that an interaction knows signed in."""
        pending = run(self.server.interactions.find(handle), self.world)
        assert pending is None or pending.login is not None
        return None if pending is None or pending.login is None else pending.login.auth_time


def application(issuer: str = "https://as.example/t", paths: Paths | None = None) -> Application:
    clock, storage = FixedClock(NOW), MemoryStorage()
    assert storage.commit([Insert(PUBLIC)])
    server = AuthorizationServer(issuer=issuer, paths=paths, clock=clock, entropy=SeededEntropy(1), token_key=TOKEN_KEY)
    return Application(server, World(storage), clock)


@pytest.mark.parametrize("page", ["/consent", "https://example.com/consent", "http://localhost:8000/consent"])
@pytest.mark.parametrize("login", [None, ALICE])
def test_one_page_of_the_applications_own_is_for_both_questions(page: str, login: Login | None) -> None:
    assert application(paths=Paths(interaction=page)).ask(login).startswith(f"{page}?interaction=")


@pytest.mark.parametrize(
    "page", ["consent", "//evil.example", "http://example.com/", "https:///x", "/a?b", "/a b", "/a\n"]
)
def test_page_that_can_not_be_is_refused(page: str) -> None:
    with pytest.raises(ConfigurationError, match=r"paths\.interaction"):
        Paths(interaction=page)


def test_prefix_is_in_front_of_every_path() -> None:
    paths = Paths.below("/auth", interaction="/consent")

    assert (paths.token, paths.resume, paths.login) == ("/auth/token", "/auth/authorize/resume", "/auth/login")
    assert paths.interaction == "/consent"
    server = application("https://as.example", paths).server
    assert server.owns("/auth/token")
    assert server.metadata_paths == ("/.well-known/oauth-authorization-server",)
    assert set(server.endpoint_paths).isdisjoint(server.metadata_paths)


def test_bare_subject_is_who_was_signed_in_when_the_request_came() -> None:
    app = application()
    handle = app.handle(ALICE)

    assert app.auth_time(handle) == ALICE.auth_time
    assert "proof=" in (app.finish(handle, "alice").header("location") or "")
    app.clock.now += 1
    assert app.finish(handle, "alice").status == 303


def test_bare_subject_of_somebody_else_has_signed_in_just_now() -> None:
    app = application()
    handle = app.handle(ALICE)

    # What was shown to alice, bob has not seen: bob is asked anew.
    response = app.finish(handle, "bob")

    assert "/t/consent?" in (response.header("location") or "")
    assert app.auth_time(handle) == NOW


def test_saying_yes_is_not_signing_in_again() -> None:
    """OIDC Core section 3.1.2.1: prompt=login asks for it, whoever is signed in."""
    app = application()
    handle = app.handle(ALICE, prompt="login")

    assert "/t/login?" in (app.finish(handle, ALICE).header("location") or "")
    assert "proof=" in (app.finish(handle, "alice").header("location") or "")


def test_form_is_known_by_its_browser_and_its_interaction() -> None:
    """RFC 9700 section 4.7."""
    app = application()
    handle = app.handle()
    token = app.server.interactions.form_token(app.request(), handle)

    assert token
    assert app.server.interactions.is_form_token(app.request(), handle, token)
    assert not app.server.interactions.is_form_token(app.request(), handle + "x", token)
    assert not app.server.interactions.is_form_token(app.request(), handle, "")
    assert not app.server.interactions.is_form_token(Request("POST", "/consent"), handle, token)
    app.handle()
    assert not app.server.interactions.is_form_token(app.request(), handle, token)


def test_browser_that_has_nothing_gets_no_form_that_would_count() -> None:
    app = application()
    request = Request("POST", "/consent")

    assert app.server.interactions.form_token(request, "x") == ""
    assert not app.server.interactions.is_form_token(request, "x", "")
