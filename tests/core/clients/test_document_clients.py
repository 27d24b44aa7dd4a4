"""Clients by their documents, from the first request to the last refresh (F3), and documents that change meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from oauthcore import (
    AuthorizationServer,
    Client,
    ClientIdMetadata,
    ConfigurationError,
    Lifetimes,
    LoopbackDocuments,
    Policy,
    Response,
    Secret,
)
from oauthcore.clients.document_clients import RETRY_AFTER, SPARE, STALE_IF_ERROR
from oauthcore.clients.metadata_document import MAX_DOCUMENT
from oauthcore.documents import DocumentNeeded, Turn, is_object
from oauthcore.errors import InvalidRequest
from oauthcore.flow.effects import find, find_of
from oauthcore.flow.outcome import Replace
from oauthcore.jose.jwk import set_of
from oauthcore.records.listed_client import LISTED, ListedClient
from oauthcore.records.liveness import WITHDRAWN_FOR
from tests.core.clients.publishing import (
    CALLBACK,
    CHATGPT,
    CHATGPT_KEYS,
    CLAUDE_CODE,
    JSON,
    KEY,
    ON,
    OTHER_CALLBACK,
    WEB,
    Hosts,
    Published,
    assertion,
    published,
    served,
    web,
)
from tests.core.signing_keys import key_for
from tests.core.site import (
    CLIENTS,
    TOKEN_KEY,
    Counted,
    Drive,
    form,
    location,
    make_site,
    members,
    params,
    refused,
    refused_by_page,
)

MIN, MAX = ON.min_fresh, ON.max_fresh
LASTING = Policy.oauth21()


@pytest.fixture
def at(drive: Drive) -> Published:
    """Return a site where clients may be documents."""
    return published(drive, policy=LASTING)


def lapse(at: Published) -> None:
    """Let the document be old enough to be asked for again."""
    at.later(at.known().document.check_at - at.site.now)  # type: ignore[union-attr]  # it has one


# What it costs, and how it is turned on.


def test_a4_the_metadata_says_so_only_where_it_is_on(drive: Drive) -> None:
    path = "/.well-known/oauth-authorization-server"
    off, on = make_site(drive), published(drive).site

    assert "client_id_metadata_document_supported" not in members(off.get(path))
    assert members(on.get(path))["client_id_metadata_document_supported"] is True


def test_off_nothing_is_fetched_and_nothing_more_is_looked_for(drive: Drive) -> None:
    site, hosts = make_site(drive), Hosts()
    site.world = attrs.evolve(site.world, fetch=hosts)
    counted = Counted(site)

    response = site.authorize(None, client_id=WEB, redirect_uri=CALLBACK)

    assert refused_by_page(response, "unknown")
    assert (hosts.asked, counted.finds, counted.commits) == ([], 1, 0)


def test_on_a_token_request_costs_what_it_always_does(at: Published) -> None:
    code = at.code()
    counted = Counted(at.site)

    tokens = members(at.redeem(code))
    redeeming = (counted.finds, counted.commits)
    _ = at.refresh(tokens["refresh_token"])

    assert redeeming == (3, 1)
    assert (counted.finds, counted.commits) == (6, 2)
    assert at.hosts.asked == [WEB]


def test_an_authorization_request_of_a_known_client_costs_no_fetch_and_no_find_more(at: Published) -> None:
    _ = at.authorize()
    counted = Counted(at.site)

    _ = at.authorize()

    assert (counted.finds, counted.commits, at.hosts.asked) == (1, 0, [WEB])


def test_a_world_that_fetches_nothing_is_named_in_the_log(drive: Drive) -> None:
    site = make_site(drive, client_id_metadata=ON)

    response = site.authorize(None, client_id=WEB, redirect_uri=CALLBACK)

    assert response.status == 503


# From the first request to the last.


def test_f3_a_client_that_nobody_has_registered_gets_tokens_and_refreshes_them(at: Published) -> None:
    tokens = members(at.redeem(at.code()))
    refreshed = at.refresh(tokens["refresh_token"])

    assert refreshed.status == 200
    assert members(refreshed)["scope"] == "email"
    assert at.names() == ["client_document_read", "consent_given", "code_issued", "token_issued", "token_refreshed"]


def test_f3_another_worker_and_one_after_a_restart_go_on_from_what_is_stored(at: Published) -> None:
    code = at.code()
    other = AuthorizationServer(
        issuer=at.site.server.issuer,
        clock=at.site.clock,
        entropy=at.site.server.instruments.entropy,
        token_key=TOKEN_KEY,
        client_id_metadata=ON,
    )
    at.site.server = other

    assert at.redeem(code).status == 200
    assert at.hosts.asked == [WEB]


def test_f4_chatgpt_redeems_and_refreshes_by_its_key(at: Published) -> None:
    code = at.code(CHATGPT)

    tokens = at.redeem(code, CHATGPT, **assertion())
    refreshed = at.refresh(members(tokens)["refresh_token"], CHATGPT, **assertion(jti="j2"))

    assert (tokens.status, refreshed.status) == (200, 200)
    assert at.hosts.asked == [CHATGPT, CHATGPT_KEYS]


def test_f4_chatgpt_without_its_key_is_nobody(at: Published) -> None:
    code = at.code(CHATGPT)

    assert refused(at.redeem(code, CHATGPT), "invalid_client")
    assert refused(at.redeem(code, CHATGPT, **assertion(key=key_for("RS256", 1))), "invalid_client")
    assert at.redeem(code, CHATGPT, **assertion(jti="j2")).status == 200


def test_a_client_of_a_document_revokes_its_tokens_and_asks_about_its_own_alone(at: Published) -> None:
    tokens = members(at.redeem(at.code(CHATGPT), CHATGPT, **assertion()))
    others = at.site.tokens()
    path, token = "/introspect", tokens["access_token"]

    own = at.site.post(path, form(token=token, **assertion(jti="j2")))
    foreign = at.site.post(path, form(token=others["access_token"], **assertion(jti="j3")))
    revoked = at.site.post("/revoke", form(token=token, **assertion(jti="j4")))
    after = at.site.post(path, form(token=token, **assertion(jti="j5")))

    assert (members(own)["active"], members(foreign)["active"]) == (True, False)
    assert (revoked.status, members(after)["active"]) == (200, False)


def test_the_token_endpoint_fetches_no_document_of_a_client_that_it_does_not_know(at: Published) -> None:
    assert refused(at.redeem("code"), "invalid_client")
    assert at.hosts.asked == []


# Who is who.


def test_a_registered_client_whose_identifier_is_a_url_is_that_client(drive: Drive) -> None:
    registered = Client(client_id=WEB, token_endpoint_auth_method="none", redirect_uris=(OTHER_CALLBACK,), scope="read")
    at = published(drive, clients=(*CLIENTS, registered))

    assert refused_by_page(at.authorize(redirect_uri=CALLBACK), "redirect_uri")
    assert location(at.authorize(redirect_uri=OTHER_CALLBACK, scope="read")).startswith("/login?")
    assert at.hosts.asked == []


def test_registering_a_client_puts_it_in_the_place_of_the_document(at: Published) -> None:
    _ = at.authorize()
    registered = Client(client_id=WEB, token_endpoint_auth_method="none", redirect_uris=(OTHER_CALLBACK,), scope="read")
    _ = at.site.drive(at.site.server.clients.register(registered, replace=True), at.site.world)
    at.later(MAX)

    assert refused_by_page(at.authorize(redirect_uri=CALLBACK), "redirect_uri")
    assert at.hosts.asked == [WEB]


def test_a_client_that_is_registered_while_its_document_is_fetched_stays_registered() -> None:
    at = published()
    registered = Client(client_id=WEB, token_endpoint_auth_method="none", redirect_uris=(OTHER_CALLBACK,), scope="read")

    def fetch(request: object) -> Response:
        """Have the operator be faster."""
        _ = at.site.drive(at.site.server.clients.register(registered), attrs.evolve(at.site.world, fetch=at.hosts))
        return served(web())

    at.site.world = attrs.evolve(at.site.world, fetch=fetch)

    assert refused_by_page(at.authorize(redirect_uri=CALLBACK), "redirect_uri")
    assert at.known().document is None


def test_two_urls_are_two_clients_whatever_is_served_there(at: Published) -> None:
    """An open redirect, a site of users' files, a capital letter: what is served has to name the URL itself."""
    for url in ("https://app.example/oauth/client.jsoN", "https://files.example/oauth/client.json"):
        at.hosts.answers[url] = served(web())

        assert refused_by_page(at.authorize(url), "not the URL")


