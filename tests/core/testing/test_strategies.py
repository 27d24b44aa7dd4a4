"""What the strategies give is what they say: clients that are taken, requests that are right, or almost."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlsplit

import attrs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from oauthcore import Client, MemoryStorage, Request, Response, run
from oauthcore.digest import Secret
from oauthcore.flow.effects import find
from oauthcore.flow.outcome import Insert
from oauthcore.records.grant import Grant
from oauthcore.testing import Act, ClientSession, SeededEntropy
from oauthcore.testing.strategies import (
    Asking,
    almost_valid,
    authorizations,
    clients,
    grants,
    hostile,
    lifetimes,
    tokens,
)
from oauthcore.testing.strategies.hostile import TARGET
from oauthcore.testing.strategies.mistakes import mistakes
from tests.core.site import CHALLENGE, Site, make_site

unhurried = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SECRET = Secret("a secret: with a colon, and 🔑%")


def site_of(client: Client) -> Site:
    """Return a site where that client alone is registered."""
    site = make_site(clients=())
    registered = run(site.server.clients.register(client, None if client.is_public else SECRET), site.world)
    assert registered.client.client_id == client.client_id
    return site


def sent(site: Site, request: Request) -> Response:
    return site.handle(request)


def asked(site: Site, request: Request) -> Response:
    """Send a request as a browser does: one that posts from elsewhere is asked to come again by GET."""
    response = site.handle(request)
    target = response.header("location") or ""
    return site.handle(Request("GET", target)) if target.startswith("/authorize?") else response


@unhurried
@given(client=clients())
def test_clients_are_taken_by_a_server_as_they_are(client: Client) -> None:
    site = make_site(clients=())

    registered = run(site.server.clients.register(client), site.world)

    assert attrs.evolve(registered.client, secrets=(), generation="") == client
    assert (registered.secret is None) is client.is_public
    assert run(find(Client, client.client_id), site.world) == registered.client


@pytest.mark.parametrize("public", [True, False])
def test_clients_are_public_or_confidential_where_that_is_asked_for(public: bool) -> None:
    @unhurried
    @given(client=clients(public=public))
    def are(client: Client) -> None:
        assert client.is_public is public

    are()


@unhurried
@given(data=st.data(), client=clients())
def test_authorization_requests_that_are_right_lead_to_a_page(data: st.DataObject, client: Client) -> None:
    asking, site = data.draw(authorizations(client)), site_of(client)

    response = asked(site, asking.request())

    assert response.status == 303, response.refusal
    assert "interaction=" in (response.header("location") or "")


@unhurried
@given(client=clients())
def test_token_requests_of_a_client_are_authenticated(client: Client) -> None:
    secret = None if client.is_public else SECRET

    response = sent(site_of(client), tokens(client, secret, grant_type="refresh_token", refresh_token="x").request())

    assert response.refusal is not None
    assert response.refusal.code in {"invalid_grant", "unauthorized_client"}


def is_refused(response: Response) -> bool:
    """Return whether a response is an error, as JSON, as a page, or in a redirect or a form that goes to the client."""
    said = (response.header("location") or "") + (response.body.decode() if response.status == 200 else "")
    return 400 <= response.status < 500 or (response.refusal is not None and "error" in said)


@unhurried
@given(data=st.data(), client=clients())
def test_an_authorization_request_with_one_mistake_is_refused(data: st.DataObject, client: Client) -> None:
    asking, site = data.draw(authorizations(client)), site_of(client)
    right = asked(site, asking.request())
    assert not is_refused(right)

    response = asked(site, data.draw(almost_valid(asking)))

    assert is_refused(response), response
    assert "code=" not in (response.header("location") or "")


@unhurried
@given(data=st.data(), client=clients())
def test_a_token_request_with_one_mistake_is_refused(data: st.DataObject, client: Client) -> None:
    client = attrs.evolve(client, grant_types=("authorization_code", "refresh_token"))
    site = make_site(clients=())
    session = ClientSession.begin(site.server, lambda flow: run(flow, site.world), SeededEntropy(7), client=client)
    code, verifier = session.code(scope=client.scope.text)
    asking = tokens(
        client,
        session.secret,
        grant_type="authorization_code",
        code=code,
        redirect_uri=client.redirect_uris[0],
        code_verifier=verifier,
    )

    response = sent(site, data.draw(almost_valid(asking)))

    assert is_refused(response), response
    assert b"access_token" not in response.body
    assert sent(site, asking.request()).status == 200


def test_what_is_no_mistake_is_not_among_the_mistakes() -> None:
    asking = Asking("/x", (("state", "a"), ("resource", "b"), ("scope", "c"), ("client_id", "1")))

    bodies = {request.body.decode() for request in mistakes(asking) if request.method == "POST"}

    assert "state=a&resource=b&scope=c&client_id=1&state=a" in bodies  # whatever it is, it is there twice
    assert {body.partition("state=")[2][:2] for body in bodies if body.startswith("state=")} == {"a&"}
    assert any("scope=cx" in body for body in bodies)
    assert all("scope=" in body for body in bodies if body.startswith("state="))
    assert "state=a&resource=b&scope=c&client_id=" in bodies


@pytest.mark.parametrize(
    ("needed", "repeatable"),
    [("response_type", {"resource"}), ("grant_type", {"resource", "audience"}), ("token", set[str]())],
)
def test_what_an_endpoint_lets_be_repeated_is_no_mistake_there(needed: str, repeatable: set[str]) -> None:
    names = (needed, "resource", "audience")
    asking = Asking("/x", tuple((name, "b") for name in names))

    bodies = {request.body.decode() for request in mistakes(asking)}

    plain = f"{needed}=b&resource=b&audience=b"
    assert {name for name in names if f"{plain}&{name}=b" not in bodies} == repeatable


def test_mistakes_are_refused_for_many_reasons() -> None:
    client = Client(client_id="c", redirect_uris=("https://client.example/callback",), scope="email")
    site = site_of(client)
    pairs = {"scope": "email", "state": "a", "response_mode": "query", "code_challenge": CHALLENGE}
    asking = Asking(
        "/authorize",
        (
            ("client_id", "c"),
            ("response_type", "code"),
            ("redirect_uri", client.redirect_uris[0]),
            ("code_challenge_method", "S256"),
            *pairs.items(),
        ),
    )

    codes = Counter(refusal.code for request in mistakes(asking) if (refusal := asked(site, request).refusal))

    assert set(codes) == {"invalid_request", "unsupported_response_type", "invalid_scope"}


SITE = site_of(TARGET)


@settings(unhurried, max_examples=200)
@given(request=hostile())
@pytest.mark.slow
def test_whatever_is_hostile_gets_nothing_and_goes_nowhere(request: Request) -> None:
    response = asked(SITE, request)

    assert response.status < 500, response.refusal
    assert all("\r" not in value and "\n" not in value for _, value in response.headers)
    assert (response.header("set-cookie") or "__Host-").startswith("__Host-")
    target = response.header("location") or "/"
    assert (target.startswith("/") and not target.startswith("//")) or is_at(target, TARGET.redirect_uris[0]), target
    assert b"access_token" not in response.body
    assert b"<script>alert" not in response.body


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.parametrize("paths", [(), ("/of-mine",)])
def test_what_is_hostile_is_mostly_read_and_refused_for_many_reasons(paths: tuple[str, ...]) -> None:
    responses: list[Response] = []
    seen: set[str] = set()

    @settings(max_examples=400, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    @given(request=hostile(paths))
    def are_sent(request: Request) -> None:
        responses.append(SITE.handle(request))
        seen.add(request.path)

    are_sent()

    passed_by = sum(response.status in {204, 404, 405} for response in responses)
    reasons = {response.refusal.reason for response in responses if response.refusal is not None}
    assert passed_by < len(responses) * 0.4
    assert len(reasons) > 20
    assert set(paths) <= seen


@settings(unhurried, max_examples=50)
@given(client=clients(), data=st.data())
@pytest.mark.slow
def test_an_attack_may_be_aimed_at_a_client_of_ones_own(client: Client, data: st.DataObject) -> None:
    site = site_of(client)

    response = asked(site, data.draw(hostile(client=client)))

    target = response.header("location") or "/"
    assert response.status < 500, response.refusal
    assert target.startswith("/") or any(is_at(target, uri) for uri in client.redirect_uris), target


def is_at(target: str, uri: str) -> bool:
    """Return whether a redirect goes to a registered URI, on whatever port of the loopback interface."""
    went, registered = urlsplit(target), urlsplit(uri)
    return (went.scheme, went.hostname, went.path) == (registered.scheme, registered.hostname, registered.path)


@unhurried
@given(grant=grants())
def test_grants_are_in_order(grant: Grant) -> None:
    assert grant.granted_at < grant.expires_at
    assert grant.rotation is None or grant.granted_at <= grant.rotation.rotated_at < grant.expires_at
    assert MemoryStorage().commit((Insert(grant),))


@pytest.mark.slow
@unhurried
@given(acts=lifetimes())
def test_lifetimes_begin_with_tokens(acts: list[Act]) -> None:
    assert [act.name for act in acts[:2]] == ["authorize", "redeem"]


def test_a_request_goes_in_its_query_or_in_its_body() -> None:
    asking = Asking("/authorize", (("state", "a b"), ("scope", "é")), "GET")

    assert asking.request() == Request("GET", "/authorize?state=a+b&scope=%C3%A9")
    assert Asking("/token", (("a", "b"),)).request().body == b"a=b"
