"""A server that is killed in the middle of its work, again and again: nothing that a client was told is lost.

Clients redeem and refresh on several connections, some codes twice at once, until the server is gone. Then it is
started again on the same file, what was left open is tried again, and it goes on.
"""

from __future__ import annotations

import json
import random
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Condition
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs
import httpx
import pytest

from tests.h11.installation import Installation, Running
from tests.pages.html import Page
from tests.processes import PATIENCE
from tests.scale import scaled

KILLS = scaled(12, 50)
CONNECTIONS = 4
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
# Tokens outlive the test on the slowest machine: what is not active at its end has been lost.
CONFIGURATION = """
[logs]
level = "error"

[limits]
refusals_per_minute = 0

[lifetimes]
access_token_lifetime = 86400

[[clients]]
client_id = "app"
secret = "app-secret"
redirect_uris = ["https://app.example/cb"]
scope = "email"
"""
AUTHORIZE = "/authorize?" + urlencode(
    {
        "client_id": "app",
        "response_type": "code",
        "scope": "email",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
)


class Gone(Exception):
    """Report that the server did not answer."""


@attrs.define
class Told:
    """Remember what clients were told, over all the server's lives."""

    redeemed: Counter[str] = attrs.Factory(Counter)
    access_tokens: list[str] = attrs.Factory(list)
    refresh_tokens: list[str] = attrs.Factory(list)
    open_codes: list[str] = attrs.Factory(list)
    open_refreshes: list[str] = attrs.Factory(list)
    answers: int = 0
    observed: Condition = attrs.Factory(Condition)

    def count(self) -> None:
        """Count an answer."""
        with self.observed:
            self.answers += 1
            self.observed.notify_all()


@attrs.define
class Caller:
    """Be one connection of the client's, with the browser of somebody who is signed in and has been asked before."""

    running: Running
    cookies: str
    told: Told
    connection: HTTPConnection | None = None

    def ask(self, method: str, target: str, form: dict[str, str] | None = None) -> Any:
        """Ask; give the response's status, location and body. Raises `Gone`."""
        host, _, port = self.running.bind.rpartition(":")
        self.connection = self.connection or HTTPConnection(host, int(port), timeout=60)
        basic = b64encode(b"app:app-secret").decode()
        headers = {"Cookie": self.cookies} if form is None else {"Authorization": f"Basic {basic}"}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            self.connection.request(method, target, urlencode(form or {}), headers)
            response = self.connection.getresponse()
            body = response.read()
        except (OSError, HTTPException):
            self.connection.close()
            raise Gone from None
        self.told.count()
        return response.status, response.headers.get("location", ""), body

    def close(self) -> None:
        """Hang up."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def code(self) -> str:
        """Get a code."""
        status, location, body = self.ask("GET", AUTHORIZE)
        assert status == 303, body
        parameters: dict[str, str] = dict(parse_qsl(urlsplit(location).query))
        return parameters["code"]

    def redeem(self, code: str) -> dict[str, Any] | None:
        """Redeem a code; count it if that was right."""
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
        status, _, body = self.ask("POST", "/token", form)
        if status != 200:
            assert json.loads(body)["error"] == "invalid_grant", body
            return None
        self.told.redeemed[code] += 1
        members: dict[str, Any] = json.loads(body)
        return members

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        """Refresh: an honest client's always works, be it the second time."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        status, _, body = self.ask("POST", "/token", form)
        assert status == 200, body
        members: dict[str, Any] = json.loads(body)
        return members

    def is_active(self, token: str) -> bool:
        """Ask whether a token is good: a client asks about its own."""
        _, _, body = self.ask("POST", "/introspect", {"token": token})
        return bool(json.loads(body)["active"])


def honest(caller: Caller) -> None:
    """Redeem a code once, and refresh what it gave."""
    told = caller.told
    code = caller.code()
    told.open_codes.append(code)
    tokens = caller.redeem(code)
    told.open_codes.remove(code)
    assert tokens is not None
    told.access_tokens.append(tokens["access_token"])
    told.open_refreshes.append(tokens["refresh_token"])
    keep_refreshed(caller, tokens["refresh_token"])


def keep_refreshed(caller: Caller, refresh_token: str) -> None:
    """Refresh; what was open is settled then."""
    tokens = caller.refresh(refresh_token)
    caller.told.open_refreshes.remove(refresh_token)
    caller.told.access_tokens.append(tokens["access_token"])
    caller.told.refresh_tokens.append(tokens["refresh_token"])


def greedy(caller: Caller) -> None:
    """Redeem a code twice at once."""
    code = caller.code()
    other = Caller(caller.running, caller.cookies, caller.told)
    with ThreadPoolExecutor(2) as pool:
        tries = [pool.submit(one.redeem, code) for one in (caller, other)]
        failures = [each.exception() for each in tries]
    other.close()
    for failure in failures:
        if failure is not None:
            raise failure


def until_gone(behave: Callable[[Caller], None], caller: Caller) -> None:
    """Go on until the server is gone."""
    try:
        while True:
            behave(caller)
    except Gone:
        return
    finally:
        caller.close()


def settle(caller: Caller) -> None:
    """Try again what the last life of the server left open."""
    for code in caller.told.open_codes[:]:
        # Whether the server had redeemed it before it died, nobody knows; but it is never redeemed twice.
        caller.redeem(code)
        caller.told.open_codes.remove(code)
    for refresh_token in caller.told.open_refreshes[:]:
        keep_refreshed(caller, refresh_token)
    caller.close()


def signed_in(running: Running) -> str:
    """Sign in and allow the client what it asks for; give the cookies."""
    with httpx.Client(base_url=running.url, trust_env=False) as http:
        response = http.get(AUTHORIZE, follow_redirects=True)
        for answer in ((("username", "alice"), ("password", "wonderland")), (("scope", "email"), ("approval", "1"))):
            page = Page.of(response.text)
            body = page.submission(*answer, *(pair for pair in page.checkboxes if pair[0] == "remember"))
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            response = http.post(str(page.action), content=body, headers=headers)
            if "/approve" in response.headers["location"]:
                response = http.get(response.headers["location"])
        http.get(response.headers["location"])
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in http.cookies.jar)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.untraced
def test_of_what_clients_were_told_nothing_is_lost_and_no_code_is_redeemed_twice(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    installation, told, chance = Installation(tmp_path), Told(), random.Random(1)
    installation.configure(CONFIGURATION)
    installation.run("user", "add", "alice", said="wonderland\n")
    with installation.serving() as running:
        cookies = signed_in(running)
        running.kill()

    for _ in range(KILLS):
        with installation.serving() as running, ThreadPoolExecutor(CONNECTIONS) as pool:
            settle(Caller(running, cookies, told))
            enough = told.answers + chance.randrange(1, 100)
            behaviours = (honest, honest, honest, greedy)
            working = [pool.submit(until_gone, behave, Caller(running, cookies, told)) for behave in behaviours]
            with told.observed:
                told.observed.wait_for(lambda enough=enough: told.answers >= enough, 60)  # type: ignore[misc]
            running.kill()
            for each in working:
                each.result(PATIENCE)

    with installation.serving() as running:
        caller = Caller(running, cookies, told)
        settle(caller)
        lost = [token for token in told.access_tokens + told.refresh_tokens if not caller.is_active(token)]
        twice = [code for code, count in told.redeemed.items() if count > 1]
        caller.close()
    counts = f"{told.answers} answers, {len(told.redeemed)} codes, {len(told.access_tokens)} access tokens"
    record_property("schedules", f"{KILLS} kills: {counts}")
    assert lost == []
    assert twice == []
    assert len(told.access_tokens) > KILLS