def test_whatever_query_a_document_has_it_is_no_other_client(at: Published) -> None:
    for number in range(20):
        assert refused_by_page(at.authorize(f"{WEB}?{number}"), "unknown")

    assert at.hosts.asked == []


# How old a document may be.


def test_f3_a_document_is_asked_for_again_when_it_is_no_longer_fresh(at: Published) -> None:
    _ = at.authorize()
    at.later(MIN - 1)
    _ = at.authorize()
    before = len(at.hosts.asked)
    at.later(1)
    _ = at.authorize()

    assert (before, len(at.hosts.asked)) == (1, 2)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ((), MIN),
        ((("Cache-Control", "max-age=3600"),), 3_600),
        ((("cache-control", "public, MAX-AGE=3600"),), 3_600),
        ((("Cache-Control", 'max-age="3600"'),), 3_600),
        ((("Cache-Control", "max-age=3600, s-maxage=7200"),), 7_200),
        ((("Cache-Control", "max-age=3600"), ("Age", "600")), 3_000),
        ((("Cache-Control", "public"), ("Cache-Control", "max-age=3600")), 3_600),
        ((("Cache-Control", "max-age=1"),), MIN),
        ((("Cache-Control", "max-age=99999999"),), MAX),
        ((("Cache-Control", "max-age=99999999999999999999"),), MIN),
        ((("Cache-Control", "max-age=-1"),), MIN),
        ((("Cache-Control", "max-age=\u0663\u0663\u0663\u0663"),), MIN),
        ((("Cache-Control", "no-store, max-age=3600"),), MIN),
        ((("Cache-Control", "no-cache"),), MIN),
    ],
)
def test_f3_the_host_says_how_long_within_the_floor_and_the_cap(
    headers: tuple[tuple[str, str], ...], seconds: int
) -> None:
    at = published()
    _ = at.redeem(at.code())
    at.hosts.publish(WEB, *headers)
    lapse(at)
    _ = at.authorize()

    assert at.known().document.fresh_until == at.site.now + seconds  # type: ignore[union-attr]  # it has one


