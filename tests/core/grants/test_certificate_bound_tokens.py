"""Tokens that are bound to a certificate (RFC 8705 sections 3 and 4): issued with it, and good with it alone."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import (
    Access,
    Client,
    ConfigurationError,
    MutualTls,
    Peer,
    Policy,
    Request,
    ResourceServer,
    Response,
    World,
    run,
)
from oauthcore.flow.effects import pure
from oauthcore.openid import OpenID
from oauthcore.records.confirmation import Confirmation, shown_by
from oauthcore.resource.possession import proves_possession
from oauthcore.scope import Scope
from oauthcore.storage.memory import MemoryStorage
from oauthcore.trace import Recorder, Trace, replay
from tests.core.certificates import certificate, subject
from tests.core.registering import OPEN, register
from tests.core.site import (
    CLIENTS,
    FORM,
    SECRETS,
    VERIFIER,
    Drive,
    Site,
    basic,
    form,
    make_site,
    members,
    params,
    refused,
)

OWN, OTHER = certificate(key="EC own"), certificate(subject(CN="other"), key="EC other")
CALLBACK = "https://bound.example/cb"
BOUND = Client(
    client_id="confidential",
    redirect_uris=(CALLBACK,),
    grant_types=("authorization_code", "refresh_token", "client_credentials"),
    scope="openid email read",
    tls_client_certificate_bound_access_tokens=True,
)
BOUND_PUBLIC = attrs.evolve(
    BOUND, client_id="public", token_endpoint_auth_method="none", grant_types=("authorization_code", "refresh_token")
)


def bound_site(drive: Drive = run, *clients: Client, **settings: Any) -> Site:
    """Make a provider where these clients' tokens are bound to their certificates."""
    usual: dict[str, Any] = {"openid": OpenID(), "policy": Policy.openid(), "mutual_tls": MutualTls()} | settings
    others = tuple(one for one in CLIENTS if one.client_id not in {"confidential", "public"})
    return make_site(drive, clients=(*others, *(clients or (BOUND, BOUND_PUBLIC))), **usual)


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return such a site, under each driver."""
    return bound_site(drive)


def token(site: Site, peer: Peer | None, client_id: str = "confidential", **values: str) -> Response:
    """Send a token request over a connection."""
    headers = (FORM, basic(client_id, SECRETS[client_id])) if client_id in SECRETS else (FORM,)
    return site.handle(Request("POST", "/token", headers, form(client_id=client_id, **values), peer))


def redeemed(site: Site, peer: Peer | None, client_id: str = "confidential") -> Response:
    """Log alice in, and redeem the code over a connection."""
    asked = site.authorize(None, client_id=client_id, redirect_uri=CALLBACK, scope="openid email")
    code = params(site.approve(asked))["code"]
    sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return token(site, peer, client_id, **sent)


def thumbprint(der: bytes) -> str:
    """Return the hash of a certificate, made another way."""
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")


def used(site: Site, access_token: str, peer: Peer | None, path: str = "/userinfo") -> Response:
    """Present a token over a connection."""
    return site.handle(Request("GET", path, (("Authorization", f"Bearer {access_token}"),), b"", peer))


@pytest.mark.parametrize("peer", [OWN.issued, OWN.unverified], ids=["issued", "self-signed"])
def test_a_token_names_the_certificate_that_it_was_issued_to(site: Site, peer: Peer) -> None:
    """Section 3.1: in introspection; it is sent as a bearer token."""
    answer = members(token(site, peer, grant_type="client_credentials"))

    described = site.introspect(answer["access_token"], "resource")
    assert described["cnf"] == {"x5t#S256": thumbprint(OWN.der)}
    assert (answer["token_type"], described["token_type"]) == ("Bearer", "Bearer")


def test_a_jwt_names_it_too() -> None:
    site = bound_site(run, attrs.evolve(BOUND, access_token_format="jwt"))
    jwt = members(token(site, OWN.issued, grant_type="client_credentials"))["access_token"]

    payload = jwt.split(".")[1]
    assert thumbprint(OWN.der).encode() in base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))


@pytest.mark.parametrize("client_id", ["confidential", "public"])
def test_without_a_certificate_such_a_client_gets_nothing(site: Site, client_id: str) -> None:
    for peer in (None, Peer("192.0.2.1", is_secure=True)):
        assert refused(redeemed(site, peer, client_id), "invalid_request", "came without one")


def test_also_where_certificates_are_not_looked_at_any_more() -> None:
    site = bound_site()
    later = make_site(clients=(), openid=OpenID(), policy=Policy.openid())
    later.world = site.world

    assert refused(token(later, OWN.issued, grant_type="client_credentials"), "invalid_request", "came without one")


def test_other_clients_tokens_are_bound_to_nothing() -> None:
    site = bound_site(run, attrs.evolve(BOUND, tls_client_certificate_bound_access_tokens=False))
    answer = members(token(site, OWN.issued, grant_type="client_credentials"))

    assert "cnf" not in site.introspect(answer["access_token"], "resource")


@pytest.mark.parametrize("client_id", ["confidential", "public"])
def test_userinfo_takes_a_bound_token_with_its_certificate_alone(site: Site, client_id: str) -> None:
    access_token = members(redeemed(site, OWN.unverified, client_id))["access_token"]

    assert members(used(site, access_token, OWN.unverified))["sub"] == "alice"
    for peer in (None, Peer("192.0.2.1", is_secure=True), OTHER.issued, OTHER.unverified):
        answer = used(site, access_token, peer)
        assert (answer.status, members(answer)["error"]) == (401, "invalid_token")


def test_a_resource_server_takes_a_bound_token_with_its_certificate_alone(site: Site) -> None:
    access_token = members(token(site, OWN.issued, grant_type="client_credentials", scope="read"))["access_token"]
    protection = ResourceServer(site.server.tokens).protect("read")

    def ask(peer: Peer | None) -> Access | Response:
        bearer = ("Authorization", f"Bearer {access_token}")
        verdict = site.drive(protection.verify(Request("GET", "/", (bearer,), b"", peer)), site.world)
        assert isinstance(verdict, Access | Response)
        return verdict

    accepted = ask(OWN.issued)
    assert isinstance(accepted, Access) and protection.decide(accepted) is accepted
    for peer in (None, Peer("192.0.2.1", is_secure=True), OTHER.issued):
        answer = ask(peer)
        assert isinstance(answer, Response) and answer.status == 401
        assert 'error="invalid_token"' in str(answer.header("www-authenticate"))


PROVEN = thumbprint(OWN.der)


@pytest.mark.parametrize(
    ("cnf", "is_good"),
    [
        (None, True),
        ({"x5t#S256": PROVEN}, True),
        ({}, False),
        ({"x5t#S256": thumbprint(OTHER.der)}, False),
        ({"x5t#S256": ""}, False),
        ({"x5t#S256": None}, False),
        ({"x5t#S256": [PROVEN]}, False),
        ({"x5t": PROVEN}, False),
        ({"x5t#S256": PROVEN, "jkt": "any"}, False),
        ({"x5t#S256": PROVEN, "jwk": {}}, False),
        ({"unknown": PROVEN}, False),
    ],
)
def test_every_key_that_a_token_names_has_to_be_proven(cnf: dict[str, object] | None, is_good: bool) -> None:
    """RFC 7800 section 3: also those of other servers."""
    access = Access(client_id="c", subject=None, scope=Scope(), issued_at=None, expires_at=None, cnf=cnf)
    request = Request("GET", "/", (("Authorization", "Bearer any"),), b"", OWN.issued)

    verdict = run(ResourceServer(lambda _: pure(access)).verify(request), World(MemoryStorage()))

    assert isinstance(verdict, Access) is is_good


_NAMED = st.sampled_from([PROVEN, thumbprint(OTHER.der), "", None, 1])


@given(
    st.dictionaries(st.sampled_from(["x5t#S256", "jkt", "x5t", "kid", "jwk"]), _NAMED),
    st.sampled_from([None, Peer(None, True), OWN.issued, OWN.unverified, OTHER.issued]),
    st.lists(st.sampled_from(["client-cert", "x-ssl-client-cert", "x-forwarded-client-cert"])),
)
def test_a_bound_token_is_never_proven_but_by_its_certificate(
    cnf: dict[str, object], peer: Peer | None, headers: list[str]
) -> None:
    """Whatever a request says of itself in headers: the core looks at the connection alone."""
    lines = tuple((name, OWN.pem.replace("\n", " ")) for name in headers)
    shown = None if peer is None or peer.certificate is None else thumbprint(peer.certificate)

    proven = proves_possession(Request("GET", "/", lines, b"", peer), cnf)

    assert proven == (shown is not None and cnf == {"x5t#S256": shown})


def test_a_public_clients_refresh_token_is_bound_to_its_certificate(site: Site) -> None:
    """Section 4: it has nothing else to prove itself with."""
    refresh_token = members(redeemed(site, OWN.unverified, "public"))["refresh_token"]
    sent = {"grant_type": "refresh_token", "refresh_token": refresh_token}

    assert refused(token(site, OTHER.unverified, "public", **sent), "invalid_grant", "not proven")
    assert refused(token(site, None, "public", **sent), "invalid_request")
    answer = members(token(site, OWN.unverified, "public", **sent))
    assert site.introspect(answer["access_token"], "resource")["cnf"] == {"x5t#S256": thumbprint(OWN.der)}
    assert members(used(site, answer["access_token"], OWN.unverified))["sub"] == "alice"


def test_a_confidential_client_may_renew_its_certificate(site: Site) -> None:
    """Section 6.3: its refresh tokens are bound to the client; what it gets next is bound to the new certificate."""
    refresh_token = members(redeemed(site, OWN.issued))["refresh_token"]

    answer = members(token(site, OTHER.issued, grant_type="refresh_token", refresh_token=refresh_token))

    assert site.introspect(answer["access_token"], "resource")["cnf"] == {"x5t#S256": thumbprint(OTHER.der)}


def test_a_retried_refresh_has_to_show_the_same_certificate(site: Site) -> None:
    refresh_token = members(redeemed(site, OWN.issued))["refresh_token"]
    sent = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    first = members(token(site, OWN.issued, **sent))

    assert token(site, OTHER.issued, **sent).status == 400
    assert members(token(site, OWN.issued, **sent))["access_token"] == first["access_token"]


def test_a_client_whose_tokens_can_not_be_bound_is_not_registered() -> None:
    with pytest.raises(ConfigurationError, match="tls_client_certificate_bound_access_tokens"):
        make_site().server.clients.prepare(BOUND_PUBLIC)
    implicit = attrs.evolve(BOUND, response_types=("code", "token"), grant_types=("authorization_code", "implicit"))
    with pytest.raises(ConfigurationError, match="through the browser"):
        bound_site(policy=Policy.oauth20()).server.clients.prepare(implicit)


@pytest.mark.parametrize("mutual_tls", [None, MutualTls()], ids=["off", "on"])
def test_a_client_registers_itself_for_bound_tokens_where_there_are_any(mutual_tls: MutualTls | None) -> None:
    site = make_site(registration=OPEN, mutual_tls=mutual_tls)
    asked = {"redirect_uris": [CALLBACK], "tls_client_certificate_bound_access_tokens": True}

    registered = members(register(site, **asked))

    assert registered.get("tls_client_certificate_bound_access_tokens") is (None if mutual_tls is None else True)


def test_the_metadata_says_that_tokens_can_be_bound() -> None:
    """Section 3.3."""
    member = "tls_client_certificate_bound_access_tokens"
    where = "/.well-known/oauth-authorization-server"

    assert members(make_site(mutual_tls=MutualTls(methods=[])).get(where))[member] is True
    assert member not in members(make_site().get(where))


def test_a_trace_of_bound_tokens_is_replayed() -> None:
    saved: list[Trace] = []
    site = bound_site()
    site.server = Recorder(saved.append).recorded(site.server)
    answer = members(redeemed(site, OWN.unverified, "public"))
    _ = token(site, OWN.unverified, "public", grant_type="refresh_token", refresh_token=answer["refresh_token"])
    for peer in (OWN.unverified, OTHER.unverified, None):
        _ = used(site, answer["access_token"], peer)

    assert [replay(each).differences for each in saved] == [()] * len(saved)


def test_no_certificate_is_no_confirmation() -> None:
    assert shown_by(None) is None and shown_by(Peer()) is None
    assert shown_by(OWN.issued) == Confirmation(x5t_s256=PROVEN)
