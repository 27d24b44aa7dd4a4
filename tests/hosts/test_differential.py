"""The same request has the same answer, byte for byte, whatever serves it.

Names of headers are compared in lower case, as ASGI spells them; `Date` and `Server`, and what is between a server and
its client alone (`Connection`, `Transfer-Encoding`, `Keep-Alive`), are the server's own.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode

import httpx
import pytest

from tests.core.site import CHALLENGE
from tests.hosts.conftest import Farm
from tests.hosts.hosts import BARE, FRAMEWORKS, REFERENCE, Host
from tests.hosts.site import REDIRECT

pytestmark = pytest.mark.slow

OWN = frozenset({"date", "server", "connection", "transfer-encoding", "keep-alive", "alt-svc", "via"})
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
BASIC = {"Authorization": "Basic YXBwOmFwcC1zZWNyZXQ="}
ASKED = {
    "client_id": "app",
    "response_type": "code",
    "scope": "profile",
    "state": "x",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
Asked = tuple[str, str, dict[str, str], bytes]
Answer = tuple[int, tuple[tuple[str, str], ...], bytes]
# As the first of a process, so that each draws the same chance; the others leave none or are refused.
REQUESTS: tuple[Asked, ...] = (
    ("GET", f"/authorize?{urlencode(ASKED)}", {}, b""),
    ("POST", "/authorize", FORM, urlencode(ASKED).encode()),
    ("GET", f"/authorize?{urlencode(ASKED | {'prompt': 'none'})}", {}, b""),
    ("GET", f"/authorize?{urlencode(ASKED | {'prompt': 'none', 'response_mode': 'form_post'})}", {}, b""),
    ("GET", f"/authorize?{urlencode(ASKED | {'client_id': 'nobody'})}", {}, b""),
    ("GET", f"/authorize?{urlencode(ASKED | {'client_id': 'nobody'})}", {"Accept-Language": "de"}, b""),
    ("GET", f"/authorize?{urlencode(ASKED | {'redirect_uri': REDIRECT + 'x'})}", {}, b""),
    ("HEAD", "/authorize", {}, b""),
    ("GET", "/authorize/resume?interaction=x&proof=y", {}, b""),
    ("POST", "/token", FORM, b"grant_type=authorization_code&code=x"),
    ("POST", "/token", FORM | BASIC, b"grant_type=authorization_code&code=x"),
    ("POST", "/token", FORM | BASIC, b"grant_type=x&grant_type=y"),
    ("POST", "/token", FORM | BASIC, b"\xff"),
    ("POST", "/token", FORM | BASIC, b"a" * 65_536),
    ("POST", "/token", {}, b""),
    ("GET", "/token", {}, b""),
    ("PUT", "/token", FORM, b"a"),
    ("OPTIONS", "/token", {"Origin": "https://spa.example"}, b""),
    ("POST", "/introspect", FORM | BASIC, b"token=x"),
    ("POST", "/revoke", FORM | BASIC, b"token=x"),
    ("POST", "/register", JSON, b'{"redirect_uris": ["https://app.example/cb"]}'),
    ("POST", "/register", JSON | {"Authorization": "Bearer x"}, b"{}"),
    ("POST", "/register", JSON, b"{"),
    ("POST", "/register", FORM, b"a=b"),
    # A host that refuses a body unread can't keep the connection.
    ("POST", "/register", JSON | {"Connection": "close"}, b"a" * 65_537),
    *((method, "/register?client_id=x", JSON | {"Authorization": "Bearer x"}, b"") for method in ("GET", "DELETE")),
    ("PUT", "/register?client_id=x", JSON | {"Authorization": "Bearer x"}, b'{"client_id": "x"}'),
    ("OPTIONS", "/register", {"Origin": "https://spa.example"}, b""),
    ("GET", "/nothing", {}, b""),
    ("GET", "/login", {}, b""),
    ("POST", "/login", FORM, b"csrf=x"),
    ("GET", "/account", {}, b""),
    ("GET", "/me", {}, b""),
    ("GET", "/me", {"Authorization": "Bearer x"}, b""),
    ("GET", "/.well-known/oauth-authorization-server", {}, b""),
    ("HEAD", "/.well-known/oauth-authorization-server", {}, b""),
    ("GET", "/.well-known/openid-configuration", {}, b""),
    ("GET", "/jwks", {}, b""),
    ("GET", "/userinfo", {}, b""),
    ("POST", "/userinfo", FORM, b"access_token=x"),
    ("OPTIONS", "/userinfo", {"Origin": "https://spa.example"}, b""),
)
# What an example answers by itself, and by no chance: its issuer has a path, its pages are its own.
OF_EXAMPLES: tuple[Asked, ...] = (
    *((method, f"/auth{target}", headers, body) for method, target, headers, body in REQUESTS[2:20]),
    ("GET", "/.well-known/oauth-authorization-server/auth", {}, b""),
    ("HEAD", "/auth/.well-known/oauth-authorization-server", {}, b""),
)


def answers(host: Host, farm: Farm, requests: tuple[Asked, ...] = REQUESTS) -> list[Answer]:
    """Ask a host everything, fresh from its start."""
    farm.ending.close()
    farm.running = None
    found = []
    with httpx.Client(base_url=f"http://127.0.0.1:{farm.run(host)}", trust_env=False, timeout=60) as http:
        for method, target, headers, body in requests:
            http.cookies.clear()
            response = http.request(method, target, headers=headers, content=body)
            kept = sorted((name.lower(), without_carried(value)) for name, value in response.headers.multi_items())
            found.append((response.status_code, tuple(pair for pair in kept if pair[0] not in OWN), response.content))
    return found


def without_carried(value: str) -> str:
    """Leave of a handle what was drawn by chance: what it carries tells of the second in which it was made."""
    return re.sub(r"(?<=interaction=)([\w-]{43})[\w-]*", r"\1", value)


@pytest.fixture(scope="module")
def expected(farm: Farm) -> list[Answer]:
    """Return what the h11 server answers."""
    return answers(BARE[0], farm)


@pytest.mark.parametrize("host", BARE[1:], ids=lambda host: str(host.name))
def test_every_host_gives_the_same_answers(host: Host, expected: list[Answer], farm: Farm) -> None:
    for request, ours, theirs in zip(REQUESTS, answers(host, farm), expected, strict=True):
        assert ours == theirs, request[:2]


@pytest.fixture(scope="module")
def example(farm: Farm) -> list[Answer]:
    """Return what the h11 server answers with the examples' configuration."""
    return answers(REFERENCE, farm, OF_EXAMPLES)


@pytest.mark.parametrize("host", FRAMEWORKS, ids=lambda host: str(host.name))
def test_every_example_gives_the_same_answers(host: Host, example: list[Answer], farm: Farm) -> None:
    for request, ours, theirs in zip(OF_EXAMPLES, answers(host, farm, OF_EXAMPLES), example, strict=True):
        assert without_session(ours) == without_session(theirs), request[:2]


def without_session(answer: Answer) -> Answer:
    """Leave out what the example's own session puts on an answer, for having been read."""
    status, headers, body = answer
    return status, tuple(pair for pair in headers if pair != ("vary", "Cookie") and pair[0] != "set-cookie"), body
