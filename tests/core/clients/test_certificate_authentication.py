"""`tls_client_auth` and `self_signed_tls_client_auth` (RFC 8705 section 2), at every endpoint that clients call."""

from __future__ import annotations

import base64
import json
from typing import Any

import attrs
import pytest

from oauthcore import (
    Client,
    ConfigurationError,
    DeviceGrant,
    MutualTls,
    Outgoing,
    Peer,
    PushedRequests,
    Request,
    Response,
)
from oauthcore.clients.authentication import decide
from oauthcore.clients.presented import Presented
from oauthcore.clients.tls_client_auth import registered_name
from oauthcore.documents import SOONEST_AGAIN
from oauthcore.errors import InvalidClient
from oauthcore.jose.certificate import read_certificate
from oauthcore.jose.registered_claims import SKEW
from oauthcore.trace import Recorder, Trace, replay
from tests.core.certificates import NOW, Made, certificate, subject
from tests.core.site import CLIENTS, FORM, SECRETS, Drive, Site, basic, form, make_site, members, refused

AUTHORITY = certificate(subject(CN="authority"), key="EC authority", is_ca=True)
NAMES = {"dns": ["client.example"], "uri": ["spiffe://example/client"], "ip": ["192.0.2.7"], "email": ["a@b.example"]}
ISSUED = certificate(issuer=AUTHORITY, **NAMES)  # type: ignore[arg-type]  # lists of strings
OTHER = certificate(subject(CN="other"), issuer=AUTHORITY, key="EC other", dns=["other.example"])
SELF_SIGNED = certificate(subject(CN="anything"), key="EC self")
JWKS_URI = "https://publishing.example/jwks"

NAMED = Client(
    client_id="named",
    token_endpoint_auth_method="tls_client_auth",
    tls_client_auth_subject_dn="CN=client,O=Example",
    grant_types=("client_credentials",),
    response_types=(),
    scope="read",
)


def jwk(made: Made, *, x5c: Made | None = None, key: bool = True, **more: object) -> dict[str, object]:
    """Return the key of a certificate as it is registered, with a certificate in it or without."""
    found = read_certificate(made.der).key
    assert found is not None
    chain = {} if x5c is None else {"x5c": [base64.b64encode(x5c.der).decode()]}
    return {**found.members, **chain, **more}


def key_set(*keys: dict[str, object]) -> str:
    """Return a JWK set."""
    return json.dumps({"keys": list(keys)})


KEYED = attrs.evolve(
    NAMED,
    client_id="self-signed",
    token_endpoint_auth_method="self_signed_tls_client_auth",
    tls_client_auth_subject_dn=None,
    jwks=key_set(jwk(SELF_SIGNED)),
)


