"""What a metadata document has to be, and what client it makes (F1, F4, F5)."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest

from oauthcore import Allowance, Client, ClientIdMetadata, MutualTls, Policy, Response
from oauthcore.clients.metadata_document import MAX_DOCUMENT
from oauthcore.errors import AccessDenied
from oauthcore.jose.jwk import set_of
from tests.core.clients.publishing import (
    CHATGPT,
    CLAUDE_AI,
    CLAUDE_CODE,
    CURSOR,
    DOCUMENTS,
    JSON,
    KEY,
    ON,
    WEB,
    published,
    served,
    web,
)
from tests.core.site import location, params, refused_by_page

KEYS = json.loads(set_of([KEY]))


def client_of(**changes: Any) -> Client:
    """Return the client that a document makes."""
    at = published()
    at.hosts.publish(**changes)
    _ = at.authorize()
    return at.known()


def refusal_of(answer: Response, metadata: ClientIdMetadata = ON) -> str:
    """Return why the client is refused whose document's host answers so; nothing is remembered of it."""
    at = published(metadata=metadata)
    at.hosts.answers[WEB] = answer
    response = at.authorize()
    assert refused_by_page(response)
    assert at.found() is None
    assert at.names() == []
    assert response.refusal is not None
    return response.refusal.reason


