"""The operations of the control API, a row each: method, path, members, and what it does to the provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote

import attrs

from oauthcore import Client, ConfigurationError
from oauthcore_mock.faults import Body, Fault, Slow
from oauthcore_mock.fields import Field
from oauthcore_mock.issuer import Issuer
from oauthcore_mock.members import CLIENT, FAULT, ISSUER, LOGIN, OF_TOKEN, TOKEN, USER
from oauthcore_mock.provider import Provider

BASE = "/_mock"


@attrs.frozen
class Call:
    """Hold one call of an operation: the issuer and other parts of the path, and the members it was called with."""

    provider: Provider
    values: Mapping[str, Any]
    named: Mapping[str, str]

    @property
    def issuer(self) -> Issuer:
        """Return the issuer that the path names; raises `NotThere`."""
        for issuer in self.provider.issuers:
            if issuer.base == f"/{self.named['name']}":
                return issuer
        raise NotThere(f"there is no issuer {self.named['name']}; POST {BASE}/issuers makes one")


class NotThere(Exception):
    """Raised if the path names something that does not exist."""


Act: TypeAlias = Callable[[Call], object]


@attrs.frozen
class Operation:
    """Describe one operation; `path` is below `/_mock`, and `{…}` in it is a segment that names something.

    `fields` are the members of the body, or of the query for `GET`. The result of `act` is sent as JSON with `status`;
    None is sent as an empty body.
    """

    name: str
    method: str
    path: str
    summary: str
    act: Act
    fields: tuple[Field, ...] = ()
    status: int = 204

    def match(self, path: str) -> dict[str, str] | None:
        """Return the named segments of a path; None if the path is not this operation's."""
        wanted, given = self.path.split("/"), path.split("/")
        if len(wanted) != len(given):
            return None
        named = {}
        for pattern, segment in zip(wanted, given, strict=True):
            if pattern.startswith("{"):
                named[pattern[1:-1]] = unquote(segment)
            elif pattern != segment:
                return None
        return named


_CLIENT_SETTINGS = frozenset(field.alias for field in attrs.fields(Client)) - {field.name for field in CLIENT}


def add_issuer(call: Call) -> object:
    """Create an issuer."""
    issuer = call.provider.issuer(**call.values)
    return described(issuer)


def described(issuer: Issuer) -> dict[str, object]:
    """Return the settings to configure a client with."""
    return {"name": issuer.base.removeprefix("/"), "issuer": issuer.url, "metadata": issuer.metadata}


def add_client(call: Call) -> object:
    """Register a client."""
    values = dict(call.values)
    further = values.pop("settings", {})
    for name, value in further.items():
        if name not in _CLIENT_SETTINGS:
            raise ConfigurationError(f"settings.{name}", value, "use the name of a setting of oauthcore.Client")
    uris = values.pop("redirect_uris", ())
    made = call.issuer.client(redirect_uris=(uris,) if isinstance(uris, str) else tuple(uris), **values, **further)
    return {"issuer": made.issuer, "client_id": made.client_id, "client_secret": made.client_secret}


def add_user(call: Call) -> object:
    """Add a user, or claims to one."""
    user = call.issuer.user(call.values["sub"], **call.values.get("claims", {}))
    more = call.values.get("access_token_claims")
    if more is not None:
        user = call.issuer.people.add(attrs.evolve(user, access_token_claims=more))
    return {"sub": user.sub, "claims": dict(user.claims), "access_token_claims": dict(user.access_token_claims)}


def queue_login(call: Call) -> None:
    """Let a user decide the next authorization."""
    values = dict(call.values)
    if values.pop("deny", False):
        call.issuer.deny_next(values.get("sub", "alice"))
        return
    amr = values.pop("amr", ())
    call.issuer.next_login(**values, amr=(amr,) if isinstance(amr, str) else tuple(amr))


def queue_fault(call: Call) -> None:
    """Queue a fault."""
    values = call.values
    call.issuer.fail_next(values["endpoint"], fault_from(values["fault"]), times=values.get("times", 1))


def fault_from(given: str | int | Mapping[str, Any]) -> str | int | Fault:
    """Parse a fault with settings: `{"slow": seconds}`, or `{"body": text, "status": …}`."""
    if not isinstance(given, Mapping):
        return given
    match dict(given):
        case {"slow": int() | float() as seconds, **rest} if not rest:
            return Slow(seconds)
        case {"body": str() as body, **rest} if not rest.keys() - {"status", "content_type"}:
            return Body(body, **rest)
    raise ConfigurationError("fault", given, 'use {"slow": 2.5} or {"body": "…", "status": 200, "content_type": "…"}')