def certified_site(drive: Drive | None = None, *clients: Client, **settings: Any) -> Site:
    """Make a site that takes certificates, of these clients beside the usual ones."""
    arguments = {"clients": (*CLIENTS, *(clients or (NAMED, KEYED))), "mutual_tls": MutualTls(), **settings}
    return make_site(**arguments) if drive is None else make_site(drive, **arguments)


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a site with clients that authenticate by certificates, under each driver."""
    return certified_site(drive)


def ask(
    site: Site,
    peer: Peer | None,
    client_id: str = "named",
    path: str = "/token",
    *headers: tuple[str, str],
    **more: str,
) -> Response:
    """Send a request of a client over a connection."""
    sent = {"grant_type": "client_credentials"} if path == "/token" else {"token": "unknown"}
    return site.handle(Request("POST", path, (FORM, *headers), form(client_id=client_id, **(sent | more)), peer))


def reason(answer: Response) -> str:
    """Return why a client was refused."""
    assert refused(answer, "invalid_client")
    assert answer.status == 401 and answer.refusal is not None
    return answer.refusal.reason


@pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke"])
def test_a_client_is_known_by_the_subject_of_its_certificate(site: Site, path: str) -> None:
    assert ask(site, ISSUED.issued, path=path).status == 200
    assert ask(site, SELF_SIGNED.unverified, "self-signed", path).status == 200
    for peer in (None, Peer("192.0.2.1", is_secure=True), ISSUED.unverified, OTHER.issued, SELF_SIGNED.issued):
        assert reason(ask(site, peer, path=path))
    for peer in (None, Peer("192.0.2.1", is_secure=True), ISSUED.issued, OTHER.unverified):
        assert reason(ask(site, peer, "self-signed", path))


def test_clients_with_certificates_push_their_requests_and_use_devices() -> None:
    """Every endpoint that authenticates clients has these methods."""
    from oauthcore.device_grant import DEVICE_CODE

    client = attrs.evolve(
        NAMED,
        grant_types=("authorization_code", DEVICE_CODE),
        response_types=("code",),
        redirect_uris=("https://named.example/cb",),
    )
    site = certified_site(None, client, pushed_requests=PushedRequests(), device=DeviceGrant())
    request = {"redirect_uri": "https://named.example/cb", "response_type": "code", "code_challenge": "c" * 43}
    pushed = {"path": "/par", "code_challenge_method": "S256", **request}

    assert ask(site, ISSUED.issued, **pushed).status == 201
    assert reason(ask(site, OTHER.issued, **pushed))
    assert ask(site, ISSUED.issued, path="/device_authorization").status == 200
    assert reason(ask(site, None, path="/device_authorization"))


# The decision, by value: what the registration names, what is shown, and why that is refused, if it is.
SUBJECT = "tls_client_auth_subject_dn"
DNS, URI = "tls_client_auth_san_dns", "tls_client_auth_san_uri"
IP, EMAIL = "tls_client_auth_san_ip", "tls_client_auth_san_email"
V6 = certificate(issuer=AUTHORITY, ip=["2001:db8::1"])
WILDCARD = certificate(subject(CN="w"), issuer=AUTHORITY, dns=["*.client.example"])
NAMELESS = certificate(subject(CN="client.example"), issuer=AUTHORITY)


@pytest.mark.parametrize(
    ("member", "name", "peer", "why"),
    [
        (SUBJECT, "CN=client,O=Example", ISSUED.issued, None),
        (SUBJECT, "2.5.4.3=client,2.5.4.10=Example", ISSUED.issued, None),
        (SUBJECT, "O=Example,CN=client", ISSUED.issued, "another name"),
        (SUBJECT, "CN=client", ISSUED.issued, "another name"),
        (SUBJECT, "CN=Client,O=Example", ISSUED.issued, "another name"),
        (SUBJECT, "CN=client,O=Example", OTHER.issued, "another name"),
        (SUBJECT, "CN=client,O=Example", ISSUED.unverified, "no authority"),
        (SUBJECT, "CN=client,O=Example", certificate().unverified, "no authority"),
        (SUBJECT, "CN=client,O=Example", None, "without a certificate"),
        (SUBJECT, "CN=client,O=Example", Peer("192.0.2.1", True), "without a certificate"),
        (SUBJECT, "CN=client,O=Example", Peer("192.0.2.1", True, b"DER", True), "can't be read"),
        (SUBJECT, "CN=client,O=Example", certificate(issuer=AUTHORITY, not_after=NOW).issued, None),
        (SUBJECT, "CN=client,O=Example", certificate(issuer=AUTHORITY, not_after=NOW - 1).issued, "expired"),
        (SUBJECT, "CN=client,O=Example", certificate(issuer=AUTHORITY, not_before=NOW + SKEW).issued, None),
        (
            SUBJECT,
            "CN=client,O=Example",
            certificate(issuer=AUTHORITY, not_before=NOW + SKEW + 1).issued,
            "not valid yet",
        ),
        (DNS, "client.example", ISSUED.issued, None),
        (DNS, "CLIENT.example", ISSUED.issued, None),
        (DNS, "www.client.example", WILDCARD.issued, "another name"),
        (DNS, "client.example", NAMELESS.issued, "another name"),
        (DNS, "client.example", OTHER.issued, "another name"),
        (DNS, "client.example", ISSUED.unverified, "no authority"),
        (URI, "spiffe://example/client", ISSUED.issued, None),
        (URI, "spiffe://example/Client", ISSUED.issued, "another name"),
        (URI, "spiffe://example/client", OTHER.issued, "another name"),
        (IP, "192.0.2.7", ISSUED.issued, None),
        (IP, "192.0.2.8", ISSUED.issued, "another name"),
        (IP, "2001:DB8:0::1", V6.issued, None),
        (IP, "192.0.2.7", V6.issued, "another name"),
        (EMAIL, "a@b.example", ISSUED.issued, None),
        (EMAIL, "a@B.example", ISSUED.issued, None),
        (EMAIL, "A@b.example", ISSUED.issued, "another name"),
        (EMAIL, "a@b.example", OTHER.issued, "another name"),
    ],
)
def test_exactly_the_registered_name_is_taken(member: str, name: str, peer: Peer | None, why: str | None) -> None:
    client = attrs.evolve(NAMED, **{SUBJECT: None, member: name})  # type: ignore[arg-type]  # strings
    assert agrees(decided(client, peer), why)


OWN_AGAIN = certificate(subject(CN="renewed"), key="EC self")


@pytest.mark.parametrize(
    ("keys", "peer", "why"),
    [
        ([jwk(SELF_SIGNED)], SELF_SIGNED.unverified, None),
        ([jwk(SELF_SIGNED)], SELF_SIGNED.issued, None),
        ([jwk(OTHER), jwk(SELF_SIGNED, use="sig")], SELF_SIGNED.unverified, None),
        ([jwk(SELF_SIGNED)], OWN_AGAIN.unverified, None),
        ([jwk(SELF_SIGNED, x5c=SELF_SIGNED)], SELF_SIGNED.unverified, None),
        ([jwk(SELF_SIGNED, x5c=SELF_SIGNED)], OWN_AGAIN.unverified, "none that the client has registered"),
        ([jwk(SELF_SIGNED, x5c=OWN_AGAIN), jwk(OTHER)], SELF_SIGNED.unverified, "none that the client has registered"),
        ([jwk(SELF_SIGNED, use="enc")], SELF_SIGNED.unverified, "none that the client has registered"),
        ([jwk(OTHER)], SELF_SIGNED.unverified, "none that the client has registered"),
        ([jwk(SELF_SIGNED, x5c=SELF_SIGNED)], OTHER.issued, "none that the client has registered"),
        ([jwk(SELF_SIGNED) | {"x5c": ["%"]}], SELF_SIGNED.unverified, "none that the client has registered"),
        ([jwk(SELF_SIGNED) | {"x5c": []}], SELF_SIGNED.unverified, "none that the client has registered"),
        ([jwk(SELF_SIGNED) | {"x5c": "text"}], SELF_SIGNED.unverified, "none that the client has registered"),
        ([jwk(SELF_SIGNED)], None, "without a certificate"),
        ([jwk(SELF_SIGNED)], Peer(None, True, b""), "can't be read"),
        ([jwk(SELF_SIGNED)], certificate(key="EC self", not_after=NOW - 1).unverified, "expired"),
        ([jwk(SELF_SIGNED)], certificate(key="EC self", not_before=NOW + 99).unverified, "not valid yet"),
        ([jwk(certificate(key="RSA"))], certificate(key="RSA").unverified, None),
        ([jwk(certificate(key="Ed25519"))], certificate(key="Ed25519").unverified, None),
    ],
)
def test_exactly_the_registered_keys_are_taken(
    keys: list[dict[str, object]], peer: Peer | None, why: str | None
) -> None:
    client = attrs.evolve(KEYED, jwks=key_set(*keys))
    assert agrees(decided(client, peer), why)


def decided(client: Client, peer: Peer | None, mutual_tls: MutualTls | None = None) -> str | None:
    """Return why a client is refused that sends its identifier over a connection, None if it is not."""
    site = certified_site(None, client, mutual_tls=MutualTls())
    context = attrs.evolve(site.server.context(), mutual_tls=mutual_tls or site.server.mutual_tls)
    known = site.drive(site.server.clients.find(client.client_id), site.world)
    try:
        proven = decide(Presented("none", (client.client_id,), peer=peer), known, None, context)
    except InvalidClient as error:
        return error.reason
    assert (proven.client, proven.spent) == (known, ())
    return None


def agrees(reason: str | None, why: str | None) -> bool:
    """Return whether a refusal has those words, or there is none and none was expected."""
    return reason is None if why is None else reason is not None and why in reason


def test_who_is_refused_learns_nothing_of_who_is_known(site: Site) -> None:
    said = {
        members(ask(site, peer, client_id))["error_description"]
        for peer in (None, OTHER.issued, OTHER.unverified)
        for client_id in ("named", "self-signed", "nobody")
    }

    assert len(said) == 1


@pytest.mark.parametrize("client_id", ["named", "self-signed"])
@pytest.mark.parametrize(
    "more",
    [{"client_secret": "any"}, {"client_assertion": "a.b.c", "client_assertion_type": "x"}],
    ids=["secret", "jwt"],
)
def test_a_certificate_beside_another_method_proves_nothing(site: Site, client_id: str, more: dict[str, str]) -> None:
    """RFC 6749 section 2.3: one method a request."""
    peer = ISSUED.issued if client_id == "named" else SELF_SIGNED.issued

    assert refused(ask(site, peer, client_id, **more), "invalid_client")


def test_other_clients_are_not_helped_by_a_certificate(site: Site) -> None:
    for client_id in ("confidential", "resource"):
        assert reason(ask(site, ISSUED.issued, client_id))
        right = basic(client_id, SECRETS[client_id])
        assert ask(site, ISSUED.issued, client_id, "/token", right).status == 200
        wrong = basic(client_id, "wrong")
        assert reason(ask(site, ISSUED.issued, client_id, "/token", wrong))


def test_a_method_that_is_not_offered_any_more_lets_nobody_in() -> None:
    """The registration was made while it was offered."""
    for client, peer in ((NAMED, ISSUED.issued), (KEYED, SELF_SIGNED.issued)):
        assert decided(client, peer) is None
        assert "not the method" in str(decided(client, peer, MutualTls(methods=[])))
    only = MutualTls(methods=["self_signed_tls_client_auth"])
    assert "not the method" in str(decided(NAMED, ISSUED.issued, only))
    assert decided(KEYED, SELF_SIGNED.issued, only) is None


def test_a_disabled_client_is_refused_with_its_certificate(site: Site) -> None:
    site.drive(site.server.clients.disable("named"), site.world)

    assert "disabled" in reason(ask(site, ISSUED.issued))


def test_published_keys_are_fetched_and_again_for_a_certificate_that_is_new() -> None:
    """OIDC Core section 10.1.1, as for signatures; once a minute at most."""
    asked: list[str] = []
    keys = [jwk(SELF_SIGNED)]

    def fetch(request: Outgoing) -> Response:
        asked.append(request.url)
        return Response(200, (), key_set(*keys).encode())

    site = certified_site(None, attrs.evolve(KEYED, jwks=None, jwks_uri=JWKS_URI))
    site.world = attrs.evolve(site.world, fetch=fetch)
    assert ask(site, SELF_SIGNED.unverified, "self-signed").status == 200
    assert reason(ask(site, OTHER.unverified, "self-signed"))
    keys.append(jwk(OTHER))
    site.clock.now += SOONEST_AGAIN
    assert ask(site, OTHER.unverified, "self-signed").status == 200
    assert ask(site, SELF_SIGNED.unverified, "self-signed").status == 200

    assert set(asked) == {JWKS_URI} and 2 <= len(asked) <= 3


@pytest.mark.parametrize(
    ("changes", "setting", "remedy"),
    [
        ({SUBJECT: None}, "tls_client_auth", "exactly one"),
        ({DNS: "client.example"}, "tls_client_auth", "exactly one"),
        ({SUBJECT: "client"}, SUBJECT, "RFC 4514"),
        ({SUBJECT: ""}, SUBJECT, "at least one attribute"),
        ({SUBJECT: None, DNS: "*.client.example"}, DNS, "without a wildcard"),
        ({SUBJECT: None, DNS: ""}, DNS, "use a host name"),
        ({SUBJECT: None, DNS: "müller.example"}, DNS, "ASCII"),
        ({SUBJECT: None, URI: "client"}, URI, "whole URI"),
        ({SUBJECT: None, IP: "192.0.2"}, IP, "IPv4 or IPv6"),
        ({SUBJECT: None, EMAIL: "client"}, EMAIL, "address"),
        ({"token_endpoint_auth_method": "self_signed_tls_client_auth"}, "jwks_uri", "set it, or jwks"),
        ({"token_endpoint_auth_method": "private_key_jwt", "jwks": key_set(jwk(OTHER))}, SUBJECT, "leave it out"),
    ],
)
def test_a_registration_that_no_certificate_can_meet_is_refused(
    changes: dict[str, Any], setting: str, remedy: str
) -> None:
    server = certified_site().server

    with pytest.raises(ConfigurationError, match=remedy) as raised:
        server.clients.prepare(attrs.evolve(NAMED, client_id="new", **changes))
    assert setting in raised.value.setting


@pytest.mark.parametrize("client", [NAMED, KEYED])
@pytest.mark.parametrize("mutual_tls", [None, MutualTls(methods=[])], ids=["off", "for tokens alone"])
def test_a_method_that_is_not_offered_is_not_registered(client: Client, mutual_tls: MutualTls | None) -> None:
    server = make_site(mutual_tls=mutual_tls).server

    with pytest.raises(ConfigurationError, match="mutual_tls=MutualTls"):
        server.clients.prepare(client)


def test_an_unknown_method_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigurationError, match=r"mutual_tls\.methods"):
        MutualTls(methods=["tls"])
    with pytest.raises(ConfigurationError, match="methods"):
        MutualTls(methods="tls_client_auth")
    with pytest.raises(ConfigurationError, match="mutual_tls"):
        make_site(mutual_tls=True)


def test_the_metadata_says_which_methods_there_are() -> None:
    both = {"tls_client_auth", "self_signed_tls_client_auth"}
    for mutual_tls, offered in (
        (None, set()),
        (MutualTls(), both),
        (MutualTls(methods=["tls_client_auth"]), {"tls_client_auth"}),
    ):
        published = members(make_site(mutual_tls=mutual_tls).get("/.well-known/oauth-authorization-server"))
        for endpoint in ("token", "introspection", "revocation"):
            assert both & set(published[f"{endpoint}_endpoint_auth_methods_supported"]) == offered


def test_the_metadata_names_the_endpoints_for_clients_with_certificates() -> None:
    """RFC 8705 section 5."""
    settings = MutualTls(endpoint_aliases="https://mtls.as.example:8443")
    site = make_site(issuer="https://as.example/tenant", mutual_tls=settings, pushed_requests=PushedRequests())
    published = members(site.get("/.well-known/oauth-authorization-server/tenant"))

    base = "https://mtls.as.example:8443/tenant"
    assert published["mtls_endpoint_aliases"] == {
        "token_endpoint": f"{base}/token",
        "introspection_endpoint": f"{base}/introspect",
        "revocation_endpoint": f"{base}/revoke",
        "pushed_authorization_request_endpoint": f"{base}/par",
    }
    without = members(certified_site().get("/.well-known/oauth-authorization-server"))
    assert "mtls_endpoint_aliases" not in without


@pytest.mark.parametrize("url", ["http://mtls.as.example", "https://mtls.as.example/", "mtls.as.example", "https://"])
def test_aliases_that_are_no_origin_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="endpoint_aliases"):
        MutualTls(endpoint_aliases=url)


def test_a_trace_of_a_certificate_is_replayed_with_it() -> None:
    """It is in traces where it decides, and nowhere else."""
    saved: list[Trace] = []
    for site, peer, client_id, status in (
        (certified_site(), ISSUED.issued, "named", 200),
        (certified_site(), OTHER.issued, "named", 401),
        (certified_site(), SELF_SIGNED.unverified, "self-signed", 200),
        (
            certified_site(None, attrs.evolve(KEYED, jwks=key_set(jwk(SELF_SIGNED, x5c=SELF_SIGNED)))),
            SELF_SIGNED.issued,
            "self-signed",
            200,
        ),
        (make_site(), ISSUED.issued, "public", 400),
    ):
        site.server = Recorder(saved.append).recorded(site.server)
        assert ask(site, peer, client_id).status == status
        assert replay(saved[-1]).is_same, replay(saved[-1]).differences

    assert [each.request["peer"]["certificate"] is None for each in saved] == [False, False, False, False, True]


def test_a_client_of_the_host_s_own_without_a_name_is_refused() -> None:
    """A host that stores its clients itself has had none of them checked."""
    nameless = attrs.evolve(NAMED, tls_client_auth_subject_dn=None)

    with pytest.raises(InvalidClient, match="no name"):
        registered_name(nameless)
