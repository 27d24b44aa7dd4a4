"""Deployments of other forms than the good ones have: what is found of them."""

from __future__ import annotations

import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import Outgoing, Response
from oauthcore_doctor import Report, Target
from oauthcore_doctor.challenge import parameters_of, scheme_of
from tests.doctor.deployments import Change, good, page, with_header
from tests.doctor.faults import OTHER, answer, keys, resource, setting

PATH = "path, no openid, mcp"


def found(report: Report) -> set[str]:
    """Return which checks found something."""
    return {finding.check.id for finding in report.findings}


def silent(part: str) -> Change:
    """Answer nothing at such URLs."""

    def change(request: Outgoing, response: Response) -> Response:
        if part in request.url:
            raise ConnectionError("connection refused")
        return response

    return change


def test_plain_http_is_an_error_elsewhere_than_on_this_machine() -> None:
    report = good("demo").examine(Target("http://as.example"))

    assert "plain-http" in found(report)


def test_nobody_who_listens_is_one_finding() -> None:
    report = attrs.evolve(good("demo"), change=silent("")).examine()

    assert found(report) == {"discovery-found"}


def test_an_endpoint_that_does_not_answer_is_an_error() -> None:
    report = attrs.evolve(good("demo"), change=silent("/introspect")).examine()

    assert "no-answer" in found(report)


def test_a_resource_that_names_no_server_leaves_none_to_examine() -> None:
    deployment = attrs.evolve(good("demo --mcp"), change=resource(authorization_servers=[]))

    report = deployment.examine(Target(resource=deployment.resource))

    assert {"issuer-known", "resource-servers"} <= found(report)


def test_openid_metadata_before_the_path_alone_is_an_error() -> None:
    def change(request: Outgoing, response: Response) -> Response:
        if request.url == "https://as.example/.well-known/openid-configuration/tenant":
            body = json.dumps({"issuer": "https://as.example/tenant"}).encode()
            return Response(200, (("Content-Type", "application/json"),), body)
        return response

    report = attrs.evolve(good(PATH), change=change).examine()

    assert "discovery-appended" in found(report)


def test_resource_metadata_that_the_challenge_alone_leads_to_is_a_warning() -> None:
    elsewhere = "https://as.example/about/mcp"
    served = good(PATH)
    at = served.resource
    assert at is not None

    def change(request: Outgoing, response: Response) -> Response:
        if request.url == elsewhere:
            original = served.fetch(Outgoing("GET", where_of(at))).response
            assert original is not None
            return original
        if "oauth-protected-resource" in request.url:
            return page(404)
        if request.url == at:
            challenge = f'Bearer scope="read", resource_metadata="{elsewhere}"'
            return Response(401, (("WWW-Authenticate", challenge),))
        return response

    assert "resource-inserted" in found(attrs.evolve(served, change=change).examine())


def where_of(url: str) -> str:
    """Return where a resource's metadata is (RFC 9728 section 3.1)."""
    return url.replace("as.example/", "as.example/.well-known/oauth-protected-resource/")


def test_a_front_that_knows_no_other_host_changes_nothing() -> None:
    def change(request: Outgoing, response: Response) -> Response:
        return page(421) if dict(request.headers).get("Host") else response

    assert found(attrs.evolve(good(PATH), change=change).examine()) == set()


def test_a_limit_of_requests_is_noted_and_nothing_else_is_said_of_them() -> None:
    report = attrs.evolve(good("demo"), change=answer("/oauth/tokenize", page(429))).examine()

    assert {"rate-limit"} <= found(report) <= {"rate-limit", "registration", "cors-token"}


