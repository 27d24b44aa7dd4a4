"""The page on extending: its example is the one that is tested, and works through a host."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anyio
import attrs
import httpx
import pytest

from oauthcore import ConfigurationError, MemoryStorage, Request, World, run
from oauthcore.endpoints.endpoint import Endpoint
from oauthcore.errors import InvalidToken
from oauthcore.flow.effects import pure
from oauthcore.flow.outcome import Decision, Event, S
from oauthcore.records.kinds import BY_SUBJECT
from oauthcore.testing import ClauseBroken, FixedClock, Terms, clauses
from oauthcore.wire.cors import Cors
from oauthcore.wire.http import json_response
from oauthcore_asgi import OAuth
from tests.core.site import FORM, make_site, members
from tests.core.test_extension_records import PAGE, Membership, on_the_page

DOCS = Path(__file__).parent.parent / "docs"
EXAMPLE = (DOCS / "examples" / "invitations.py").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """Return what the code on the page defines, once all of it has run."""
    return on_the_page()


def test_page_shows_the_example() -> None:
    assert f"```python\n{EXAMPLE}```" in PAGE


class ForKindsOfTheCore(MemoryStorage):
    """Find nothing of an extension's by its subject."""

    def find_of(self, kind: type[S], subject: str, /) -> Sequence[S]:  # type: ignore[explicit-override]  # none in 3.11
        """Find the core's alone."""
        return super().find_of(kind, subject) if kind in BY_SUBJECT else ()


def test_a_storage_is_checked_for_the_kinds_of_an_extension(names: dict[str, Any]) -> None:
    # The page itself has a whole storage checked for its kinds; this is one clause, which a kind can break.
    (clause,) = (clause for clause in clauses if clause.name == "find_of_gives_all_of_a_subject")
    kinds = (sys.modules["invitations"].Invitation, Membership)
    few = Terms(contenders=2, rounds=1, examples=1)

    clause.check(ForKindsOfTheCore, few)
    clause.check(MemoryStorage, attrs.evolve(few, kinds=kinds))
    with pytest.raises(ClauseBroken, match="Membership"):
        clause.check(ForKindsOfTheCore, attrs.evolve(few, kinds=kinds))


def test_an_invitation_is_made_and_redeemed_through_a_host_and_its_events_are_heard(names: dict[str, Any]) -> None:
    events: list[Event] = []
    world = World(names["MemoryStorage"](), audit=events.append)
    server = names["AuthorizationServer"](
        issuer="https://as.example",
        clock=FixedClock(),
        entropy=names["secrets"].token_bytes,
        token_key=bytes(32),
        grants=names["GRANTS"],
        endpoints=names["ENDPOINTS"],
    )
    for client in (names["host"], names["app"]):
        secret = names["Secret"](f"a secret of the {client.client_id}'s own")
        run(server.clients.register(client, secret), world)

    async def walk() -> list[httpx.Response]:
        transport = httpx.ASGITransport(OAuth(server, world))
        async with httpx.AsyncClient(transport=transport, base_url="https://as.example") as http:
            host, app = ((name, f"a secret of the {name}'s own") for name in ("host", "app"))
            made = await http.post("/invitations", data={"subject": "alice", "scope": "email"}, auth=host)
            form = {"grant_type": names["GRANT_TYPE"], "invitation": made.json()["invitation"]}
            return [made, *[await http.post("/token", data=form, auth=app) for _ in range(2)]]

    made, redeemed, again = anyio.run(walk)

    assert (made.status_code, redeemed.status_code, again.status_code) == (201, 200, 400)
    assert redeemed.json()["scope"] == "email"
    assert again.json()["error"] == "invalid_grant"
    assert [event.name for event in events][-2:] == ["example:invitation_made", "example:invitation_redeemed"]
    (document,) = {members(run(server.handle(Request("GET", server.metadata_paths[0])), world))["invitation_endpoint"]}
    assert document == "https://as.example/invitations"


def refusing(**settings: Any) -> Endpoint:
    """Return an endpoint that refuses whatever comes."""

    def flow(*_: Any) -> Any:
        raise InvalidToken("as ever")

    return Endpoint(path="/odd", flow=flow, **settings)


@pytest.mark.parametrize(
    ("refuses", "content_type", "challenged"),
    [("json", "application/json", False), ("page", "text/html", False), ("challenge", "application/json", True)],
)
def test_an_endpoint_refuses_as_it_declares(refuses: Any, content_type: str, challenged: bool) -> None:
    site = make_site(endpoints=(refusing(refuses=refuses, cors=Cors(exposed=("DPoP-Nonce",))),))

    response = site.handle(Request("POST", "/odd"))

    assert (response.header("content-type") or "").startswith(content_type)
    assert (response.header("www-authenticate") is not None) is challenged
    assert response.header("access-control-expose-headers") == "DPoP-Nonce"


def test_a_parameter_is_repeated_only_where_the_endpoint_declares_it() -> None:
    def answer(incoming: Any, context: Any) -> Any:
        return pure(Decision(json_response(200, {"audience": incoming.form().all("audience")})))

    declared = Endpoint(path="/many", flow=answer, repeatable=frozenset({"audience"}))
    site = make_site(endpoints=(declared, Endpoint(path="/once", flow=answer)))

    many, once = (site.handle(Request("POST", path, (FORM,), b"audience=a&audience=b")) for path in ("/many", "/once"))

    assert members(many) == {"audience": ["a", "b"]}
    assert members(once)["error"] == "invalid_request"


NOWHERE: Callable[..., Any] = refusing().flow


@pytest.mark.parametrize(
    "settings",
    [
        {"path": "/token"},
        {"path": "/login"},
        {"path": "/.well-known/mine"},
        {"path": "odd"},
        {"path": "/odd", "metadata": "token_endpoint"},
        {"path": "/odd", "metadata": "issuer"},
        {"path": "/odd", "methods": ("OPTIONS",)},
        {"path": "/odd", "refuses": "loudly"},
    ],
)
def test_an_endpoint_that_is_in_the_way_of_another_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="endpoints"):
        make_site(endpoints=(Endpoint(flow=NOWHERE, **settings),))