def test_f3_what_is_invalid_is_remembered_nowhere_and_asked_for_again_soon(at: Published) -> None:
    at.hosts.publish(client_name=None)
    first, second = at.authorize(), at.authorize()
    asked = len(at.hosts.asked)
    at.hosts.publish()
    at.later(30)

    assert refused_by_page(first, "client_name")
    assert second.status == 503
    assert asked == 1
    assert location(at.authorize()).startswith("/login?")


@pytest.mark.parametrize("failure", [OSError("no route"), Response(500, ()), Response(503, ()), Response(429, ())])
def test_f3_a_host_that_does_not_answer_is_no_reason_to_refuse_for_a_while(
    drive: Drive, failure: Response | Exception
) -> None:
    at = published(drive, policy=LASTING)
    tokens = members(at.redeem(at.code()))
    at.hosts.answers[WEB] = failure
    lapse(at)
    soon = at.authorize()
    at.later(STALE_IF_ERROR)
    late = at.authorize()
    refreshed = at.refresh(tokens["refresh_token"])

    assert location(soon).startswith("/login?")
    assert (late.status, late.header("location")) == (503, None)
    # What was granted before does not hang on that.
    assert refreshed.status == 200


def test_f3_an_answer_that_is_older_than_the_document_that_is_known_withdraws_nothing(at: Published) -> None:
    """Another worker asked later and was answered first, when the document had been put back."""
    _ = at.authorize()
    lapse(at)
    known, storage = at.known(), at.site.world.storage
    read_since = attrs.evolve(known.document, fetched_at=at.site.now + 1)  # type: ignore[misc]  # it has one
    assert storage.commit([Replace(known, attrs.evolve(known, document=read_since))])
    at.hosts.answers[WEB] = Response(404)

    _ = at.authorize()

    assert at.known().document == read_since


def test_f3_a_host_that_does_not_answer_is_asked_once_a_minute(at: Published) -> None:
    _ = at.authorize()
    at.hosts.answers[WEB] = OSError("no route")
    lapse(at)
    for _ in range(2 * RETRY_AFTER):
        _ = at.authorize()
        at.later(1)

    assert len(at.hosts.asked) == 1 + 2


# A document that has changed.


