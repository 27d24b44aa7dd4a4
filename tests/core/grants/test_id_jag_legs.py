"""Both legs of ID-JAG, between two of our own servers: an enterprise's provider, and a resource's server (SEP-990)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import attrs
import pytest

from oauthcore import (
    Client,
    IdJagRule,
    Outgoing,
    Request,
    Resource,
    Response,
    SubjectRule,
    TokenExchange,
    TrustedIssuer,
    run,
)
from oauthcore.flow.effects import Claims
from oauthcore.grants.jwt_bearer import GRANT_TYPE
from tests.core.grants.exchanging import CHAT, CHAT_API, CHAT_RULE, exchange, exchange_site, signed_in
from tests.core.site import FORM, ISSUER, Drive, Site, basic, make_site, members, refused

THERE = Client(client_id="app-at-chat", grant_types=(GRANT_TYPE,), response_types=(), scope="chat.read chat.history")
OTHER = attrs.evolve(THERE, client_id="other-at-chat")
SECRETS = {"app-at-chat": "chat-secret", "other-at-chat": "other-secret", "resource": "resource-secret"}
READER = Client(client_id="resource", grant_types=(), response_types=(), introspects_any=True)


class Chat:
    """Be the server of the resource, which reads the provider's metadata and keys from its endpoints."""

    def __init__(self, provider: Site, drive: Drive = run, **trusted: Any) -> None:
        self.provider = provider
        self.people = {"alice"}
        self.asked: list[str] = []
        settings: dict[str, Any] = {"uses": ["id-jag"], "subjects": [SubjectRule(subject_claim="sub")]}
        issuer = TrustedIssuer(issuer=ISSUER, **(settings | trusted))
        self.site = make_site(
            drive,
            issuer=CHAT,
            clients=(THERE, OTHER, READER),
            secrets=SECRETS,
            resources=[Resource(CHAT_API, scopes="chat.read chat.history")],
            trusted_issuers=[issuer],
        )
        self.site.world = attrs.evolve(self.site.world, fetch=self.fetch, claims=self.claims)

    def fetch(self, outgoing: Outgoing) -> Response:
        """Ask the provider, as over the network."""
        self.asked.append(outgoing.url)
        return self.provider.handle(Request("GET", urlsplit(outgoing.url).path))

    def claims(self, asked: Claims) -> Mapping[str, object] | None:
        """Know people."""
        return {} if asked.subject in self.people else None

    def present(self, assertion: str, client_id: str = "app-at-chat", **values: str) -> Response:
        """Exchange an ID-JAG for a token."""
        body = urlencode({"grant_type": GRANT_TYPE, "assertion": assertion, **values}).encode()
        return self.site.handle(Request("POST", "/token", (FORM, basic(client_id, SECRETS[client_id])), body))


def id_jag(provider: Site, **changes: Any) -> str:
    """Have somebody sign in at the provider, and exchange their ID token for an ID-JAG."""
    values = {"requested_token_type": "id-jag", "audience": CHAT, "resource": CHAT_API, "scope": "chat.read"}
    answer = members(exchange(provider, "app", signed_in(provider)["id_token"], "id_token", **(values | changes)))
    return str(answer["access_token"])


def test_h2_h3_person_signs_in_at_their_provider_and_their_client_gets_a_token_elsewhere(drive: Drive) -> None:
    provider = exchange_site()
    chat = Chat(provider, drive)

    answer = members(chat.present(id_jag(provider)))

    found = chat.site.introspect(answer["access_token"], "resource")
    assert (found["sub"], found["client_id"], found["aud"]) == ("alice", "app-at-chat", [CHAT_API])
    assert (answer["scope"], "refresh_token" in answer) == ("chat.read", False)
    assert chat.asked == [f"{ISSUER}/.well-known/openid-configuration", f"{ISSUER}/jwks"]


def test_h2_h3_id_jag_of_a_refresh_token_is_as_good(drive: Drive) -> None:
    provider = exchange_site()
    chat = Chat(provider, drive)
    refresh = signed_in(provider)["refresh_token"]
    values = {"requested_token_type": "id-jag", "audience": CHAT, "resource": CHAT_API}

    text = members(exchange(provider, "app", refresh, "refresh_token", **values))["access_token"]

    assert members(chat.present(text))["scope"] == "chat.read chat.history"


def test_h2_h3_it_is_used_once_and_by_its_client_alone() -> None:
    provider = exchange_site()
    chat = Chat(provider)
    text = id_jag(provider)

    assert refused(chat.present(text, "other-at-chat"), "invalid_grant", "another client")
    assert chat.present(text).status == 200
    assert refused(chat.present(text), "invalid_grant", "used before")


def test_h2_h3_id_token_itself_is_no_assertion() -> None:
    """Not even where the provider's plain assertions are taken, too: its audience is the client."""
    provider = exchange_site()
    chat = Chat(provider, uses=["id-jag", "jwt-bearer"])

    assert refused(chat.present(signed_in(provider)["id_token"]), "invalid_grant")


def test_h2_h3_user_of_the_provider_who_is_not_one_of_the_resource_gets_nothing() -> None:
    provider = exchange_site()
    chat = Chat(provider)
    chat.people.clear()

    assert refused(chat.present(id_jag(provider)), "invalid_grant", "disabled or unknown")


@pytest.mark.parametrize("asked", ["chat.history", "chat.read chat.history"])
def test_h2_h3_client_gets_no_more_scope_than_the_provider_has_allowed(asked: str) -> None:
    provider = exchange_site()
    chat = Chat(provider)

    assert refused(chat.present(id_jag(provider), scope=asked), "invalid_scope")


def test_h2_h3_id_jag_for_another_server_is_refused() -> None:
    """The provider makes them for many."""
    elsewhere = attrs.evolve(CHAT_RULE, audience="https://elsewhere.example", client_id_there="app-at-chat")
    assert isinstance(elsewhere, IdJagRule)
    provider = exchange_site(rules=[elsewhere])
    assert isinstance(provider.server.token_exchange, TokenExchange)
    chat = Chat(provider)

    assert refused(
        chat.present(id_jag(provider, audience="https://elsewhere.example")), "invalid_grant", "aud is not this server"
    )