ODD_URLS = ("", " ", "https://[", "https://a:99999/", "http://", "//a", "\x1b[2J", "\u00e9", "https://as.example:0")
NASTY: st.SearchStrategy[object] = st.sampled_from([None, True, 1, -1.5, [], [1], [None], {}, *ODD_URLS])
MEMBERS = st.sampled_from(
    [
        *("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "introspection_endpoint"),
        *("userinfo_endpoint", "end_session_endpoint", "registration_endpoint", "response_types_supported"),
        *("grant_types_supported", "scopes_supported", "code_challenge_methods_supported"),
        *("token_endpoint_auth_methods_supported", "id_token_signing_alg_values_supported"),
    ]
)
KEY_MEMBERS = st.sampled_from(["kty", "kid", "alg", "use", "crv", "n", "e", "x", "key_ops"])
FIELDS = st.sampled_from(["Date", "Location", "WWW-Authenticate", "Content-Type", OTHER, "Allow", "Cache-Control"])


@pytest.mark.parametrize("url", ODD_URLS)
@pytest.mark.parametrize("member", ["issuer", "token_endpoint", "jwks_uri"])
def test_a_url_that_is_none_is_found_and_not_stumbled_over(member: str, url: str) -> None:
    report = attrs.evolve(good("root, openid, mcp"), change=setting(**{member: url})).examine()

    assert {"metadata-urls", "issuer", "no-answer", "metadata-http"} & found(report)


@pytest.mark.slow
@given(
    st.dictionaries(MEMBERS, NASTY, max_size=4),
    st.dictionaries(KEY_MEMBERS, NASTY, max_size=3),
    st.dictionaries(
        FIELDS, st.sampled_from(["", ",", "https://[", "Mon, 01 Jan 0000 00:00:00 GMT", "Bearer a=", '"']), max_size=2
    ),
    st.sampled_from([200, 301, 401, 405, 500]),
)
def test_whatever_a_server_answers_the_examination_ends_in_a_report(
    members: dict[str, object], key: dict[str, object], fields: dict[str, str], status: int
) -> None:
    changes = (setting(**members), keys(lambda published: [*published, published[0] | key]))

    def change(request: Outgoing, response: Response) -> Response:
        for changed in changes:
            response = changed(request, response)
        if ".well-known" not in request.url:
            response = attrs.evolve(response, status=status)
        for name, value in fields.items():
            response = with_header(response, name, value)
        return response

    report = attrs.evolve(good("root, openid, mcp"), change=change).examine()

    assert all(finding.text.isprintable() for finding in report.findings)


@pytest.mark.parametrize(
    ("challenge", "scheme", "parameters"),
    [
        ('Bearer scope="a b", error=invalid_token', "bearer", {"scope": "a b", "error": "invalid_token"}),
        ('bearer realm="say \\"a\\""', "bearer", {"realm": 'say "a"'}),
        ("DPoP", "dpop", {}),
        ("", "", {}),
    ],
)
def test_a_challenge_is_read_with_its_quotes(challenge: str, scheme: str, parameters: dict[str, str]) -> None:
    assert (scheme_of(challenge), dict(parameters_of(challenge))) == (scheme, parameters)


def test_an_unknown_client_may_be_404_at_the_authorization_endpoint() -> None:
    assert found(attrs.evolve(good(PATH), change=answer("/authorize", page(404))).examine()) == set()


def test_a_page_where_no_client_looks_is_no_fault() -> None:
    change = answer("/tenant/.well-known/oauth-authorization-server", page(200))

    assert found(attrs.evolve(good(PATH), change=change).examine()) == set()


def test_an_error_by_200_is_another_error_and_nobody_served() -> None:
    answered = Response(200, (("Content-Type", "application/json"),), b'{"error": "incorrect_client_credentials"}')

    report = attrs.evolve(good("demo"), change=answer("/oauth/tokenize", answered, "POST")).examine()

    possible = {"unknown-client", "no-store", "cors-errors", "registration"}
    assert {"unknown-client", "no-store"} <= found(report) <= possible


def test_a_terminal_is_shown_no_escape_sequence_of_a_server() -> None:
    report = attrs.evolve(good(PATH), change=setting(issuer="https://as.example/\x1b[2J" + "a" * 5_000)).examine()

    texts = [finding.text for finding in report.findings] + [trouble.reason for trouble in report.clients]
    assert any("\\u001b[2J" in text for text in texts)
    assert all(text.isprintable() and len(text) < 2_000 for text in texts)


def test_a_challenge_of_any_length_is_read_in_no_time() -> None:
    assert parameters_of("Bearer " + "a" * 1_000_000) == {}