def test_b1_a_redirect_uri_that_was_taken_out_is_refused_as_soon_as_it_is_known(at: Published) -> None:
    at.hosts.publish(redirect_uris=[CALLBACK, OTHER_CALLBACK])
    _ = at.authorize(redirect_uri=OTHER_CALLBACK)
    at.hosts.publish()
    lapse(at)

    assert refused_by_page(at.authorize(redirect_uri=OTHER_CALLBACK), "redirect_uri")


def test_a_code_that_went_to_a_redirect_uri_which_was_taken_out_is_good_for_nothing(at: Published) -> None:
    """Redirect rebinding: whoever could write the document for a moment gets codes, and can redeem none."""
    at.hosts.publish(redirect_uris=[CALLBACK, OTHER_CALLBACK])
    _ = at.authorize()
    at.later(MIN - 10)
    code = at.code(redirect_uri=OTHER_CALLBACK)
    at.hosts.publish()
    at.later(10)
    _ = at.authorize()

    assert refused(at.redeem(code, redirect_uri=OTHER_CALLBACK), "invalid_grant", "no longer registered")


def test_an_interaction_goes_to_no_redirect_uri_that_was_taken_out_meanwhile(at: Published) -> None:
    at.hosts.publish(redirect_uris=[CALLBACK, OTHER_CALLBACK])
    waiting = at.authorize(redirect_uri=OTHER_CALLBACK)
    at.hosts.publish()
    lapse(at)
    _ = at.authorize()
    handle = params(waiting)["interaction"]

    finished = at.site.drive(at.site.server.interactions.finish(handle, at.site.alice, ["email"]), at.site.world)

    assert refused_by_page(finished, "redirect_uri")


def test_a_client_steps_up_beyond_the_scope_that_its_document_names(at: Published) -> None:
    """MCP 2026-07-28, "Step-Up Authorization Flow"."""
    at.hosts.publish(scope="email")

    first = members(at.redeem(at.code(scope=None)))
    second = members(at.redeem(at.code(scope="email profile")))

    assert (first["scope"], second["scope"]) == ("email", "email profile")


def test_a_document_without_refresh_tokens_ends_them(at: Published) -> None:
    tokens = members(at.redeem(at.code()))
    at.hosts.publish(grant_types=["authorization_code"])
    lapse(at)

    assert refused(at.refresh(tokens["refresh_token"]), "unauthorized_client")


def test_a_change_is_told_once(at: Published) -> None:
    _ = at.authorize()
    at.hosts.publish(client_name="Another name")
    lapse(at)
    _ = at.authorize()
    lapse(at)
    _ = at.authorize()

    assert at.known().name == "Another name"
    assert at.names() == ["client_document_read", "client_document_changed"]


def test_keys_in_a_document_are_changed_at_the_next_refresh(at: Published) -> None:
    new = key_for("RS256", 1)
    keyed: dict[str, Any] = {"token_endpoint_auth_method": "private_key_jwt"}
    at.hosts.publish(**keyed, jwks=json.loads(set_of([KEY])))
    first = members(at.redeem(at.code(), **assertion(WEB)))
    at.hosts.publish(**keyed, jwks=json.loads(set_of([new])))
    lapse(at)
    now = at.site.now

    assert at.refresh(first["refresh_token"], **assertion(WEB, key=new, jti="j2", now=now)).status == 200


def test_a_client_that_gives_up_its_key_inherits_nothing_of_what_it_had_with_it(at: Published) -> None:
    """A downgrade: whoever can write the document, and has found a refresh token, must not be able to use it."""
    tokens = members(at.redeem(at.code(CHATGPT), CHATGPT, **assertion()))
    at.hosts.publish(CHATGPT, token_endpoint_auth_method="none", token_endpoint_auth_methods_supported=None)
    at.later(MIN)

    assert refused(at.refresh(tokens["refresh_token"], CHATGPT), "invalid_grant", "now that of another client")
    assert at.redeem(at.code(CHATGPT), CHATGPT).status == 200


def test_a_client_that_gets_a_key_keeps_what_it_had_and_needs_the_key_for_it(at: Published) -> None:
    tokens = members(at.redeem(at.code()))
    at.hosts.publish(token_endpoint_auth_method="private_key_jwt", jwks=json.loads(set_of([KEY])))
    lapse(at)
    now = at.site.now

    assert refused(at.refresh(tokens["refresh_token"]), "invalid_client")
    assert at.refresh(tokens["refresh_token"], **assertion(WEB, now=now)).status == 200


