"""openid-client and oauth4webapi prove a key with each request, over TLS, to a server that wants nonces (RFC 9449)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.relying_parties.browser import Browser
from tests.relying_parties.conftest import Provider, Talk, serving, tables, talking

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """Serve with the clients of the other tests, and want a nonce in each proof."""
    with serving(tmp_path_factory.mktemp("dpop"), *tables(), "[dpop]\nrequire_nonce = true") as provider:
        yield provider


@pytest.fixture
def talk(provider: Provider) -> Iterator[Talk]:
    """Let a Node program be a relying party."""
    with Browser(provider.issuer, provider.trust) as browser:
        yield talking(provider, browser)


@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519", "PS256"])
@pytest.mark.parametrize(("client_id", "method"), [("post", "client_secret_post"), ("public", "none")])
def test_openid_client_proves_its_key_with_each_request(
    talk: Talk, algorithm: str, client_id: str, method: str
) -> None:
    scope, parameters = "openid email offline_access", {"prompt": "consent"}
    job = {"algorithm": algorithm, "method": method, "names_key": method == "none"}

    result = talk("openid_client.mjs", "bound", client_id, scope=scope, parameters=parameters, **job)

    assert (result["type"], result["refreshed"]) == ("dpop", "dpop")
    assert result["userinfo"]["sub"] == result["claims"]["sub"] == "alice"


def test_oauth4webapi_is_given_nonces_and_its_token_is_none_for_bearers(talk: Talk) -> None:
    result = talk("oauth4webapi.mjs", "bound", "post", scope="openid email", algorithm_of_proofs="ES256")

    assert result["type"] == "dpop"
    assert result["userinfo"]["sub"] == "alice"
    # Asked for once: the next request has the same nonce, wherever it goes.
    assert result["nonces"] == [400]
    assert result["bearer"] == 401
