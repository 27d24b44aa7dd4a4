"""A site with a television: a public client that shows a code, and a user who enters it at another device."""

from __future__ import annotations

from typing import Any

import attrs

from oauthcore import Client, DeviceGrant, DeviceState, Login, Peer, PendingDevice, Request, Response, run
from oauthcore.device_grant import DEVICE_CODE
from oauthcore.flow.effects import Flow
from tests.core.site import CLIENTS, FORM, Drive, Site, form, make_site, members

TV = Client(
    client_id="tv",
    name="Television",
    token_endpoint_auth_method="none",
    grant_types=(DEVICE_CODE, "refresh_token"),
    response_types=(),
    scope="email profile",
)
OTHER_TV = attrs.evolve(TV, client_id="other_tv")
BROWSER = Request("POST", "/device", peer=Peer("203.0.113.7", is_secure=True))


def device_site(drive: Drive = run, *, clients: tuple[Client, ...] = (), **settings: Any) -> Site:
    """Make a site where devices may ask."""
    settings.setdefault("device", DeviceGrant())
    return make_site(drive, clients=(*CLIENTS, TV, OTHER_TV, *clients), **settings)


def begin(site: Site, client_id: str = "tv", peer: Peer | None = None, **changes: str | None) -> Response:
    """Ask for codes."""
    body = form(**{"client_id": client_id, "scope": "email profile", **changes})
    return site.handle(Request("POST", "/device_authorization", (FORM,), body, peer))


def begun(site: Site, client_id: str = "tv", **changes: str | None) -> dict[str, Any]:
    """Return the codes of a fresh request."""
    return members(begin(site, client_id, None, **changes))


def poll_request(device_code: str, client_id: str = "tv", **changes: str | None) -> Request:
    """Return the request of a poll."""
    body = form(**{"grant_type": DEVICE_CODE, "device_code": device_code, "client_id": client_id, **changes})
    return Request("POST", "/token", (FORM,), body)


def polling(site: Site, device_code: str) -> Flow[Response]:
    """Return a poll."""
    return site.server.handle(poll_request(device_code))


def poll(site: Site, device_code: str, client_id: str = "tv", **changes: str | None) -> Response:
    """Poll once."""
    return site.handle(poll_request(device_code, client_id, **changes))


def error(response: Response) -> str:
    """Return the error that a client was given; every one is a plain refusal of the token endpoint."""
    assert response.status == 400, response
    return str(members(response)["error"])


def enter(site: Site, user_code: str, login: Login | None = None, request: Request = BROWSER) -> PendingDevice | None:
    """Enter a code as a user."""
    found: PendingDevice | None = site.drive(
        site.server.devices.enter(user_code, login or site.alice, request), site.world
    )
    return found


def entered(site: Site, user_code: str, login: Login | None = None) -> PendingDevice:
    """Enter a code that is right."""
    found = enter(site, user_code, login)
    assert found is not None
    return found


def approve(site: Site, codes: dict[str, Any], login: Login | None = None, scope: str | None = None) -> DeviceState:
    """Enter a code and allow what it asks for, or a part of that."""
    login = login or site.alice
    pending = entered(site, codes["user_code"], login)
    allowed = pending.scope if scope is None else scope.split()
    state: DeviceState = site.drive(site.server.devices.finish(pending.id, login, allowed), site.world)
    return state


def deny(site: Site, codes: dict[str, Any], login: Login | None = None) -> DeviceState:
    """Enter a code and say no."""
    login = login or site.alice
    state: DeviceState = site.drive(
        site.server.devices.deny(entered(site, codes["user_code"], login).id, login), site.world
    )
    return state


def tokens_of(site: Site) -> dict[str, Any]:
    """Return the tokens of a device that was allowed everything."""
    codes = begun(site)
    approve(site, codes)
    return members(poll(site, codes["device_code"]))