# A document that is gone.


@pytest.mark.parametrize(
    "answer",
    [
        Response(404, ()),
        Response(410, ()),
        Response(301, ()),
        Response(200, (JSON,), b"<html>"),
        served(web(client_id="x")),
    ],
)
def test_a_document_that_is_gone_lets_nobody_in_and_after_an_hour_ends_what_was_granted(
    drive: Drive, answer: Response
) -> None:
    at = published(drive, policy=LASTING)
    tokens = members(at.redeem(at.code()))
    at.hosts.answers[WEB] = answer
    lapse(at)
    refused_at_once = at.authorize()
    refreshed = at.refresh(tokens["refresh_token"])
    at.later(WITHDRAWN_FOR)
    ended = at.refresh(members(refreshed)["refresh_token"])

    assert refused_by_page(refused_at_once, "gone")
    assert refreshed.status == 200
    assert refused(ended, "invalid_client")
    assert at.names().count("client_document_withdrawn") == 1


def test_access_tokens_end_with_the_client_whose_document_is_gone(drive: Drive) -> None:
    at = published(drive, policy=LASTING)
    tokens = members(at.redeem(at.code()))
    at.hosts.answers[WEB] = Response(404, ())
    lapse(at)
    _ = at.authorize()
    at.later(WITHDRAWN_FOR - 1)
    refreshed = members(at.refresh(tokens["refresh_token"]))

    before = at.site.introspect(refreshed["access_token"], "resource")["active"]
    at.later(1)
    after = at.site.introspect(refreshed["access_token"], "resource")["active"]

    assert (before, after) == (True, False)


def test_a_document_that_is_back_is_the_client_that_it_was(at: Published) -> None:
    tokens = members(at.redeem(at.code()))
    at.hosts.answers[WEB] = Response(404, ())
    lapse(at)
    _ = at.authorize()
    at.later(WITHDRAWN_FOR - 1)
    at.hosts.publish()
    _ = at.authorize()
    at.later(RETRY_AFTER)

    assert at.refresh(tokens["refresh_token"]).status == 200
    assert location(at.authorize()).startswith("/login?")


# Whom the operator takes.


def test_a_host_that_is_denied_now_is_out_at_once_with_what_it_has(at: Published) -> None:
    tokens = members(at.redeem(at.code()))
    waiting = at.authorize()
    handle = params(waiting)["interaction"]
    denied = attrs.evolve(ON, denied_hosts=("app.example",))
    at.site.server = AuthorizationServer(
        issuer=at.site.server.issuer,
        clock=at.site.clock,
        entropy=at.site.server.instruments.entropy,
        token_key=TOKEN_KEY,
        client_id_metadata=denied,
    )

    assert not at.site.is_active(tokens["access_token"])
    assert at.site.introspect(tokens["access_token"], "resource") == {"active": False}
    access = at.site.drive(at.site.server.tokens(Secret(tokens["access_token"])), at.site.world)
    assert access is None
    assert refused_by_page(at.authorize(), "not taken")
    assert refused(at.refresh(tokens["refresh_token"]), "invalid_client", "not taken")
    finished = at.site.drive(at.site.server.interactions.finish(handle, at.site.alice, ["email"]), at.site.world)
    assert refused_by_page(finished, "not taken")


def test_what_a_client_was_granted_ends_as_soon_as_the_hosts_review_refuses_its_document(drive: Drive) -> None:
    """The operator's own word counts at once, where a document that is merely gone has an hour to come back."""
    refusing: list[str] = []

    def review(client: Client) -> Client:
        if client.client_id in refusing:
            raise InvalidRequest("not here")
        return client

    lasting = Policy.oauth21(lifetimes=Lifetimes(access_token_lifetime=86_400))
    at = published(drive, policy=lasting, metadata=attrs.evolve(ON, review=review))
    tokens = members(at.redeem(at.code()))
    lapse(at)
    refusing.append(WEB)
    assert refused_by_page(at.authorize())

    during = at.site.introspect(tokens["access_token"], "resource")["active"]
    refusing.clear()
    at.later(RETRY_AFTER)
    _ = at.authorize()

    assert (during, at.site.introspect(tokens["access_token"], "resource")["active"]) == (False, True)


