"""The application: each request to whom it is for, whatever becomes of it counted, logged and answered."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlencode

import attrs
import pytest

from oauthcore import AuthorizationServer, Client, Peer, Request, Response
from oauthcore import Outgoing as OutgoingRequest
from oauthcore.context import Context
from oauthcore.endpoints.endpoint import Endpoint, EndpointRequest
from oauthcore.errors import EffectFailed
from oauthcore.flow.effects import Flow, fetch, pure
from oauthcore.flow.outcome import Change, Decision, Delete, Event, Insert, Outcome, Replace, Require
from oauthcore.testing import FixedClock, SeededEntropy
from oauthcore_h11 import application as module
from oauthcore_h11.application import Application
from oauthcore_h11.assembly import new_token_key
from oauthcore_h11.configuration.tables import ClientTable, Configuration, Metrics, Outgoing, RegistrationTable
from oauthcore_h11.monitoring import Monitoring
from oauthcore_h11.outgoing import fetch_of
from oauthcore_h11.passwords import Passwords as Hashing
from oauthcore_h11.peer import TrustedProxies
from oauthcore_h11.service import application_of
from oauthcore_h11.users import User
from tests.fetch.elsewhere import elsewhere
from tests.h11.test_users import Awaited
from tests.pages.html import Page
from tests.pages.site import FORM

pytestmark = pytest.mark.anyio

SOMEBODY = Peer("192.0.2.1", is_secure=True)


class Host:
    """Be an application and a browser in front of it."""

    def __init__(self, folder: Path, passwords: Fast) -> None:
        self.storage = Awaited()
        user = User(key="alice", username="alice", subject="s-1", password_hash=passwords.hash_of_x, created_at=1)
        self.storage.inner.commit((Insert(user),))
        self.user = user
        self.configuration = Configuration(
            folder=folder,
            issuer="https://as.example/tenant",
            token_key=new_token_key(),
            metrics=Metrics(allowed_from=(ip_network("192.0.2.0/24"),)),
            clients=(
                ClientTable(client_id="app", token_endpoint_auth_method="none", redirect_uris=("https://a.example/",)),
            ),
        )
        self.application: Application = application_of(
            self.configuration, self.storage, passwords, Monitoring(), clock=FixedClock(), entropy=SeededEntropy()
        )
        self.cookie = ""

    async def request(
        self, method: str, target: str, body: bytes = b"", peer: Peer | None = SOMEBODY, **headers: str
    ) -> Response:
        """Send a request."""
        named = ((name.replace("_", "-"), value) for name, value in headers.items())
        pairs = (("Cookie", self.cookie), FORM, *named)
        response = await self.application(Request(method, target, pairs, body, peer))
        if (planted := response.header("set-cookie")) is not None:
            self.cookie = planted.partition(";")[0]
        return response

    async def sign_in(self) -> None:
        """Sign in for the account."""
        form = Page.in_(await self.request("GET", "/tenant/login")).form
        body = urlencode({**form, "username": "alice", "password": "x"}).encode()
        assert (await self.request("POST", "/tenant/login", body)).header("location") == "/tenant/account"


class Fast(Hashing):
    """Hash at once."""

    @property
    def hash_of_x(self) -> str:
        """Return a hash of the password x."""
        return self._hasher.hash("x")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """Return an application with one user and one client."""
    passwords = Fast(memory=64, passes=1, at_once=1)
    yield Host(tmp_path, passwords)
    passwords.close()


@pytest.mark.parametrize(
    ("method", "target", "status", "allow"),
    [
        ("BREW", "/tenant/token", 501, None),
        ("GET", "/nothing", 404, None),
        ("POST", "/tenant/", 404, None),
        ("OPTIONS", "*", 204, "GET, HEAD, POST, OPTIONS"),
        ("GET", "/healthz", 200, None),
        ("HEAD", "/readyz", 200, None),
        ("GET", "/metrics", 200, None),
        ("POST", "/metrics", 405, "GET, HEAD"),
        ("GET", "/tenant/", 303, None),
        ("GET", "/tenant/authorize", 400, None),
        ("GET", "/tenant/login", 200, None),
    ],
)
async def test_each_request_is_answered_by_whom_it_is_for(
    host: Host, method: str, target: str, status: int, allow: str | None
) -> None:
    response = await host.request(method, target)

    assert (response.status, response.header("allow")) == (status, allow)
    assert len(response.header("x-request-id") or "") == 16
    assert response.header("x-content-type-options") == "nosniff"
    assert response.header("strict-transport-security") == "max-age=31536000"


async def test_strict_transport_is_asked_for_by_tls_alone(host: Host) -> None:
    for peer in (None, Peer("192.0.2.1")):
        assert (await host.request("GET", "/healthz", peer=peer)).header("strict-transport-security") is None


@pytest.mark.parametrize(
    ("peer", "status"), [(SOMEBODY, 200), (None, 404), (Peer(None), 404), (Peer("198.51.100.1"), 404)]
)
async def test_counts_are_for_whom_the_operator_says_and_never_for_an_address_that_is_not_known(
    host: Host, peer: Peer | None, status: int
) -> None:
    assert (await host.request("GET", "/metrics", peer=peer)).status == status


async def test_counts_are_put_together_beside_the_event_loop(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of many workers are in as many files."""
    threads: list[int] = []

    def exposition() -> Response:
        threads.append(threading.get_ident())
        return Response(200)

    monkeypatch.setattr(host.application.monitoring, "exposition", exposition)

    assert (await host.request("GET", "/metrics")).status == 200

    assert threads != [threading.get_ident()]


