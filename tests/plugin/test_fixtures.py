"""The fixtures in somebody else's project: each test has an issuer of its own, and nothing needs a configuration."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

Project = Callable[..., pytest.RunResult]


def test_a_protected_route_is_tested_by_one_fixture(project: Project) -> None:
    result = project(
        """
        import time, httpx

        def test_discovery_and_keys(oauth_issuer, oauth_token):
            metadata = httpx.get(f"{oauth_issuer.url}/.well-known/openid-configuration").json()
            keys = httpx.get(metadata["jwks_uri"]).json()["keys"]

            assert metadata["issuer"] == oauth_issuer.url
            assert {key["alg"] for key in keys} == {"ES256", "RS256"}
            assert oauth_token("bob", scope="read").count(".") == 2
        """
    )

    result.assert_outcomes(passed=1)


def test_a_login_goes_over_a_socket_as_a_browser_does_it(project: Project) -> None:
    result = project(
        """
        import httpx

        def test_login(oauth_issuer, oauth_client, oauth_user):
            with httpx.Client(base_url=oauth_issuer.url) as http:
                asked = {"client_id": oauth_client.client_id, "response_type": "code", "scope": "openid",
                         "redirect_uri": "http://testserver/cb", "nonce": "n"}
                back = http.get("/authorize", params=asked)
                assert back.headers["location"].startswith("http://testserver/cb?code=")
                form = {"grant_type": "authorization_code", "redirect_uri": "http://testserver/cb",
                        "code": httpx.URL(back.headers["location"]).params["code"]}
                tokens = http.post("/token", data=form, auth=oauth_client.auth).json()
                bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
                assert http.get("/userinfo", headers=bearer).json()["sub"] == oauth_user.sub
            oauth_issuer.requests.assert_sent("token", grant_type="authorization_code")
        """
    )

    result.assert_outcomes(passed=1)


def test_each_test_has_an_issuer_of_its_own(project: Project) -> None:
    result = project(
        """
        import pytest

        seen = []

        @pytest.mark.parametrize("number", [1, 2])
        def test_alone(number, oauth_issuer, oauth_server):
            assert len(oauth_issuer.requests) == 0
            assert oauth_issuer.url not in seen
            assert oauth_server.issuers == (oauth_issuer,)
            oauth_issuer.clock.advance(3600)
            oauth_issuer.user("alice", email="changed@example.com")
            oauth_issuer.metadata
            seen.append(oauth_issuer.url)

        def test_clock_and_people_are_new(oauth_clock, oauth_user, oauth_issuer):
            import time
            assert abs(oauth_clock() - time.time()) < 60
            assert oauth_user.claims["email"] == "alice@example.com"
        """
    )

    result.assert_outcomes(passed=3)


def test_a_fault_that_no_request_has_met_fails_the_test(project: Project) -> None:
    result = project(
        """
        def test_forgotten(oauth_issuer):
            oauth_issuer.fail_next("token", 500)
        """
    )

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*no request has met the fault that was prepared: token: Status(status=500)*"])


def test_a_failed_test_shows_what_the_issuer_was_asked(project: Project) -> None:
    result = project(
        """
        import httpx

        def test_fails(oauth_issuer, oauth_client):
            form = {"grant_type": "authorization_code", "code": "wrong"}
            assert httpx.post(f"{oauth_issuer.url}/token", data=form, auth=oauth_client.auth).status_code == 200

        def test_passes(oauth_issuer):
            httpx.get(f"{oauth_issuer.url}/jwks")
        """
    )

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*OAuth requests*", "*POST /t1/token -> 400 invalid_grant: *"])
    result.stdout.no_fnmatch_line("*/jwks*")


def test_an_application_in_the_process_needs_no_socket(project: Project) -> None:
    result = project(
        """
        import httpx, pytest, socket

        @pytest.fixture(scope="session")
        def oauth_url():
            return "https://login.example"

        @pytest.fixture(autouse=True)
        def without_sockets(monkeypatch):
            def refuse(*args):
                raise AssertionError("a socket is opened")
            monkeypatch.setattr(socket.socket, "bind", refuse)
            monkeypatch.setattr(socket.socket, "connect", refuse)

        def test_wsgi(oauth_issuer, oauth_app):
            assert oauth_issuer.url.startswith("https://login.example/")
            with httpx.Client(transport=httpx.WSGITransport(oauth_app.wsgi)) as http:
                assert http.get(oauth_issuer.metadata["jwks_uri"]).json() == oauth_issuer.jwks
                assert http.post(f"{oauth_issuer.url}/token").status_code == 400

        async def fetched(oauth_issuer, oauth_app):
            async with httpx.AsyncClient(transport=httpx.ASGITransport(oauth_app.asgi)) as http:
                return [(await http.get(oauth_issuer.metadata["jwks_uri"])).json(),
                        (await http.post(f"{oauth_issuer.url}/token", data={"a": "b"})).status_code]

        @pytest.mark.anyio
        @pytest.mark.parametrize("anyio_backend", ["asyncio"])
        async def test_asgi(oauth_issuer, oauth_app):
            assert await fetched(oauth_issuer, oauth_app) == [oauth_issuer.jwks, 400]
        """
    )

    result.assert_outcomes(passed=2)


def test_an_issuer_of_the_session_lasts_for_all_tests(project: Project) -> None:
    result = project(
        """
        import pytest

        @pytest.fixture(scope="session")
        def app_issuer(oauth_server):
            return oauth_server.issuer("realms/acme")

        def test_one(app_issuer):
            app_issuer.user("bob")

        def test_other(app_issuer, oauth_server):
            assert app_issuer is oauth_server.issuer("realms/acme")
            assert app_issuer.url.endswith("/realms/acme")
            assert [user.sub for user in app_issuer.people.all()] == ["alice", "bob"]
        """
    )

    result.assert_outcomes(passed=2)


def test_a_suite_that_does_not_use_the_plugin_imports_nothing_of_it() -> None:
    script = "import sys, pytest; old = set(sys.modules); import oauthcore_pytest.plugin; print(set(sys.modules) - old)"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert eval(done.stdout) == {"oauthcore_pytest", "oauthcore_pytest.plugin"}


@pytest.mark.slow
def test_the_extra_is_enough() -> None:
    """Nothing is imported that `pip install "oauthcore[pytest]"` does not bring."""
    script = """
import sys
absent = "jinja2 itsdangerous argon2 prometheus_client cyclopts rich sqlalchemy redis httpx hypothesis".split(" ")
sys.modules.update(dict.fromkeys(absent))
from oauthcore_pytest.serving import served
from oauthcore_pytest.applications import Applications
import oauthcore_pytest.attacks, oauthcore_pytest.conformance
with served() as provider:
    issuer = provider.issuer()
    assert issuer.token() and issuer.client() and issuer.jwks and Applications(provider).asgi
"""

    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


def test_url_of_a_part_of_the_tests_is_a_mistake_that_is_named(project: Callable[..., pytest.RunResult]) -> None:
    result = project(
        """
        import pytest

        def test_first(oauth_issuer):
            pass

        class TestOther:
            @pytest.fixture(scope="session")
            def oauth_url(self):
                return "https://login.example"

            def test_second(self, oauth_issuer):
                pass
        """
    )

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["oauth_url is https://login.example here, *define oauth_url in the conftest.py*"])
