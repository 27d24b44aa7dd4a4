"""What the strategies give is what they say: clients that are taken, requests that are right, or almost."""

from __future__ import annotations

from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from oauthcore import Client, MemoryStorage, Request, Response, run
from oauthcore.digest import Secret
from oauthcore.outcome import Insert
from oauthcore.records import Grant
from oauthcore.testing import Act
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
from tests.core.site import Site, make_site

unhurried = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SECRET = Secret("a secret: with a colon, and 🔑%")


def site_of(client: Client) -> Site:
    """Give a site where that client alone is registered."""
    site = make_site(clients=())
    registered = run(site.server.register(client, None if client.is_public else SECRET), site.world)
    assert registered.client.client_id == client.client_id
    return site


def sent(site: Site, request: Request) -> Response:
    return site.handle(request)


@unhurried
@given(client=clients())
def test_clients_are_taken_by_a_server(client: Client) -> None:
    site_of(client)


@unhurried
@given(data=st.data(), client=clients())
def test_authorization_requests_that_are_right_lead_to_a_page(data: st.DataObject, client: Client) -> None:
    asking, site = data.draw(authorizations(client)), site_of(client)

    response = sent(site, asking.request())
    if (target := response.header("location") or "").startswith("/authorize?"):
        # A browser that posts without our cookies is asked to come again by GET.
        response = sent(site, Request("GET", target))

    assert response.status == 303, response.refusal
    assert "interaction=" in (response.header("location") or "")


@unhurried
@given(client=clients())
def test_token_requests_of_a_client_are_authenticated(client: Client) -> None:
    secret = None if client.is_public else SECRET

    response = sent(site_of(client), tokens(client, secret, grant_type="refresh_token", refresh_token="x").request())

    assert response.refusal is not None
    assert response.refusal.code in {"invalid_grant", "unauthorized_client"}


@unhurried
@given(data=st.data(), client=clients(public=False))
def test_requests_that_are_almost_right_are_answered_and_never_by_a_500(data: st.DataObject, client: Client) -> None:
    asking = data.draw(
        authorizations(client) | st.just(tokens(client, SECRET, grant_type="refresh_token", refresh_token="x"))
    )

    response = sent(site_of(client), data.draw(almost_valid(asking)))

    assert response.status < 500, response.refusal


def test_almost_right_requests_are_refused_for_more_than_one_reason() -> None:
    client = Client(client_id="c", redirect_uris=("https://client.example/callback",), scope="email")
    site = site_of(client)
    asking = find(authorizations(client), lambda asking: "scope" in dict(asking.pairs))

    def refused_as(code: str) -> Request:
        def is_refused(request: Request) -> bool:
            refusal = sent(site, request).refusal
            return refusal is not None and refusal.code == code

        return find(almost_valid(asking), is_refused)

    found = [refused_as(code) for code in ("invalid_request", "unsupported_response_type", "invalid_scope")]

    assert len(set(found)) == 3


SITE = make_site()


@settings(unhurried, max_examples=100)
@given(request=hostile())
def test_whatever_is_hostile_gets_a_response_that_is_no_500(request: Request) -> None:
    response = SITE.handle(request)

    assert response.status < 500, response.refusal
    assert all("\r" not in value and "\n" not in value for _, value in response.headers)


@unhurried
@given(grant=grants())
def test_grants_are_in_order(grant: Grant) -> None:
    assert grant.granted_at < grant.expires_at
    assert grant.rotation is None or grant.granted_at <= grant.rotation.rotated_at < grant.expires_at
    assert MemoryStorage().commit((Insert(grant),))


@unhurried
@given(acts=lifetimes())
def test_lifetimes_begin_with_tokens(acts: list[Act]) -> None:
    assert [act.name for act in acts[:2]] == ["authorize", "redeem"]


def test_a_request_goes_in_its_query_or_in_its_body() -> None:
    asking = Asking("/authorize", (("state", "a b"), ("scope", "é")), "GET")

    assert asking.request() == Request("GET", "/authorize?state=a+b&scope=%C3%A9")
    assert Asking("/token", (("a", "b"),)).request().body == b"a=b"