@pytest.mark.parametrize(
    "review",
    [
        lambda client: attrs.evolve(client, client_id="confidential"),
        lambda client: attrs.evolve(client, generation="another"),
        lambda client: None,
    ],
)
def test_a_review_that_makes_another_client_of_one_is_the_hosts_fault_and_makes_none(
    drive: Drive, review: Callable[[Client], Client]
) -> None:
    at = published(drive, metadata=attrs.evolve(ON, review=review))

    response = at.authorize()

    assert response.status == 500
    assert response.refusal is not None
    assert isinstance(response.refusal.cause, ConfigurationError)
    assert at.found() is None


def test_no_more_of_a_document_is_fetched_than_one_may_have(at: Published) -> None:
    _ = at.authorize()

    assert at.hosts.limits == [MAX_DOCUMENT]


def test_documents_that_are_turned_off_are_no_clients_any_more(at: Published) -> None:
    """Nor at a second issuer over the same storage, for which they were never turned on."""
    tokens = members(at.redeem(at.code()))
    at.site.server = AuthorizationServer(
        issuer=at.site.server.issuer,
        clock=at.site.clock,
        entropy=at.site.server.instruments.entropy,
        token_key=TOKEN_KEY,
    )

    assert not at.site.is_active(tokens["access_token"])
    assert at.site.introspect(tokens["access_token"], "resource") == {"active": False}
    access = at.site.drive(at.site.server.tokens(Secret(tokens["access_token"])), at.site.world)
    assert access is None
    assert refused_by_page(at.authorize(), "not taken")
    assert refused(at.refresh(tokens["refresh_token"]), "invalid_client", "not taken")


def test_what_one_issuer_lets_documents_ask_for_is_not_asked_for_at_another(at: Published) -> None:
    _ = at.authorize()
    at.site.server = AuthorizationServer(
        issuer="https://other.example",
        clock=at.site.clock,
        entropy=at.site.server.instruments.entropy,
        token_key=TOKEN_KEY,
        client_id_metadata=ClientIdMetadata(scope="email"),
    )

    assert refused_by_page(at.authorize(scope="profile"), "invalid_scope")
    assert location(at.authorize(scope="email")).startswith("/login?")


def test_a_document_of_a_loopback_host_is_fetched_where_tests_want_it(drive: Drive) -> None:
    url, metadata = "http://localhost:9000/client.json", attrs.evolve(ON, loopback=LoopbackDocuments())
    at, shut = published(drive, metadata), published(drive)
    for each in (at, shut):
        each.hosts.publish(url)

    assert location(at.authorize(url)).startswith("/login?")
    assert refused_by_page(shut.authorize(url), "unknown")
    assert shut.hosts.asked == []


def test_a_client_that_is_disabled_is_neither_fetched_nor_forgotten(at: Published) -> None:
    tokens = members(at.redeem(at.code()))
    _ = at.site.drive(at.site.server.clients.disable(WEB), at.site.world)
    at.later(3 * 365 * 86_400)
    _ = at.site.world.storage.purge(at.site.now, 1_000)

    assert refused_by_page(at.authorize(), "disabled")
    assert refused(at.refresh(tokens["refresh_token"]), "invalid_client")
    assert at.hosts.asked == [WEB]


def test_a_client_that_is_enabled_again_goes_on(at: Published) -> None:
    tokens = members(at.redeem(at.code()))
    for switch in (at.site.server.clients.disable, at.site.server.clients.enable):
        _ = at.site.drive(switch(WEB), at.site.world)

    assert at.refresh(tokens["refresh_token"]).status == 200
    assert at.redeem(at.code()).status == 200
    assert at.known().expires_at is not None


def test_a_client_that_is_removed_comes_again_as_another_one(at: Published) -> None:
    tokens = members(at.redeem(at.code()))
    _ = at.site.drive(at.site.server.clients.remove(WEB), at.site.world)

    assert refused(at.refresh(tokens["refresh_token"]), "invalid_client")
    assert at.redeem(at.code()).status == 200
    assert refused(at.refresh(tokens["refresh_token"]), "invalid_grant", "now that of another client")


# Consent.


