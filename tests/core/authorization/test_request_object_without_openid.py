"""Request objects at a server of OAuth alone: RFC 9101 needs no OpenID Connect."""

from __future__ import annotations

import attrs
import pytest

from oauthcore import Allowance, Client, ConfigurationError, Policy, Response, run
from oauthcore.authorization.request_object import REQUEST_OBJECT_TYPE
from oauthcore.jose import crypto
from oauthcore.jose.jwk import set_of
from tests.core.authorization.requesting import KEY, REQUEST_URI, Elsewhere
from tests.core.site import ISSUER, REDIRECT, Drive, Site, make_site, members, params

SIGNER = Client(
    client_id="signer",
    redirect_uris=(REDIRECT,),
    grant_types=("authorization_code", "refresh_token"),
    scope="email profile",
    jwks=set_of([KEY]).decode(),
    request_uris=(REQUEST_URI,),
    allow={Allowance.CONFIDENTIAL_WITHOUT_PKCE},
)
METADATA = "/.well-known/oauth-authorization-server"


def signing_site(drive: Drive = run, elsewhere: Elsewhere | None = None, **changes: object) -> Site:
    """Make a server that knows OAuth alone, and a client that signs its requests."""
    client = attrs.evolve(SIGNER, **changes)  # type: ignore[arg-type]  # what a test says
    site = make_site(drive, clients=(client,), secrets={"signer": "signer-secret"})
    assert site.server.openid is None
    site.world = attrs.evolve(site.world, fetch=elsewhere or Elsewhere())
    return site


def signed(**changes: object) -> str:
    """Sign a request that is right but for the changes."""
    claims: dict[str, object] = {
        "iss": "signer",
        "aud": ISSUER,
        "client_id": "signer",
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": "email",
        "state": "inside",
    }
    return crypto.sign_claims(claims | changes, KEY, "ES256", REQUEST_OBJECT_TYPE)


def send(site: Site, **changes: str | None) -> Response:
    """Send a request that says nothing beside its object, but for the changes."""
    bare = dict.fromkeys(
        ("response_type", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"), None
    )
    return site.authorize(site.alice, **{**bare, "client_id": "signer", **changes})


def test_a_request_is_what_its_object_says(drive: Drive) -> None:
    site = signing_site(drive)

    answer = params(site.approve(send(site, request=signed()), site.alice))

    assert (answer["state"], answer["iss"]) == ("inside", ISSUER)
    assert answer["code"]


def test_an_object_is_fetched_from_a_registered_url_and_from_no_other(drive: Drive) -> None:
    elsewhere = Elsewhere({REQUEST_URI: Response(200, (), signed().encode())})
    site = signing_site(drive, elsewhere)

    assert params(site.approve(send(site, request_uri=REQUEST_URI), site.alice))["code"]

    other = send(site, request_uri="https://other.example/r", redirect_uri=REDIRECT)
    assert params(other)["error"] == "invalid_request_uri"
    assert elsewhere.asked == [REQUEST_URI]


def test_a_client_that_has_to_sign_its_requests_can(drive: Drive) -> None:
    """RFC 9101 section 10.5."""
    site = signing_site(drive, require_signed_request_object=True)
    plain = send(site, response_type="code", redirect_uri=REDIRECT, scope="email")

    assert params(plain)["error"] == "invalid_request"
    assert params(site.approve(send(site, request=signed()), site.alice))["code"]


@pytest.mark.parametrize("changes", [{"aud": "https://other.example"}, {"iss": "other"}, {"exp": 1}])
def test_an_object_that_is_none_is_refused(drive: Drive, changes: dict[str, object]) -> None:
    answer = send(signing_site(drive), request=signed(**changes), redirect_uri=REDIRECT)

    assert params(answer)["error"] == "invalid_request_object"


def test_a_client_without_keys_signs_nothing(drive: Drive) -> None:
    answer = send(signing_site(drive, jwks=None), request=signed(), redirect_uri=REDIRECT)

    assert params(answer)["error"] == "invalid_request_object"


def test_the_metadata_says_so() -> None:
    document = members(signing_site().get(METADATA))

    assert document["request_parameter_supported"] is True
    assert document["request_uri_parameter_supported"] is True
    assert document["require_request_uri_registration"] is True
    assert "ES256" in document["request_object_signing_alg_values_supported"]
    assert "none" not in document["request_object_signing_alg_values_supported"]


def test_where_nothing_can_verify_a_signature_none_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    site = signing_site()
    monkeypatch.setattr("oauthcore.jose.crypto.is_installed", lambda: False)
    monkeypatch.setattr("oauthcore.authorization.request_object.is_installed", lambda: False)

    assert params(send(site, request=signed(), redirect_uri=REDIRECT))["error"] == "request_not_supported"
    assert params(send(site, request_uri=REQUEST_URI, redirect_uri=REDIRECT))["error"] == "request_uri_not_supported"
    document = members(make_site(clients=(), policy=Policy.oauth21()).get(METADATA))
    assert document["request_parameter_supported"] is False
    assert "request_object_signing_alg_values_supported" not in document


@pytest.mark.parametrize("changes", [{"request_uris": (REQUEST_URI,)}, {"require_signed_request_object": True}])
def test_a_client_that_signs_is_registered_only_where_that_can_be_verified(
    changes: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise ConfigurationError("joserfc", None, "install oauthcore[oidc]")

    monkeypatch.setattr("oauthcore.jose.crypto.check_installed", missing)
    client = Client(client_id="x", redirect_uris=(REDIRECT,), jwks=SIGNER.jwks, **changes)  # type: ignore[arg-type]  # what a test says

    with pytest.raises(ConfigurationError, match="install"):
        make_site(clients=()).server.clients.prepare(client)
