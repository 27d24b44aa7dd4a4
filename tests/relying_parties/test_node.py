"""openid-client and oauth4webapi, the Node clients: they know the issuer's URL and who they are, and it works."""

from __future__ import annotations

import pytest

from tests.relying_parties.conftest import CALLBACK, GOODBYE, Provider, Talk

pytestmark = pytest.mark.slow

OPENID_CLIENT, OAUTH4WEBAPI = "openid_client.mjs", "oauth4webapi.mjs"


@pytest.mark.parametrize(
    ("client_id", "method"),
    [
        ("basic", "client_secret_basic"),
        ("post", "client_secret_post"),
        ("hmac", "client_secret_jwt"),
        ("asserting", "private_key_jwt"),
        ("public", "none"),
    ],
)
def test_openid_client_signs_in_refreshes_and_revokes(
    talk: Talk, provider: Provider, client_id: str, method: str
) -> None:
    parameters = {"prompt": "consent"}
    scope = "openid email offline_access"
    result = talk(
        OPENID_CLIENT,
        "code",
        client_id,
        method=method,
        key=provider.signing.members,
        scope=scope,
        parameters=parameters,
    )

    assert result["claims"]["iss"] == provider.issuer
    assert result["claims"]["sub"] == result["userinfo"]["sub"] == result["refreshed"]["sub"] == "alice"
    assert result["userinfo"]["email"] == "alice@wonderland.example"
    assert result["claims"]["amr"] == ["pwd"]
    if method != "none":
        assert (result["before"]["active"], result["after"]["active"]) == (True, False)


@pytest.mark.parametrize("response_mode", ["fragment", "form_post"])
def test_openid_client_takes_a_code_with_an_id_token(talk: Talk, response_mode: str) -> None:
    result = talk(OPENID_CLIENT, "hybrid", "post", parameters={"response_mode": response_mode})

    assert result["userinfo"]["sub"] == result["claims"]["sub"] == "alice"


@pytest.mark.parametrize("program", [OPENID_CLIENT, OAUTH4WEBAPI])
def test_what_leaves_beside_an_id_token_passes_for_a_detached_signature(talk: Talk, program: str) -> None:
    flow = "detached" if program == OPENID_CLIENT else "hybrid"

    assert talk(program, flow, "post", scope="openid")["claims"]["sub"] == "alice"


@pytest.mark.parametrize("response_mode", ["fragment", "form_post"])
def test_openid_client_takes_an_id_token_alone(talk: Talk, response_mode: str) -> None:
    result = talk(OPENID_CLIENT, "implicit", "post", parameters={"response_mode": response_mode})

    assert result["claims"]["email"] == "alice@wonderland.example"


def test_openid_client_sends_a_signed_request(talk: Talk, provider: Provider) -> None:
    result = talk(OPENID_CLIENT, "requestObject", "asserting", method="private_key_jwt", key=provider.signing.members)

    assert result["claims"]["sub"] == "alice"


def test_openid_client_pushes_its_request(talk: Talk) -> None:
    result = talk(OPENID_CLIENT, "pushed", "post")

    assert result["claims"]["sub"] == "alice"
    assert result["sent"] == ["client_id", "request_uri"]
    assert result["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")


def test_openid_client_pushes_a_signed_request_and_reads_a_signed_response(talk: Talk, provider: Provider) -> None:
    """The shape of FAPI 2.0 Message Signing."""
    metadata = {"authorization_signed_response_alg": "ES256"}
    result = talk(
        OPENID_CLIENT,
        "pushed",
        "strict",
        method="private_key_jwt",
        key=provider.signing.members,
        sign=True,
        jarm=True,
        metadata=metadata,
    )

    assert result["claims"]["sub"] == "alice"
    assert (result["sent"], result["answered"]) == (["client_id", "request_uri"], ["response"])


def test_oauth4webapi_pushes_a_signed_request_and_reads_a_signed_response(talk: Talk, provider: Provider) -> None:
    metadata = {"authorization_signed_response_alg": "ES256"}
    result = talk(
        OAUTH4WEBAPI, "pushed", "strict", key=provider.signing.members, metadata=metadata, scope="openid email"
    )

    assert result["claims"]["sub"] == "alice"
    assert result["expires_in"] == 60


def test_openid_client_reads_a_response_that_is_encrypted_for_it(talk: Talk, provider: Provider) -> None:
    result = talk(OPENID_CLIENT, "pushed", "unreadable", jarm=True, decryption=provider.decryption.members)

    assert result["claims"]["sub"] == "alice"
    assert result["answered"] == ["response"]