@pytest.mark.parametrize("url", [CLAUDE_CODE, CLAUDE_AI, CHATGPT, CURSOR])
def test_f1_the_documents_that_there_are_make_clients(url: str) -> None:
    at = published()

    response = at.authorize(url, scope="email")

    assert location(response).startswith("/login?")
    assert at.known(url).name == DOCUMENTS[url]["client_name"]
    assert at.known(url).redirect_uris
    assert at.known(url).scope.text == "email profile"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Response(404, (JSON,), b"{}"), "404"),
        (Response(302, (("Location", "https://evil.example/a"),)), "302"),
        (Response(200, (("Content-Type", "text/html"),), json.dumps(web()).encode()), "application/json"),
        (Response(200, (), json.dumps(web()).encode()), "application/json"),
        (Response(200, (("Content-Type", "text/plain+json"),), json.dumps(web()).encode()), "application/json"),
        (Response(200, (JSON,), b""), "not a JSON object"),
        (Response(200, (JSON,), b"[]"), "not a JSON object"),
        (Response(200, (JSON,), b"\xff\xfe"), "not a JSON object"),
        (Response(200, (JSON,), json.dumps(web())[:-1].encode() + b',"client_id":"a"}'), "not a JSON object"),
        (Response(200, (JSON,), json.dumps(web(x="a" * MAX_DOCUMENT)).encode()), "bytes"),
        (served(web(client_id=None)), "client_id"),
        (served(web(client_name=None)), "client_name"),
        (served(web(redirect_uris=None)), "redirect_uris"),
        (served(web(redirect_uris=[])), "redirect_uris"),
        (served(web(client_id=WEB + "/")), "not the URL"),
        (served(web(client_id=WEB.upper())), "not the URL"),
        (served(web(client_id=[WEB])), "not the URL"),
        (served(web(client_name=1)), "client_name"),
        (served(web(client_name="a\u202eb")), "client_name"),
        (served(web(redirect_uris="https://app.example/callback")), "redirect_uris"),
        (served(web(redirect_uris=["javascript:alert(1)"])), "javascript"),
        (served(web(redirect_uris=["http://evil.example/a"])), "https"),
        (served(web(redirect_uris=["https://app.example/a#b"])), "fragment"),
        (served(web(grant_types=["client_credentials"])), "code"),
        (served(web(response_types=["token"])), "code"),
        (served(web(client_uri="javascript:alert(1)")), "client_uri"),
        (served(web(logo_uri="http://app.example/logo")), "logo_uri"),
    ],
)
def test_f1_what_is_no_document_of_the_client_is_refused_on_a_page(answer: Response, reason: str) -> None:
    assert reason in refusal_of(answer)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"client_secret": "secret"}, "client_secret"),
        ({"client_secret": ""}, "client_secret"),
        ({"client_secret_expires_at": 1}, "client_secret"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "secret"),
        ({"token_endpoint_auth_method": "client_secret_post"}, "secret"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "secret"),
        (
            {"token_endpoint_auth_method": "client_secret_jwt", "token_endpoint_auth_methods_supported": ["none"]},
            "secret",
        ),
        ({"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}}, "not public"),
        ({"jwks": {"keys": [*KEYS["keys"], {"kty": "oct", "k": "c2VjcmV0"}]}}, "not public"),
        ({"jwks": {"keys": [dict(KEY.members)]}}, "not public"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "neither"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "neither"),
        ({"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [{"kty": "AKP"}]}}, "key"),
        ({"token_endpoint_auth_method": "private_key_jwt", "jwks": [], "jwks_uri": "https://app.example/j"}, "jwks"),
        ({"jwks_uri": "http://app.example/jwks", "token_endpoint_auth_method": "private_key_jwt"}, "https"),
    ],
)
def test_f5_secrets_and_methods_that_take_one_are_refused(changes: dict[str, object], reason: str) -> None:
    assert reason in refusal_of(served(web(**changes)))


@pytest.mark.parametrize(
    ("changes", "method"),
    [
        (
            {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "app.example"},
            "tls_client_auth",
        ),
        (
            {"token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks_uri": "https://app.example/jwks"},
            "self_signed_tls_client_auth",
        ),
        (
            {"token_endpoint_auth_methods_supported": ["none", "tls_client_auth"], "tls_client_auth_san_dns": "a"},
            "none",
        ),
    ],
)
def test_a_document_may_name_a_certificate_where_that_is_offered(changes: dict[str, object], method: str) -> None:
    """Section 4.2 forbids shared secrets, and a certificate is none."""
    at = published(mutual_tls=MutualTls())
    at.hosts.publish(WEB, **changes)
    _ = at.authorize(WEB)

    client = at.known(WEB)
    assert client.token_endpoint_auth_method == method
    assert client.tls_client_auth_san_dns == changes.get("tls_client_auth_san_dns" if method != "none" else "")


@pytest.mark.parametrize("changes", [{}, {"tls_client_auth_san_dns": "*"}, {"tls_client_auth_san_ip": "here"}])
def test_a_document_with_a_certificate_that_no_client_can_show_is_refused(changes: dict[str, object]) -> None:
    at = published(mutual_tls=MutualTls())
    at.hosts.publish(WEB, token_endpoint_auth_method="tls_client_auth", **changes)

    assert at.authorize(WEB).status == 400


def test_f4_chatgpt_authenticates_by_its_key_and_what_it_names_beyond_is_left_out() -> None:
    at = published()
    _ = at.authorize(CHATGPT)
    client = at.known(CHATGPT)

    assert client.token_endpoint_auth_method == "private_key_jwt"
    assert client.token_endpoint_auth_signing_alg == "RS256"
    assert client.grant_types == ("authorization_code", "refresh_token")
    assert client.response_types == ("code",)


@pytest.mark.parametrize(
    ("changes", "method"),
    [
        ({}, "private_key_jwt"),
        ({"token_endpoint_auth_methods_supported": None}, "private_key_jwt"),
        ({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, "private_key_jwt"),
        ({"token_endpoint_auth_method": None}, "private_key_jwt"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "private_key_jwt"),
        ({"token_endpoint_auth_method": "none"}, "private_key_jwt"),
        ({"token_endpoint_auth_method": "none", "token_endpoint_auth_methods_supported": None}, "none"),
        ({"token_endpoint_auth_signing_alg": "ML-DSA-44"}, "none"),
        ({"token_endpoint_auth_signing_alg": "none"}, "none"),
        ({"jwks_uri": None}, "none"),
        ({"token_endpoint_auth_method": None, "token_endpoint_auth_methods_supported": None}, "none"),
    ],
)
def test_f4_a_client_authenticates_by_its_key_where_it_can_and_else_not_at_all(
    changes: dict[str, object], method: str
) -> None:
    at = published()
    at.hosts.publish(CHATGPT, **changes)
    _ = at.authorize(CHATGPT)

    assert at.known(CHATGPT).token_endpoint_auth_method == method


def test_f4_grant_types_that_are_not_named_are_those_of_the_standard() -> None:
    """RFC 7591 section 2."""
    assert client_of(grant_types=None).grant_types == ("authorization_code",)


def test_f4_a_key_of_a_kind_that_is_not_known_does_not_matter_beside_one_that_is() -> None:
    keys = [{"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"}, *KEYS["keys"]]

    client = client_of(token_endpoint_auth_method="private_key_jwt", jwks={"keys": keys})

    assert client.jwks == json.dumps(KEYS, sort_keys=True)


def test_e3_one_scheme_of_one_word_does_not_matter_beside_others() -> None:
    at = published()
    _ = at.authorize(CURSOR)

    assert at.known(CURSOR).redirect_uris == (
        "https://www.cursor.com/agents/mcp/oauth/callback",
        "http://localhost:8787/callback",
    )


def test_e3_a_scheme_of_one_word_is_kept_where_the_policy_allows_it() -> None:
    at = published(policy=Policy.oauth21(allow=[Allowance.ONE_WORD_SCHEME]))
    _ = at.authorize(CURSOR)

    assert "cursor://anysphere.cursor-mcp/oauth/callback" in at.known(CURSOR).redirect_uris


def test_what_would_have_us_or_browsers_call_somebody_is_never_taken_of_a_document() -> None:
    """Front-channel and back-channel logout, request objects by reference, sectors, and what is the operator's."""
    client = client_of(
        frontchannel_logout_uri="https://app.example/logout",
        backchannel_logout_uri="https://app.example/logout",
        post_logout_redirect_uris=["https://app.example/bye"],
        request_uris=["https://app.example/request"],
        sector_identifier_uri="https://app.example/sector",
        initiate_login_uri="https://app.example/start",
        subject_type="pairwise",
        introspects_any=True,
        allow=["PLAIN_PKCE"],
        enabled=False,
        organization_name="Your Bank",
        userinfo_encrypted_response_alg="RSA-OAEP",
    )

    assert (client.frontchannel_logout_uri, client.backchannel_logout_uri, client.sector_identifier_uri) == (None,) * 3
    assert (client.post_logout_redirect_uris, client.request_uris, client.initiate_login_uri) == ((), (), None)
    assert (client.subject_type, client.introspects_any, client.allow, client.enabled) == (
        "public",
        False,
        frozenset(),
        True,
    )
    # It would stand beside a name that nobody has vetted, as who runs it.
    assert (client.organization_name, client.userinfo_encrypted_response_alg) == (None, None)


@pytest.mark.parametrize(
    ("named", "scope"), [(None, "email profile"), ("email openid", "email"), ("email admin", "email")]
)
def test_the_scope_of_a_document_is_what_is_meant_where_none_is_named_within_what_is_allowed(
    named: str | None, scope: str
) -> None:
    client = client_of(scope=named)

    assert (client.omitted_scope.text, client.scope.text) == (scope, "email profile")


def test_a_review_of_the_hosts_may_change_a_client() -> None:
    at = published(metadata=attrs.evolve(ON, review=lambda client: attrs.evolve(client, scope="email")))
    _ = at.authorize(scope="email")

    assert at.known().scope.text == "email"


def test_a_review_of_the_hosts_may_refuse_a_client() -> None:
    def review(client: Client) -> Client:
        """Take nobody."""
        raise AccessDenied("the operator takes nobody")

    assert "takes nobody" in refusal_of(served(web()), attrs.evolve(ON, review=review))


def test_b3_claude_code_is_answered_at_the_port_that_it_listens_on() -> None:
    at = published()
    uri = "http://localhost:53123/callback"

    tokens = at.redeem(at.code(CLAUDE_CODE, uri), CLAUDE_CODE, uri)

    assert tokens.status == 200


def test_b1_a_redirect_uri_that_is_not_in_the_document_gets_a_page() -> None:
    at = published()

    assert refused_by_page(at.authorize(redirect_uri="https://evil.example/callback"), "redirect_uri")
    assert refused_by_page(at.authorize(CLAUDE_CODE, "https://localhost:1/callback"), "redirect_uri")
    assert refused_by_page(at.authorize(CLAUDE_CODE, "http://localhost:1/other"), "redirect_uri")


def test_b9_prompt_none_with_a_document_that_a_person_has_not_used_is_refused_at_the_client_by_them_alone() -> None:
    """RFC 9700 section 4.11.2; on the person's own device it is at once."""
    at = published()

    assert refused_by_page(at.authorize(prompt="none"), "login_required")
    assert params(at.authorize(CLAUDE_CODE, prompt="none"))["error"] == "login_required"
    at.redeem(at.code())
    assert refused_by_page(at.authorize(prompt="none"), "login_required")
