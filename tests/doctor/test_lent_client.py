"""What is seen with a client that the operator lends."""

from __future__ import annotations

import base64
import json

import attrs
import pytest

from oauthcore import Outgoing, Response, Secret
from oauthcore_doctor import LentClient, Probe, Report, Target
from tests.doctor.deployments import NOW, Change, Deployment, good, page, with_document, with_header
from tests.doctor.faults import at, setting

REDIRECT = "https://other.example/callback"
CLIENT = LentClient("other_client", Secret("other-password"), REDIRECT)
SERVICE = LentClient("service_client", Secret("service-password"))


def examine(client: LentClient, change: Change | None = None) -> Report:
    """Examine the demo with one of its clients."""
    demo: Deployment = good("demo")
    demo = demo if change is None else attrs.evolve(demo, change=change)
    return demo.examine(Target(demo.issuer, client=client))


def found(report: Report) -> set[str]:
    """Return which checks of the client's found something."""
    return {finding.check.id for finding in report.findings if finding.check.id.startswith("client-")}


@pytest.mark.parametrize("client", [CLIENT, SERVICE, LentClient("other_client")])
def test_nothing_is_found_with_the_clients_of_a_good_server(client: LentClient) -> None:
    assert found(examine(client)) == set()


def test_nothing_is_sent_in_a_client_s_name_without_one() -> None:
    exchanges = good("demo").examine().observations.exchanges

    assert not [probe for probe in exchanges if probe.name.startswith("CLIENT_")]


def test_the_client_asks_by_basic_authentication() -> None:
    exchange = examine(SERVICE).observations.exchanges[Probe.CLIENT_CREDENTIALS]

    sent = dict(exchange.request.headers)["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent) == b"service_client:service-password"
    assert exchange.response is not None
    assert exchange.response.status == 200


def redirect(location: str) -> Response:
    """Return a redirect."""
    return Response(302, (("Location", location),))


def relocated(old: str, new: str) -> Change:
    """Change where browsers are redirected to."""

    def change(request: Outgoing, response: Response) -> Response:
        location = response.header("location")
        if location is None or not location.startswith(REDIRECT):
            return response
        return attrs.evolve(response, headers=(("Location", location.replace(old, new)),))

    return change


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("client-error", relocated(REDIRECT, "https://as.example/error")),
        ("client-error", relocated("state=oauthcore-doctor", "state=other")),
        ("client-iss", relocated("iss=http%3A%2F%2Flocalhost%3A8000", "iss=http%3A%2F%2Flocalhost%3A8000%2F")),
        ("client-iss", relocated("iss=", "issuer=")),
        ("client-pkce", relocated("error=invalid_request", "error=login_required")),
        ("client-plain", relocated("error=invalid_request", "error=login_required")),
        ("client-twice", at("method=S256&prompt=none&code", lambda *_: redirect(f"{REDIRECT}?error=login_required"))),
        ("client-redirect", at("%2Foauthcore-doctor", lambda *_: redirect(f"{REDIRECT}/oauthcore-doctor"))),
        ("client-silent", at("prompt=none", lambda *_: page(200))),
        ("client-framing", at("/login", lambda *_: page(200))),
        ("client-page", at("/login", lambda _, response: with_header(response, "Cache-Control", "private"))),
        (
            "client-form",
            at(
                "/login",
                lambda _, response: with_header(
                    response, "Content-Security-Policy", "frame-ancestors 'none'; form-action 'self'"
                ),
            ),
        ),
    ],
)
def test_a_fault_of_authorization_responses_is_found(check: str, change: Change) -> None:
    assert check in found(examine(CLIENT, change))


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("client-grant", at("/oauth/tokenize", lambda *_: json_error(400, "invalid_request"))),
        ("client-revocation", at("/oauth/revoke", lambda *_: json_error(400, "invalid_request"))),
    ],
)
def test_a_fault_of_an_endpoint_for_clients_is_found(check: str, change: Change) -> None:
    assert check in found(examine(SERVICE, change))


@pytest.mark.parametrize(
    "policy",
    ["form-action 'self' https://other.example", "form-action *", "form-action 'self' https:", "default-src 'none'"],
)
def test_a_form_that_may_end_at_the_client_is_no_fault(policy: str) -> None:
    def change(_: Outgoing, response: Response) -> Response:
        framed = f"{policy}; frame-ancestors 'none'"
        return with_header(response, "Content-Security-Policy", framed) if response.status == 200 else response

    assert found(examine(CLIENT, at("/login", change))) == set()


def json_error(status: int, code: str) -> Response:
    """Return an OAuth error."""
    return Response(status, (("Content-Type", "application/json"),), json.dumps({"error": code}).encode())


def tokens(**changed: object) -> Change:
    """Change what is in a token response."""

    def change(request: Outgoing, response: Response) -> Response:
        return with_document(response, json.loads(response.body) | changed) if response.status == 200 else response

    return at("/oauth/tokenize", change)


@pytest.mark.parametrize(
    "changed", [{"expires_in": "300"}, {"refresh_token": "x"}, {"token_type": None}, {"access_token": 1}]
)
def test_a_fault_of_a_token_response_is_found(changed: dict[str, object]) -> None:
    assert found(examine(SERVICE, tokens(**changed))) == {"client-token"}


def jwt(iat: float) -> str:
    """Return a token that says when it was issued."""
    return f"e30.{base64.urlsafe_b64encode(json.dumps({'iat': iat}).encode()).decode().rstrip('=')}.c2ln"


@pytest.mark.parametrize(
    ("token", "check"), [(jwt(NOW + 3_600), {"client-iat"}), (jwt(NOW), set()), ("a.b.c", set()), ("opaque", set())]
)
def test_a_token_from_another_time_is_found(token: str, check: set[str]) -> None:
    assert found(examine(SERVICE, tokens(access_token=token))) == check


def test_a_pushed_request_that_is_checked_later_is_found() -> None:
    endpoint = {"pushed_authorization_request_endpoint": "http://localhost:8000/par"}
    named = setting(**endpoint)
    accepted = Response(201, (("Content-Type", "application/json"),), b'{"request_uri": "urn:a", "expires_in": 60}')

    def change(request: Outgoing, response: Response) -> Response:
        return accepted if request.url.endswith("/par") else named(request, response)

    assert found(examine(CLIENT, change)) == {"client-pushed"}


def test_an_unknown_token_that_is_active_is_found() -> None:
    def change(request: Outgoing, response: Response) -> Response:
        return with_document(response, {"active": True}) if response.status == 200 else response

    assert found(examine(SERVICE, at("/oauth/introspect", change))) == {"client-introspection"}


@pytest.mark.parametrize(
    "change",
    [setting(issuer="https://other.example"), setting(token_endpoint="http://as.example/token")],
    ids=["another issuer's", "over plain http"],
)
def test_a_secret_goes_to_no_endpoint_that_is(change: Change) -> None:
    report = examine(SERVICE, change)

    assert Probe.CLIENT_CREDENTIALS not in report.observations.exchanges