def test_openid_client_that_does_not_push_what_it_has_to_is_refused(talk: Talk, provider: Provider) -> None:
    with pytest.raises(AssertionError, match="AuthorizationResponseError"):
        talk(OPENID_CLIENT, "requestObject", "strict", method="private_key_jwt", key=provider.signing.members)


def test_openid_client_reads_what_is_encrypted_for_it(talk: Talk, provider: Provider) -> None:
    result = talk(
        OPENID_CLIENT,
        "code",
        "encrypted",
        decryption=provider.decryption.members,
        metadata={"userinfo_signed_response_alg": "RS256"},
        scope="openid email offline_access",
        parameters={"prompt": "consent"},
    )

    assert result["claims"]["sub"] == "alice"
    assert result["userinfo"]["email"] == "alice@wonderland.example"


def test_openid_client_signs_out_and_its_tokens_end(talk: Talk) -> None:
    result = talk(OPENID_CLIENT, "logout", "post", post_logout_redirect_uri=GOODBYE)

    assert result["returned"].startswith(GOODBYE)
    assert result["isStateKept"]
    assert result["refreshed"] == "invalid_grant"


@pytest.mark.parametrize("algorithm", ["oidc", "oauth2"])
def test_oauth4webapi_finds_the_provider_by_either_name(talk: Talk, algorithm: str) -> None:
    result = talk(OAUTH4WEBAPI, "code", "post", scope="openid profile", algorithm=algorithm)

    assert result["userinfo"]["name"] == "Alice Liddell"


@pytest.mark.parametrize(
    ("client_id", "metadata"),
    [
        ("pairwise", {}),
        ("signed", {"userinfo_signed_response_alg": "RS256"}),
        ("elliptic", {"id_token_signed_response_alg": "ES256"}),
        ("edwards", {"id_token_signed_response_alg": "Ed25519"}),
    ],
)
def test_oauth4webapi_checks_what_a_client_is_registered_for(
    talk: Talk, client_id: str, metadata: dict[str, str]
) -> None:
    result = talk(OAUTH4WEBAPI, "code", client_id, scope="openid email", metadata=metadata)

    assert result["claims"]["sub"] == result["userinfo"]["sub"]
    assert (result["claims"]["sub"] == "alice") is (client_id != "pairwise")


def test_oauth4webapi_reads_a_signed_access_token(talk: Talk) -> None:
    result = talk(OAUTH4WEBAPI, "accessToken", "service", scope="email")

    assert (result["claims"]["client_id"], result["claims"]["sub"]) == ("service", "service@clients")
    assert result["claims"]["scope"] == "email"


def test_oauth4webapi_reads_signed_introspection(talk: Talk) -> None:
    result = talk(OAUTH4WEBAPI, "introspection", "service", scope="email")

    assert result["described"]["active"] is True
    assert result["type"] == "application/token-introspection+jwt"


@pytest.mark.parametrize("program", [OPENID_CLIENT, OAUTH4WEBAPI])
@pytest.mark.parametrize("metadata", [{}, {"application_type": "native"}, {"token_endpoint_auth_method": "none"}])
def test_the_node_clients_register_themselves_and_sign_in(talk: Talk, program: str, metadata: dict[str, str]) -> None:
    """RFC 7591: they know the issuer alone, and read in the answer by which method they authenticate."""
    wanted = {"client_name": "Node", "redirect_uris": [CALLBACK], "scope": "openid email", **metadata}

    result = talk(program, "registered", "", metadata=wanted, scope="openid email")

    assert result["claims"]["aud"] == result["metadata"]["client_id"]
    assert result["metadata"]["token_endpoint_auth_method"] == ("none" if metadata else "client_secret_basic")


def test_openid_client_exchanges_a_token(talk: Talk) -> None:
    """RFC 8693."""
    result = talk(OPENID_CLIENT, "exchange", "exchanging", scope="openid email", audience="https://api.example")

    assert result["exchanged"]["issued_token_type"] == "urn:ietf:params:oauth:token-type:jwt"
    assert (result["exchanged"]["scope"], result["refused"]) == ("email", "invalid_target")
    assert result["introspected"]["act"] == {"sub": "exchanging@clients"}
    assert result["introspected"]["aud"] == ["https://api.example"]
