"""CIBA in the reference server: from its file to a till that polls, or is pinged, and a user who answers on a page."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from oauthcore import ConfigurationError, Outgoing, Request, Response
from oauthcore.ciba import GRANT_TYPE, Ciba
from oauthcore.flow.storage import AsyncStorage
from oauthcore.testing import FixedClock, SeededEntropy
from oauthcore_h11.application import Application
from oauthcore_h11.assembly import ciba_of
from oauthcore_h11.email_addresses import EmailAddress
from oauthcore_h11.monitoring import Monitoring
from oauthcore_h11.profiles import profile_of
from oauthcore_h11.request_hook import MOST_AT_ONCE, request_hook_of
from oauthcore_h11.service import application_of
from oauthcore_h11.users import User, add_user, change_profile, change_user, remove_user
from oauthcore_sqlite import AsyncSqliteStorage, SqliteStorage
from tests.h11.test_application import Fast
from tests.h11.test_configuration import reading
from tests.h11.test_oidc import LEAST
from tests.h11.test_users import Awaited
from tests.pages.html import Page
from tests.pages.site import FORM

pytestmark = pytest.mark.anyio

NOTIFIED = "https://till.example/notified"
TOKEN = "a-notification-token-of-the-client"
SECRET = "x7QkpL2tvR9_mZ4w-qq2N"
CLIENTS = f"""
[oidc]
[[clients]]
client_id = "till"
name = "The till"
secret = "{SECRET}"
grant_types = ["{GRANT_TYPE}"]
scope = "openid email"
backchannel_token_delivery_mode = "poll"
[[clients]]
client_id = "pinged"
secret = "{SECRET}"
grant_types = ["{GRANT_TYPE}"]
scope = "openid email"
backchannel_token_delivery_mode = "ping"
backchannel_client_notification_endpoint = "{NOTIFIED}"
[[clients]]
client_id = "staff"
secret = "{SECRET}"
grant_types = ["{GRANT_TYPE}"]
scope = "openid email"
backchannel_token_delivery_mode = "poll"
require = ["group:staff"]
"""


class Shop:
    """Be an application with tills, and alice's browser in front of it."""

    def __init__(
        self,
        folder: Path,
        passwords: Fast,
        table: str = "[ciba]\n",
        notified: str = NOTIFIED,
        storage: AsyncStorage | None = None,
    ) -> None:
        users = "".join(
            f'[[users]]\nusername = "{name}"\nsubject = "s-{name}"\npassword_hash = "{passwords.hash_of_x}"\n'
            f'claims = {{ email = "{email}", email_verified = {verified} }}\n{more}'
            for name, email, verified, more in (
                ("alice", "Alice@wonderland.example", "true", 'groups = ["staff"]\n'),
                ("bob", "bob@wonderland.example", "false", ""),
                ("twin1", "twin@wonderland.example", "true", ""),
                ("twin2", "twin@wonderland.example", "true", ""),
            )
        )
        self.clock = FixedClock()
        self.storage: AsyncStorage = storage or Awaited()
        self.configuration = reading(folder, LEAST + table + CLIENTS.replace(NOTIFIED, notified) + users)
        self.application: Application = application_of(
            self.configuration, self.storage, passwords, Monitoring(), clock=self.clock, entropy=SeededEntropy()
        )
        self.cookie = ""
        self.sent: list[Outgoing] = []

    async def browse(self, method: str, target: str, body: bytes = b"") -> Response:
        """Send a request of alice's browser."""
        response = await self.application(Request(method, target, (("Cookie", self.cookie), FORM), body))
        if (planted := response.header("set-cookie")) is not None:
            self.cookie = planted.partition(";")[0]
        return response

    async def sign_in(self) -> None:
        """Sign alice in."""
        form = Page.in_(await self.browse("GET", "/login")).form
        body = urlencode({**form, "username": "alice", "password": "x"}).encode()
        assert (await self.browse("POST", "/login", body)).header("location") == "/account"

    async def call(self, path: str, client_id: str = "till", **form: str) -> tuple[int, dict[str, Any]]:
        """Send a request of a till's."""
        body = urlencode({"client_id": client_id, "client_secret": SECRET, **form}).encode()
        response = await self.application(Request("POST", path, (FORM,), body))
        return response.status, json.loads(response.body)

    async def ask(self, hint: str = "alice", client_id: str = "till", **form: str) -> tuple[int, dict[str, Any]]:
        """Ask a user for something."""
        if client_id == "pinged":
            form = {"client_notification_token": TOKEN, **form}
        return await self.call("/bc-authorize", client_id, scope="openid email", login_hint=hint, **form)

    async def poll(self, identifier: str, client_id: str = "till") -> tuple[int, dict[str, Any]]:
        """Ask for the tokens."""
        return await self.call("/token", client_id, grant_type=GRANT_TYPE, auth_req_id=identifier)

    async def allow(self) -> Response:
        """Allow the first request on the page."""
        page = Page.in_(await self.browse("GET", "/requests"))
        return await self.browse(
            "POST", "/requests", page.submission(*page.checkboxes, ("scope", "openid"), ("approval", "1"))
        )