PROXIES = TrustedProxies((ip_network("10.0.0.0/8"),))


@pytest.mark.parametrize(
    ("address", "sentence"),
    [(None, "a client has no address"), ("10.0.0.1", "the proxy at 10.0.0.1 sets no X-Forwarded-For")],
)
async def test_client_who_is_hidden_behind_a_proxy_is_told_of_once(
    host: Host, caplog: pytest.LogCaptureFixture, address: str | None, sentence: str
) -> None:
    host.application = attrs.evolve(host.application, proxies=PROXIES)

    for _ in range(3):
        await host.request("GET", "/tenant/login", peer=Peer(address))
        await host.request("GET", "/healthz", peer=Peer(address))

    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert sentence in warnings[0]


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.77"])
async def test_client_whom_a_proxy_names_is_not_told_of(
    host: Host, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    host.application = attrs.evolve(host.application, proxies=PROXIES)

    await host.request("GET", "/tenant/login", peer=Peer(address), x_forwarded_for=address)

    assert not caplog.records


async def test_monitoring_that_comes_by_itself_is_not_told_of(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    host.application = attrs.evolve(host.application, proxies=PROXIES)

    await host.request("GET", "/readyz", peer=Peer("10.0.0.1"))

    assert not caplog.records


async def test_storage_that_does_not_answer_is_not_ready(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(changes: Sequence[Change], /) -> bool:
        await asyncio.Event().wait()
        return False

    monkeypatch.setattr(host.storage, "commit", never)
    monkeypatch.setattr(module, "READY_WITHIN", 0)

    assert (await host.request("GET", "/readyz")).status == 503


async def test_login_of_a_session_counts_while_its_user_does(host: Host) -> None:
    await host.sign_in()
    assert (await host.request("GET", "/tenant/account")).status == 200

    host.storage.inner.commit((Delete(host.user),))

    assert (await host.request("GET", "/tenant/account")).header("location") == "/tenant/login"


@pytest.mark.parametrize("spelled", ["a=b;{}", "a=b ;\t{};c=d"])
@pytest.mark.parametrize("equals", ["=", "\t= "])
async def test_session_is_ended_however_its_cookie_is_spelled(host: Host, spelled: str, equals: str) -> None:
    """Who holds somebody's cookie and is no browser writes the header as they like."""
    await host.sign_in()
    host.cookie = spelled.format(host.cookie.replace("=", equals, 1))
    assert (await host.request("GET", "/tenant/account")).status == 200

    host.storage.inner.commit((Replace(host.user, attrs.evolve(host.user, enabled=False)),))

    assert (await host.request("GET", "/tenant/account")).header("location") == "/tenant/login"


async def test_session_whose_user_can_not_be_found_out_is_a_503(
    host: Host, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def down(kind: type, key: str, /) -> None:
        raise OSError("disk I/O error")

    await host.sign_in()
    monkeypatch.setattr(host.storage, "find", down)

    response = await host.request("GET", "/tenant/account")

    assert response.status == 503
    assert "temporarily_unavailable" in response.body.decode()
    assert "OSError: disk I/O error" in caplog.text


async def test_bug_is_a_500_with_its_traceback_in_the_log_and_counted(
    host: Host, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(request: Request) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(type(host.application.pages), "handle", lambda self, request: broken(request))

    response = await host.request("GET", "/tenant/login")

    assert response.status == 500
    assert "out of order" not in response.body.decode()
    assert "RuntimeError: out of order" in caplog.text
    counts = (await host.request("GET", "/metrics")).body.decode()
    assert 'oauthcore_requests_total{endpoint="login",error="server_error",status="500"} 1.0' in counts


async def test_access_is_logged_without_the_query_and_not_for_monitoring(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    await host.request("GET", "/tenant/authorize?client_id=hush")
    await host.request("GET", "/healthz")

    (record,) = [record for record in caplog.records if record.name == "oauthcore.access"]
    assert record.getMessage() == "GET /tenant/authorize"
    assert record.__dict__["fields"]["reason"] == "the client is unknown"
    assert "hush" not in caplog.text


async def test_access_is_not_logged_where_the_operator_wants_none(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    host.application = attrs.evolve(host.application, logs_access=False)

    await host.request("GET", "/tenant/authorize")

    assert not caplog.records


async def test_what_is_committed_is_heard_by_the_audit_log_and_counted(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await host.sign_in()
    query = urlencode(
        {
            "client_id": "app",
            "response_type": "code",
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method": "S256",
        }
    )
    session = host.cookie
    asked = await host.request("GET", f"/tenant/authorize?{query}")
    host.cookie = f"{session}; {host.cookie}"
    form = Page.in_(await host.request("GET", asked.header("location") or "")).form
    finished = await host.request("POST", "/tenant/approve", urlencode({**form, "approval": "1"}).encode())
    answered = await host.request("GET", finished.header("location") or "")

    assert "code=" in (answered.header("location") or "")
    observed = [record.getMessage() for record in caplog.records if record.name == "oauthcore.audit"]
    assert observed == ["login_succeeded", "signed_in", "consent_given", "code_issued"]
    assert 'event="code_issued"} 1.0' in (await host.request("GET", "/metrics")).body.decode()
    assert await host.application.storage.find(Client, "app") is not None


async def test_an_event_of_an_extension_is_in_the_audit_log_and_counted_by_its_name(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    def make_coupon(asked: EndpointRequest, context: Context) -> Flow[Outcome]:
        event = Event("acme:coupon_made", "app", "s-1")
        return pure(Decision(Response(201, (), b""), (Require(host.user),), (event,)))

    server = AuthorizationServer(
        issuer=host.configuration.issuer,
        clock=FixedClock(),
        entropy=SeededEntropy(),
        token_key=bytes(32),
        endpoints=(Endpoint(path="/coupons", flow=make_coupon),),
    )
    host.application = attrs.evolve(host.application, server=server)

    made = await host.request("POST", "/tenant/coupons")
    heard = [record for record in caplog.records if record.name == "oauthcore.audit"]
    counts = (await host.request("GET", "/metrics")).body.decode()

    assert made.status == 201
    assert [record.getMessage() for record in heard] == ["acme:coupon_made"]
    assert vars(heard[0])["fields"] == {"client_id": "app", "subject": "s-1", "grant": None}
    assert 'oauthcore_events_total{event="acme:coupon_made"} 1.0' in counts


@attrs.frozen
class Asking:
    """Be a server that asks another for every answer."""

    url: str

    def owns(self, path: str) -> bool:
        """Own everything."""
        return True

    def handle(self, *_: object) -> Flow[Response]:
        """Ask, and give the answer."""
        return fetch(OutgoingRequest("GET", self.url))


async def test_other_servers_are_asked_where_the_operator_lets_them_be(host: Host) -> None:
    opened = attrs.evolve(host.configuration, outgoing=Outgoing(private_hosts=("localhost",)))
    with elsewhere() as port:
        asking = attrs.evolve(host.application, server=Asking(f"http://localhost:{port}/"))  # type: ignore[arg-type]  # fake
        host.application = attrs.evolve(asking, fetch=fetch_of(opened))
        answered = await host.request("GET", "/tenant/token")
        host.application = asking
        refused = await host.request("GET", "/tenant/token")

    assert answered.body == f"localhost:{port}".encode()
    assert refused.status == 500
    assert refused.refusal is not None
    assert isinstance(refused.refusal.cause, EffectFailed)
    assert "Forbidden" in str(refused.refusal.cause.__cause__)


async def test_browser_that_signed_in_is_let_through_what_strangers_did_to_the_account(host: Host) -> None:
    form = Page.in_(await host.request("GET", "/tenant/login")).form
    body = urlencode({**form, "username": "alice", "password": "x"}).encode()
    signed_in = await host.request("POST", "/tenant/login", body)
    device = next(value.partition(";")[0] for name, value in signed_in.headers if "device" in value)
    host.cookie = ""
    form = Page.in_(await host.request("GET", "/tenant/login")).form
    wrong = urlencode({**form, "username": "alice", "password": "wrong"}).encode()
    for number in range(50):
        assert (await host.request("POST", "/tenant/login", wrong, Peer(f"198.51.100.{number}"))).status == 400
    right = urlencode({**form, "username": "alice", "password": "x"}).encode()

    assert (await host.request("POST", "/tenant/login", right)).status == 429
    host.cookie += f"; {device}"
    assert (await host.request("POST", "/tenant/login", right)).status == 303


async def test_client_that_shows_passwords_is_nobodys_device(host: Host) -> None:
    response = await host.request("POST", "/tenant/token", b"grant_type=password&username=alice&password=x")

    assert [value for name, value in response.headers if "device" in value] == []


@pytest.mark.parametrize(
    "path", ["/.well-known/openid-configuration/tenant", "/tenant/.well-known/openid-configuration", "/.well-known/x"]
)
async def test_a2_place_without_metadata_is_a_404_that_a_clients_page_may_read(host: Host, path: str) -> None:
    response = await host.request("GET", path, Origin="https://inspector.example")

    assert response.status == 404
    assert response.header("access-control-allow-origin") == "*"
    assert response.header("content-type") == "application/problem+json"
    assert (await host.request("GET", "/nothing")).header("access-control-allow-origin") is None


async def test_refused_registrations_are_counted_by_their_error(tmp_path: Path) -> None:
    passwords = Fast(memory=64, passes=1, at_once=1)
    host = Host(tmp_path, passwords)
    configuration = attrs.evolve(
        host.configuration, registration=RegistrationTable(open=True, max_from_address=1), clients=()
    )
    application: Application = application_of(
        configuration, host.storage, passwords, Monitoring(), clock=FixedClock(), entropy=SeededEntropy()
    )

    async def register(uri: str) -> int:
        body = json.dumps({"redirect_uris": [uri]}).encode()
        request = Request("POST", "/tenant/register", (("Content-Type", "application/json"),), body, SOMEBODY)
        return (await application(request)).status

    statuses = [await register(uri) for uri in ("javascript:x", "https://a.example/", "https://a.example/")]
    counts = (await application(Request("GET", "/metrics", (), b"", SOMEBODY))).body.decode()
    passwords.close()

    assert statuses == [400, 201, 429]
    for error, status in (("invalid_redirect_uri", 400), ("", 201), ("temporarily_unavailable", 429)):
        labels = f'endpoint="registration",error="{error}",status="{status}"'
        assert f"oauthcore_requests_total{{{labels}}} 1.0" in counts