def test_consent_is_remembered_where_the_answer_goes_to_the_documents_own_host(at: Published) -> None:
    allow(at)

    again = at.site.authorize(at.site.alice, client_id=WEB, redirect_uri=CALLBACK)

    assert "code" in params(again)


def test_consent_is_never_remembered_for_an_answer_to_another_host(at: Published) -> None:
    """Whoever can write the document could have put it there since, and be answered without a word: prompt=none."""
    elsewhere = "https://elsewhere.example/callback"
    allow(at)
    at.hosts.publish(redirect_uris=[CALLBACK, elsewhere])
    lapse(at)

    asked = at.site.authorize(at.site.alice, client_id=WEB, redirect_uri=elsewhere)
    silent = at.site.authorize(at.site.alice, client_id=WEB, redirect_uri=elsewhere, prompt="none")

    assert location(asked).startswith("/consent?")
    assert params(silent)["error"] == "consent_required"


def test_consent_is_never_remembered_for_a_program_that_is_called_by_the_name_of_the_documents_host(
    at: Published,
) -> None:
    """RFC 8252 section 7.1: what follows a private-use scheme is no host."""
    program = "com.evil.app://chatgpt.com/callback"
    at.hosts.publish(CHATGPT, redirect_uris=["https://chatgpt.com/connector/oauth/abc123", program])
    client_id, uri = CHATGPT, "https://chatgpt.com/connector/oauth/abc123"
    handle = params(at.site.authorize(None, client_id=client_id, redirect_uri=uri))["interaction"]
    finish = at.site.server.interactions.finish(handle, at.site.alice, ["email"], remember=True)
    _ = at.site.get(location(at.site.drive(finish, at.site.world)))

    at_host = at.site.authorize(at.site.alice, client_id=client_id, redirect_uri=uri)
    asked = at.site.authorize(at.site.alice, client_id=client_id, redirect_uri=program)

    assert "code" in params(at_host)
    assert location(asked).startswith("/consent?")


def test_consent_is_never_remembered_for_what_any_program_could_listen_for(at: Published) -> None:
    uri = "http://localhost:5000/callback"
    allow(at, CLAUDE_CODE, uri)

    asked = at.site.authorize(at.site.alice, client_id=CLAUDE_CODE, redirect_uri=uri)

    assert location(asked).startswith("/consent?")


def allow(at: Published, client_id: str = WEB, redirect_uri: str = CALLBACK) -> None:
    """Have a person allow a client something, to be remembered."""
    response = at.site.authorize(None, client_id=client_id, redirect_uri=redirect_uri)
    handle, drive = params(response)["interaction"], at.site.drive
    finish = at.site.server.interactions.finish(handle, at.site.alice, ["email"], remember=True)
    code = params(at.site.get(location(drive(finish, at.site.world))))["code"]
    assert at.redeem(code, client_id, redirect_uri).status == 200


# How much of it there may be.


def test_what_strangers_name_is_forgotten_within_hours(at: Published) -> None:
    _ = at.authorize()
    lifetimes = at.site.server.policy.lifetimes
    at.later(MIN + lifetimes.interaction_lifetime + lifetimes.authorization_code_lifetime + 1)

    purged = at.site.world.storage.purge(at.site.now, 1_000)

    assert purged == 2
    assert at.found() is None


def test_a_client_is_known_until_a_person_has_answered_however_long_that_takes(at: Published) -> None:
    _ = at.authorize()
    at.later(MIN - 1)
    waiting = at.authorize()
    at.later(at.site.server.policy.lifetimes.interaction_lifetime - 1)
    _ = at.site.world.storage.purge(at.site.now, 1_000)

    answered = at.site.approve(waiting)

    assert at.redeem(params(answered)["code"]).status == 200


def test_a_client_that_is_used_is_known_for_as_long_as_what_it_was_given(at: Published) -> None:
    _ = at.redeem(at.code())
    lasting = at.site.server.policy.lifetimes.consent_lifetime
    expires_at = at.known().expires_at
    at.later(SPARE)
    _ = at.redeem(at.code())
    same = at.known().expires_at
    at.later(1)
    _ = at.redeem(at.code())

    assert same == expires_at
    assert at.known().expires_at == at.site.now + lasting + SPARE
    listed = at.site.drive(find_of(ListedClient, LISTED), at.site.world)
    assert {entry.expires_at for entry in listed if entry.client_id == WEB} == {at.known().expires_at}