@pytest.fixture
def passwords() -> Iterator[Fast]:
    """Return what hashes at once."""
    hashing = Fast(memory=64, passes=1, at_once=1)
    yield hashing
    hashing.close()


@pytest.fixture
def shop(tmp_path: Path, passwords: Fast) -> Shop:
    """Return an application with tills."""
    return Shop(tmp_path, passwords)


async def test_a_till_polls_until_the_user_has_allowed_it_on_the_page(shop: Shop) -> None:
    await shop.sign_in()
    _, begun = await shop.ask(binding_message="W4SCT")
    assert (await shop.poll(begun["auth_req_id"]))[1]["error"] == "authorization_pending"
    assert "1 request waits for you." in (await shop.browse("GET", "/account")).body.decode()
    page = (await shop.browse("GET", "/requests")).body.decode()
    assert "W4SCT" in page and "The till" in page

    assert (await shop.allow()).header("location") == "/requests?done=allowed"

    status, tokens = await shop.poll(begun["auth_req_id"])
    assert status == 200
    assert {"access_token", "id_token"} <= tokens.keys()


async def test_a_till_in_ping_mode_is_notified_in_the_background(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fetch(request: Outgoing) -> Response:
        shop.sent.append(request)
        return Response(204)

    object.__setattr__(shop.application, "fetch", fetch)
    await shop.sign_in()
    _, begun = await shop.ask(client_id="pinged")
    assert await shop.application.deliver() == 0
    await shop.allow()

    assert await shop.application.deliver() == 1

    (request,) = shop.sent
    assert (request.url, dict(request.headers)["Authorization"]) == (NOTIFIED, f"Bearer {TOKEN}")
    assert json.loads(request.body) == {"auth_req_id": begun["auth_req_id"]}
    assert (await shop.poll(begun["auth_req_id"], "pinged"))[0] == 200


async def test_a_notification_goes_into_no_private_network(
    tmp_path: Path, passwords: Fast, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "oauthcore.audit")
    shop = Shop(tmp_path, passwords, notified="https://127.0.0.1:9/notified")
    await shop.sign_in()
    _, begun = await shop.ask(client_id="pinged")
    await shop.allow()
    for _ in range(4):
        await shop.application.deliver()
        shop.clock.advance(15)

    assert "backchannel_not_notified" in caplog.messages
    assert (await shop.poll(begun["auth_req_id"], "pinged"))[0] == 200


async def test_what_happens_is_counted_by_its_name_and_its_endpoint(shop: Shop) -> None:
    await shop.ask()
    await shop.ask("carol")

    counted = shop.application.monitoring.exposition().body.decode()

    assert 'oauthcore_events_total{event="backchannel_requested"} 1.0' in counted
    assert 'oauthcore_events_total{event="backchannel_unknown_user"} 1.0' in counted
    assert 'endpoint="backchannel_authentication",error="unknown_user_id",status="400"} 1.0' in counted


@pytest.mark.parametrize("hint", ["alice", "ALICE", "alice@wonderland.example", " Alice@Wonderland.example"])
async def test_a_user_is_found_by_their_name_or_verified_address(shop: Shop, hint: str) -> None:
    assert (await shop.ask(hint))[0] == 200


@pytest.mark.parametrize(
    "hint",
    [
        "bob@wonderland.example",  # not verified
        "twin@wonderland.example",  # of two users
        "carol",
        "carol@wonderland.example",
        "s-alice",
        "@",
        "a" * 300,
    ],
)
async def test_a_hint_that_means_no_user_or_several_is_unknown(shop: Shop, hint: str) -> None:
    status, answer = await shop.ask(hint)

    assert (status, answer["error"]) == (400, "unknown_user_id")


async def test_a_user_who_may_not_use_the_client_is_unknown_to_it(shop: Shop) -> None:
    assert (await shop.ask("alice", "staff"))[0] == 200
    assert (await shop.ask("bob", "staff"))[1]["error"] == "unknown_user_id"


@pytest.fixture(params=["memory", "sqlite"])
def stocked(request: pytest.FixtureRequest, tmp_path: Path, passwords: Fast) -> Iterator[Shop]:
    """Return an application over each kind of storage."""
    if request.param == "memory":
        yield Shop(tmp_path, passwords)
        return
    inner = SqliteStorage(tmp_path / "x.db", synchronous="NORMAL")
    yield Shop(tmp_path, passwords, storage=AsyncSqliteStorage(inner))
    inner.close()


async def test_a_stored_user_is_found_by_the_address_that_they_have_now(stocked: Shop, passwords: Fast) -> None:
    shop = stocked
    storage, claims = shop.application.storage, {"email": "carol@wonderland.example", "email_verified": True}
    user = User(key="carol", username="carol", subject="s-carol", password_hash=passwords.hash_of_x, created_at=1)
    await add_user(storage, user, profile_of("s-carol", claims))
    assert (await shop.ask("carol@wonderland.example"))[0] == 200

    await change_profile(storage, "carol", {"email": "caroline@wonderland.example"})
    assert (await shop.ask("carol@wonderland.example"))[1]["error"] == "unknown_user_id"
    assert (await shop.ask("caroline@wonderland.example"))[0] == 200

    await change_profile(storage, "carol", {"email_verified": False})
    assert (await shop.ask("caroline@wonderland.example"))[1]["error"] == "unknown_user_id"
    await change_profile(storage, "carol", {"email_verified": True})
    assert (await shop.ask("caroline@wonderland.example"))[0] == 200

    await change_user(storage, "carol", enabled=False)
    assert (await shop.ask("caroline@wonderland.example"))[1]["error"] == "unknown_user_id"
    assert (await shop.ask("carol"))[1]["error"] == "unknown_user_id"
    await change_user(storage, "carol", enabled=True)
    await remove_user(storage, "carol")
    assert (await shop.ask("caroline@wonderland.example"))[1]["error"] == "unknown_user_id"
    assert list(await shop.storage.find_of(EmailAddress, "caroline@wonderland.example")) == []


async def test_the_request_of_a_user_who_is_disabled_meanwhile_comes_to_nothing(shop: Shop, passwords: Fast) -> None:
    storage = shop.application.storage
    user = User(key="carol", username="carol", subject="s-carol", password_hash=passwords.hash_of_x, created_at=1)
    await add_user(storage, user, profile_of("s-carol", {}))
    _, begun = await shop.ask("carol")
    form = Page.in_(await shop.browse("GET", "/login")).form
    await shop.browse("POST", "/login", urlencode({**form, "username": "carol", "password": "x"}).encode())
    page = Page.in_(await shop.browse("GET", "/requests"))
    await change_user(storage, "carol", enabled=False)

    answer = await shop.browse("POST", "/requests", page.submission(("scope", "openid"), ("approval", "1")))

    assert answer.status == 403 or answer.header("location") == "/login"
    assert (await shop.poll(begun["auth_req_id"]))[1]["error"] == "authorization_pending"


async def test_the_hook_is_told_of_each_request_and_of_nothing_that_is_asked(tmp_path: Path, passwords: Fast) -> None:
    shop = Shop(tmp_path, passwords, '[ciba]\nnotify_url = "https://push.example/ciba"\nnotify_token = "t0ken"\n')

    async def fetch(request: Outgoing) -> Response:
        shop.sent.append(request)
        return Response(202)

    assert shop.application.request_hook is not None
    object.__setattr__(shop.application.request_hook, "fetch", fetch)
    await shop.ask(binding_message="W4SCT")
    await shop.ask("nobody-of-that-name")
    await shop.application.see_deliveries_through()

    (request,) = shop.sent
    assert (request.method, request.url) == ("POST", "https://push.example/ciba")
    assert dict(request.headers)["Authorization"] == "Bearer t0ken"
    assert json.loads(request.body) == {
        "event": "backchannel_requested",
        "subject": "s-alice",
        "client_id": "till",
        "url": "https://as.example/requests",
    }


async def test_a_hook_that_fails_or_never_answers_keeps_no_request_from_its_user(
    tmp_path: Path, passwords: Fast, caplog: pytest.LogCaptureFixture
) -> None:
    table = '[ciba]\nmax_pending = 0\nmax_pending_of_user = 0\nnotify_url = "http://127.0.0.1:9/ciba"\n'
    shop = Shop(tmp_path, passwords, table)
    gate = asyncio.Event()

    async def fetch(request: Outgoing) -> Response:
        shop.sent.append(request)
        await gate.wait()
        raise TimeoutError("the hook does not answer")

    hook = shop.application.request_hook
    assert hook is not None
    object.__setattr__(hook, "fetch", fetch)
    for _ in range(MOST_AT_ONCE + 1):
        assert (await shop.ask())[0] == 200
    await asyncio.sleep(0)
    gate.set()
    await shop.application.see_deliveries_through()

    assert len(shop.sent) == MOST_AT_ONCE
    assert "it has not answered" in caplog.text
    assert "the hook does not answer" in caplog.text


def test_every_setting_of_the_table_reaches_the_server(tmp_path: Path) -> None:
    text = """[oidc]\n[ciba]\nlifetime = 60\nmax_lifetime = 61\ninterval = 7\nmax_pending = 1\nmax_pending_of_user = 2
max_unknown = 3\nrequire_signed = true\nrequire_binding_message = true\nmax_request_lifetime = 90\n"""

    assert ciba_of(reading(tmp_path, LEAST + text)) == Ciba(
        lifetime=60,
        max_lifetime=61,
        interval=7,
        max_pending=1,
        max_pending_of_user=2,
        max_unknown=3,
        require_signed=True,
        require_binding_message=True,
        max_request_lifetime=90,
    )
    without = "[oidc]\n[ciba]\nmax_pending = 0\nmax_pending_of_user = 0\nmax_unknown = 0\n"
    unlimited = ciba_of(reading(tmp_path, LEAST + without))
    assert unlimited == Ciba(max_pending=None, max_pending_of_user=None, max_unknown=None)
    assert ciba_of(reading(tmp_path, LEAST)) is None


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("[ciba]\n", "ciba"),  # without [oidc]
        ("[oidc]\n[ciba]\nlifetime = 0\n", "ciba.lifetime"),
        ("[oidc]\n[ciba]\nmax_lifetime = 60\n", "ciba.max_lifetime"),
        ("[oidc]\n[ciba]\nmax_unknown = -1\n", "ciba.max_unknown"),
        ("[oidc]\n[ciba]\nlifetimes = 60\n", "ciba.lifetimes"),
        ('[oidc]\n[ciba]\nnotify_url = "http://push.example/"\n', "ciba.notify_url"),
        ('[oidc]\n[ciba]\nnotify_url = "ftp://push.example/"\n', "ciba.notify_url"),
        ('[oidc]\n[ciba]\nnotify_token = "t"\n', "ciba.notify_token"),
        ('[oidc]\n[ciba]\nnotify_url = "https://push.example/"\nnotify_token = "a b"\n', "ciba.notify_token"),
        ('[oidc]\n[ciba]\nnotify_url = "https://push.example/"\nnotify_token = "a\\nb"\n', "ciba.notify_token"),
        ('[oidc]\n[ciba]\n[paths]\nrequests = "/bc-authorize"\n', "paths"),
    ],
)
def test_what_can_not_be_is_named(tmp_path: Path, text: str, setting: str, passwords: Fast) -> None:
    with pytest.raises(ConfigurationError) as failure:
        application_of(reading(tmp_path, LEAST + text), Awaited(), passwords, Monitoring())

    assert setting in failure.value.setting


def test_without_the_table_nothing_of_it_is_there(tmp_path: Path, passwords: Fast) -> None:
    configuration = reading(tmp_path, LEAST + "[oidc]\n")
    application = application_of(configuration, Awaited(), passwords, Monitoring())

    assert not application.server.owns("/bc-authorize")
    assert not application.pages.owns("/requests")
    assert request_hook_of(configuration) is None


def test_a_client_for_it_is_refused_where_it_is_off(tmp_path: Path, passwords: Fast) -> None:
    with pytest.raises(ConfigurationError, match="grant_types"):
        application_of(reading(tmp_path, LEAST + CLIENTS), Awaited(), passwords, Monitoring())
