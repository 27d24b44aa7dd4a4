"""C13: who is refused too often where clients authenticate is told when to try again, and looked at no more."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import pytest

from oauthcore import Ciba, ConfigurationError, DeviceGrant, Peer, PushedRequests, Request, Response
from oauthcore.errors import TooManyAttempts
from oauthcore.openid import OpenID
from oauthcore.signing.key_ring import KeyPolicy
from oauthcore.testing import FixedClock
from oauthcore.wire.http import Refusal
from oauthcore_h11.refusal_limits import (
    MAX_COUNTS,
    MAX_NAME,
    MINUTE,
    PER_ADDRESS,
    RefusalLimits,
    client_of,
    guessed_at,
)
from tests.core.site import make_site
from tests.h11.test_application import Host, host
from tests.h11.test_configuration import LEAST, reading
from tests.pages.site import FORM

__all__ = ["host"]

pytestmark = pytest.mark.anyio

HERE = "192.0.2.1"
MOST = 3


def asking(client_id: str = "app", address: str | None = HERE) -> Request:
    body = f"grant_type=refresh_token&refresh_token=x&client_id={client_id}".encode()
    return Request("POST", "/token", (FORM,), body, None if address is None else Peer(address, is_secure=True))


def answer(status: int = 400) -> Response:
    refused = None if status == 200 else Refusal("invalid_grant", "the token is unknown", None)
    return Response(status, (), b"", refusal=refused)


class Limits:
    """Be limits, and the clock that they have."""

    def __init__(self, most: int = MOST) -> None:
        self.clock = FixedClock()
        self.limits = RefusalLimits(most, self.clock)

    def refuse(self, *requests: Request, status: int = 400) -> None:
        """Answer requests."""
        for request in requests:
            self.limits.count(request, answer(status))

    def wait(self, request: Request) -> int | None:
        """Return for how long a request is to wait, None if it may be made."""
        try:
            self.limits.check(request)
        except TooManyAttempts as refusal:
            return refusal.retry_after
        return None


def test_client_that_was_refused_too_often_waits_until_the_minute_is_over() -> None:
    limits = Limits()
    limits.refuse(*[asking()] * MOST)
    limits.clock.now += 20

    assert limits.wait(asking()) == MINUTE - 20
    limits.clock.now += MINUTE - 20
    assert limits.wait(asking()) is None


def test_client_may_be_refused_as_often_as_is_allowed_in_each_minute() -> None:
    limits = Limits()
    for _ in range(3):
        limits.refuse(*[asking()] * (MOST - 1))
        assert limits.wait(asking()) is None
        limits.clock.now += MINUTE


def test_others_do_not_wait_for_it() -> None:
    limits = Limits()
    limits.refuse(*[asking()] * MOST)

    assert limits.wait(asking("other")) is None
    assert limits.wait(asking(address="192.0.2.2")) is None


def test_address_that_names_another_client_each_time_waits_as_well() -> None:
    limits = Limits()
    limits.refuse(*(asking(f"app{number}") for number in range(MOST * PER_ADDRESS)))

    assert limits.wait(asking("another")) == MINUTE


def test_addresses_of_one_host_are_counted_together() -> None:
    limits = Limits()
    limits.refuse(*(asking(address=f"2001:db8::{number}") for number in range(1, MOST + 1)))

    assert limits.wait(asking(address="2001:db8::ffff")) == MINUTE
    assert limits.wait(asking(address="2001:db8:0:1::1")) is None


@pytest.mark.parametrize("status", [200, 413, 503])
def test_what_is_no_fault_of_a_client_is_not_counted(status: int) -> None:
    limits = Limits()
    limits.refuse(*[asking()] * MOST * PER_ADDRESS, status=status)

    assert limits.wait(asking()) is None


def test_clients_without_an_address_are_not_counted_as_one() -> None:
    limits = Limits()
    limits.refuse(*[asking(address=None)] * MOST * PER_ADDRESS)

    assert limits.wait(asking(address=None)) is None


def test_nothing_is_counted_where_there_is_no_limit() -> None:
    limits = Limits(0)
    limits.refuse(*[asking()] * 100)

    assert limits.wait(asking()) is None


def test_strangers_can_have_no_more_remembered_than_is_bounded() -> None:
    limits = Limits()
    limits.refuse(
        *(asking("a" * 2_000, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}") for number in range(6_000))
    )

    assert len(limits.limits._counts) == MAX_COUNTS
    assert max(len(name) for key in limits.limits._counts for name in key) == MAX_NAME


@pytest.mark.parametrize(
    ("headers", "body", "client"),
    [
        ((FORM, ("Authorization", "Basic " + b64encode(b"app:secret").decode())), b"grant_type=x", "app"),
        ((FORM,), b"client_id=app&client_secret=x", "app"),
        ((FORM,), b"client_id=a&client_id=b", ""),
        ((), b"{}", ""),
    ],
)
def test_client_is_who_the_request_says_however_it_says_so(
    headers: tuple[tuple[str, str], ...], body: bytes, client: str
) -> None:
    assert client_of(Request("POST", "/token", headers, body)) == client


@pytest.mark.parametrize("path", ["/tenant/token", "/tenant/introspect", "/tenant/revoke"])
async def test_c13_server_answers_with_oauth_json_and_when_to_try_again(host: Host, path: str) -> None:
    host.application.refusal_limits.most = MOST
    body = b"grant_type=refresh_token&refresh_token=x&token=x&client_id=nobody&client_secret=x"
    statuses = [(await host.request("POST", path, body)).status for _ in range(MOST)]

    response = await host.request("POST", path, body)

    assert statuses == [401] * MOST
    assert response.status == 429
    assert response.header("retry-after") == str(MINUTE)
    assert response.header("content-type") == "application/json"
    assert response.header("cache-control") == "no-store"
    assert json.loads(response.body)["error"] == "temporarily_unavailable"


async def test_c13_page_of_a_browsers_client_may_read_that_it_is_to_wait(host: Host) -> None:
    host.application.refusal_limits.most = 1
    origin = "https://inspector.example"
    body = b"grant_type=refresh_token&refresh_token=x&client_id=app"
    await host.request("POST", "/tenant/token", body)

    preflight = await host.request("OPTIONS", "/tenant/token", Access_Control_Request_Method="POST", Origin=origin)
    response = await host.request("POST", "/tenant/token", body, Origin=origin)

    assert (preflight.status, response.status) == (204, 429)
    assert response.header("access-control-allow-origin") == "*"


async def test_c13_right_secret_is_not_looked_at_after_too_many_wrong_ones(host: Host) -> None:
    host.application.refusal_limits.most = MOST
    for _ in range(MOST):
        await host.request("POST", "/tenant/token", b"grant_type=refresh_token&refresh_token=x&client_id=app")

    assert (await host.request("POST", "/tenant/token", b"grant_type=x&client_id=app")).status == 429
    assert (await host.request("POST", "/tenant/token", b"grant_type=x&client_id=nobody")).status == 401


def test_c13_limit_is_a_setting_with_a_default(tmp_path: Path) -> None:
    assert reading(tmp_path, LEAST).limits.refusals_per_minute == 600
    assert reading(tmp_path, f"{LEAST}[limits]\nrefusals_per_minute = 0\n").limits.refusals_per_minute == 0
    with pytest.raises(ConfigurationError, match=r"limits\.refusals_per_minute"):
        reading(tmp_path, f"{LEAST}[limits]\nrefusals_per_minute = -1\n")


def test_every_endpoint_where_clients_authenticate_is_limited() -> None:
    everything = make_site(
        openid=OpenID(), ciba=Ciba(), device=DeviceGrant(), pushed_requests=PushedRequests(), keys=KeyPolicy()
    ).server

    table = everything._endpoints.items()

    # Whatever answers a form by JSON reads the client's credentials.
    authenticating = {path for path, one in table if "POST" in one.methods and one.refuses == "json"}
    assert "/bc-authorize" in authenticating
    assert authenticating == guessed_at(everything)