def test_no_more_documents_are_fetched_in_a_minute_than_is_said(drive: Drive) -> None:
    at = published(drive, attrs.evolve(ON, new_per_minute=5))
    _ = at.redeem(at.code())
    urls = [f"https://a{number}.evil.example/client.json" for number in range(20)]
    for url in urls:
        at.hosts.publish(url)

    statuses = [at.authorize(url).status for url in urls]

    assert statuses == [303] * 4 + [503] * 16
    # Whoever is known already is none of the strangers.
    lapse(at)
    assert location(at.authorize()).startswith("/login?")


def test_hosts_that_are_allowed_by_name_are_no_strangers(drive: Drive) -> None:
    at = published(drive, attrs.evolve(ON, new_per_minute=1, allowed_hosts=("app.example",)))
    urls = [f"https://app.example/{number}.json" for number in range(20)]
    for url in urls:
        at.hosts.publish(url)

    assert {at.authorize(url).status for url in urls} == {303}


def test_one_host_is_asked_for_sixty_documents_a_minute_at_most(at: Published) -> None:
    urls = [f"https://app.example/{number}.json" for number in range(100)]
    for url in urls:
        at.hosts.publish(url)

    statuses = [at.authorize(url).status for url in urls]

    assert statuses == [303] * 60 + [503] * 40
    assert len(at.hosts.asked) == 60


def test_what_strangers_name_at_a_host_keeps_nobody_from_asking_it_for_what_is_known(at: Published) -> None:
    _ = at.redeem(at.code())
    at.hosts.publish(client_name="Another name")
    lapse(at)
    for number in range(100):
        _ = at.authorize(f"https://app.example/nothing/{number}")

    assert location(at.authorize()).startswith("/login?")
    assert at.known().name == "Another name"


@pytest.mark.slow
def test_strangers_documents_push_out_no_keys_of_registered_clients() -> None:
    at = published(metadata=attrs.evolve(ON, new_per_minute=10_000))
    _ = at.redeem(at.code(CHATGPT), CHATGPT, **assertion())
    for number in range(1_100):
        _ = at.authorize(f"https://a{number}.evil.example/client.json")
        at.later(1 if number % 100 == 0 else 0)
    before = len(at.hosts.asked)

    _ = at.redeem("code", CHATGPT, **assertion(jti="j2"))

    assert CHATGPT_KEYS not in at.hosts.asked[before:]


def test_an_old_document_that_somebody_else_is_at_is_waited_for_by_nobody(drive: Drive) -> None:
    at = published(drive, policy=LASTING)
    tokens = members(at.redeem(at.code()))
    lapse(at)
    context = at.site.server.context()
    assert context.client_id_metadata is not None
    documents = context.client_id_metadata.documents
    assert documents.turn(DocumentNeeded(documents, WEB, context.now, is_object, 0)) is Turn.FETCH

    assert location(at.authorize()).startswith("/login?")
    assert at.refresh(tokens["refresh_token"]).status == 200
    assert at.hosts.asked == [WEB]


def test_what_is_listed_tells_of_the_document(at: Published) -> None:
    _ = at.authorize()

    clients = at.site.drive(at.site.server.clients.all(), at.site.world)

    assert [client.client_id for client in clients if client.document is not None] == [WEB]
    assert at.site.drive(find(ListedClient, WEB), at.site.world) is not None


def test_a_client_stays_in_developer_mode_when_its_document_is_read_again() -> None:
    at = published()
    at.authorize()
    until = at.site.drive(at.site.server.clients.explain(WEB, lifetime=86_400), at.site.world).explain_until

    at.later(at.known().document.check_at - at.site.now)  # type: ignore[union-attr]  # it has a document
    at.hosts.publish(client_name="Another name")
    at.authorize()

    assert (at.known().name, at.known().explain_until) == ("Another name", until)


def test_who_may_use_a_client_stays_as_the_operator_has_said_whatever_its_document_says_later() -> None:
    at = published()
    at.authorize()
    _ = at.site.drive(at.site.server.clients.update(WEB, require=("group:staff",)), at.site.world)

    at.later(at.known().document.check_at - at.site.now)  # type: ignore[union-attr]  # it has a document
    at.hosts.publish(client_name="Another name")
    at.authorize()

    assert (at.known().name, at.known().require) == ("Another name", ("group:staff",))