def make_token(call: Call) -> object:
    """Create a token of any kind."""
    values = dict(call.values)
    kind = values.pop("kind", "access_token")
    if kind not in OF_TOKEN:
        raise ConfigurationError("kind", kind, f"use one of {', '.join(OF_TOKEN)}")
    for name, value in values.items():
        if name not in OF_TOKEN[kind]:
            raise ConfigurationError(name, value, f"leave it out: no {kind} has it")
    issuer = call.issuer
    if kind == "logout_token":
        return {"token": issuer.logout_token(**values, **values.pop("claims", {}))}
    if kind == "assertion":
        if "aud" not in values:
            raise ConfigurationError("aud", None, "give the issuer of the authorization server that it is for")
        return {"token": issuer.assertion(**values)}
    return {"token": (issuer.token if kind == "access_token" else issuer.id_token)(**values)}


def log_out(call: Call) -> object:
    """End a user's login sessions, and notify their clients."""
    return [attrs.asdict(one) for one in call.issuer.logout(**call.values)]


def list_requests(call: Call) -> object:
    """Return the requests that an issuer got."""
    endpoint = call.values.get("endpoint")
    return [
        attrs.asdict(one) | {"parameters": one.parameters}
        for one in call.issuer.requests
        if endpoint in {None, one.endpoint}
    ]


def advance_clock(call: Call) -> object:
    """Move the clock."""
    call.provider.clock.advance(call.values["advance"])
    return {"now": call.provider.clock.now}


def reset_clock(call: Call) -> object:
    """Return the clock to the system's time."""
    call.provider.clock.reset()
    return {"now": call.provider.clock.now}


OPERATIONS = (
    Operation(
        *("listIssuers", "GET", "/issuers", "List the issuers."),
        lambda call: [described(issuer) for issuer in call.provider.issuers],
        status=200,
    ),
    Operation(
        *("addIssuer", "POST", "/issuers", "Make an issuer, or return the one of that name.", add_issuer, ISSUER),
        status=201,
    ),
    Operation(
        *("removeIssuer", "DELETE", "/issuers/{name}", "Remove an issuer with all that it knows."),
        lambda call: call.provider.forget(call.issuer),
    ),
    Operation(
        *("addClient", "POST", "/issuers/{name}/clients", "Register a client, or register it anew."),
        *(add_client, CLIENT, 201),
    ),
    Operation(
        *("addUser", "POST", "/issuers/{name}/users", "Add a user who can sign in, or claims to an existing one."),
        *(add_user, USER, 201),
    ),
    Operation(
        *("removeUser", "DELETE", "/issuers/{name}/users/{sub}", "Remove a user: their tokens become invalid."),
        lambda call: call.issuer.people.remove(call.named["sub"]),
    ),
    Operation(
        *("queueLogin", "POST", "/issuers/{name}/logins", "Say who signs in at the next authorization, and how."),
        *(queue_login, LOGIN),
    ),
    Operation(
        *("queueFault", "POST", "/issuers/{name}/faults", "Have something go wrong at the next request."),
        *(queue_fault, FAULT),
    ),
    Operation(
        *("listFaults", "GET", "/issuers/{name}/faults", "List the faults that no request has met."),
        lambda call: call.issuer.faults.unmet,
        status=200,
    ),
    Operation(
        *("removeFaults", "DELETE", "/issuers/{name}/faults", "Forget the faults that no request has met."),
        lambda call: call.issuer.faults.clear(),
    ),
    Operation(
        *("makeToken", "POST", "/issuers/{name}/tokens", "Make a token, signed by the issuer's published keys."),
        *(make_token, TOKEN, 201),
    ),
    Operation(
        *("revoke", "POST", "/issuers/{name}/revocations", "Revoke a token, and all that was issued on its grant."),
        lambda call: call.issuer.revoke(call.values["token"]),
        (Field("token", "string", "An access token.", required=True),),
    ),
    Operation(
        *("logOut", "POST", "/issuers/{name}/logouts", "End somebody's sessions, and post logout tokens to clients."),
        log_out,
        (Field("sub", "string", "Who it is; alice if left out."),),
        status=200,
    ),
    Operation(
        *("rotateKeys", "POST", "/issuers/{name}/keys", "Sign with new keys from now on."),
        lambda call: call.issuer.rotate_keys(**call.values),
        (Field("keep_old", "boolean", "Go on publishing the old ones; true if left out."),),
    ),
    Operation(
        *("listRequests", "GET", "/issuers/{name}/requests", "List what the issuer was asked, the oldest first."),
        list_requests,
        (Field("endpoint", "string", "Only requests to this endpoint."),),
        status=200,
    ),
    Operation(
        *("removeRequests", "DELETE", "/issuers/{name}/requests", "Forget what the issuer was asked until now."),
        lambda call: call.issuer.requests.clear(),
    ),
    Operation(
        *("readClock", "GET", "/clock", "Return what time it is for all issuers."),
        lambda call: {"now": call.provider.clock.now},
        status=200,
    ),
    Operation(
        *("advanceClock", "POST", "/clock", "Let time pass at once.", advance_clock),
        (Field("advance", "integer", "Seconds; a negative number sets the clock back.", required=True),),
        status=200,
    ),
    Operation("resetClock", "DELETE", "/clock", "Tell the system's time again.", reset_clock, status=200),
)
