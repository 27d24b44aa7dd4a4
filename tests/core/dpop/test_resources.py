"""DPoP at resources: which token is taken with which proof, and how the others are told (RFC 9449 section 7)."""

from __future__ import annotations

import json
from typing import Any

import anyio
import attrs
import httpx
import pytest

from oauthcore import (
    Access,
    ConfigurationError,
    MemoryStorage,
    Request,
    ResourceDpop,
    ResourceServer,
    Response,
    Scope,
    SeenProofs,
    StoredProofs,
    World,
    run,
)
from oauthcore.dpop.proof import DpopProof
from oauthcore.flow.effects import Flow, pure
from oauthcore.testing import FixedClock
from oauthcore_mcp import McpResource, protect_mcp
from tests.core.dpop.proving import ath, key, proof
from tests.core.site import DRIVERS, Drive

URL = "https://api.example/files"
TOKEN = "t" * 43
NOW = int(FixedClock().now)
BOUND = Access(
    client_id="app",
    subject="alice",
    scope=Scope(("read",)),
    issued_at=NOW,
    expires_at=NOW + 60,
    audience=(URL,),
    cnf={"jkt": key().thumbprint},
)
BEARER = attrs.evolve(BOUND, cnf=None)


def resource(found: Access | None = BOUND, settings: ResourceDpop | None = None, **more: Any) -> ResourceServer:
    """Return a resource whose tokens all allow that."""
    options = {"resource": URL, "clock": FixedClock(), "dpop": settings or ResourceDpop(), **more}
    return ResourceServer(lambda _: pure(found), authorization_servers=["https://as.example"], **options)


def asking(*proofs: str, scheme: str = "DPoP", method: str = "GET", path: str = "/files") -> Request:
    """Return a request with the token and these proofs."""
    headers = (("Authorization", f"{scheme} {TOKEN}"), *(("DPoP", one) for one in proofs))
    return Request(method, path, headers)


def right(**changes: Any) -> str:
    """Return a proof for such a request, right but for the changes."""
    return proof(**{"now": NOW, "htm": "GET", "htu": URL, "ath": ath(TOKEN), **changes})


def asked(server: ResourceServer, request: Request, scope: str = "read", drive: Drive = run) -> Access | Response:
    """Return what a request is allowed."""
    verdict = drive(server.verify(request, scope), World(MemoryStorage()))
    assert isinstance(verdict, Access | Response)
    return verdict


def challenges(verdict: Access | Response) -> list[str]:
    """Return the challenges of a refusal by 401."""
    assert isinstance(verdict, Response) and verdict.status == 401, verdict
    return [value for name, value in verdict.headers if name == "WWW-Authenticate"]


@pytest.mark.parametrize("drive", DRIVERS.values(), ids=DRIVERS)
def test_bound_token_is_taken_with_its_proof(drive: Drive) -> None:
    verdict = asked(resource(), asking(right()), drive=drive)

    assert isinstance(verdict, Access)
    assert verdict.is_possession_proven is True


@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP"])
def test_scheme_is_named_in_any_case(scheme: str) -> None:
    assert isinstance(asked(resource(), asking(right(), scheme=scheme)), Access)


@pytest.mark.parametrize(
    ("proofs", "reason"),
    [
        ((), "no DPoP proof"),
        ((right(), right()), "repeated"),
        ((right(ath=None),), "ath"),
        ((right(ath=ath("u" * 43)),), "ath"),
        ((right(htm="POST"),), "htm"),
        ((right(htu="https://api.example/other"),), "htu"),
        ((right(htu="https://as.example/files"),), "htu"),
        ((right(iat=NOW - 61),), "too old"),
        ((right(header={"typ": "JWT"}),), "typ"),
    ],
)
def test_token_without_the_right_proof_is_refused(proofs: tuple[str, ...], reason: str) -> None:
    verdict = asked(resource(), asking(*proofs))

    bearer, dpop = challenges(verdict)
    assert isinstance(verdict, Response) and verdict.refusal is not None
    assert reason in verdict.refusal.reason
    assert json.loads(verdict.body)["error"] == "invalid_dpop_proof"
    assert 'error="invalid_dpop_proof"' in dpop
    assert "error=" not in bearer


def test_proof_by_another_key_is_refused() -> None:
    """RFC 9449 section 7.1: the key is the one that the token is bound to."""
    verdict = asked(resource(), asking(right(by=key(1))))

    _, dpop = challenges(verdict)
    assert 'error="invalid_token"' in dpop


@pytest.mark.parametrize("cnf", [None, {}, {"x5t#S256": "a"}, {"jkt": None}, {"jkt": [key().thumbprint]}])
def test_token_that_is_not_bound_to_the_key_is_refused_with_a_proof(cnf: dict[str, object] | None) -> None:
    assert len(challenges(asked(resource(attrs.evolve(BOUND, cnf=cnf)), asking(right())))) == 2


def test_token_that_is_bound_in_an_unknown_way_as_well_is_refused() -> None:
    both = attrs.evolve(BOUND, cnf={"jkt": key().thumbprint, "kid": "other"})

    assert challenges(asked(resource(both), asking(right())))


@pytest.mark.parametrize("proofs", [(), (right(),)], ids=["without", "with a proof"])
def test_bound_token_as_a_bearer_token_is_refused(proofs: tuple[str, ...]) -> None:
    """RFC 9449 section 7.2: the downgrade is refused, and the error is in the challenge of the scheme that was used."""
    bearer, dpop = challenges(asked(resource(), asking(*proofs, scheme="Bearer")))

    assert 'error="invalid_token"' in bearer
    assert "error=" not in dpop


def test_bearer_token_is_taken_beside_unless_proofs_are_required() -> None:
    assert isinstance(asked(resource(BEARER), asking(scheme="Bearer")), Access)

    (only,) = challenges(asked(resource(BEARER, ResourceDpop(required=True)), asking(scheme="Bearer")))
    assert only.startswith("DPoP ")


def test_request_without_credentials_is_told_both_schemes_bearer_first() -> None:
    bearer, dpop = challenges(asked(resource(), Request("GET", "/files")))

    assert bearer.startswith("Bearer ") and dpop.startswith("DPoP ")
    assert 'algs="ES256 EdDSA Ed25519 PS256 ES384 RS256"' in dpop
    assert 'scope="read"' in bearer and 'scope="read"' in dpop
    assert "resource_metadata=" in bearer and "resource_metadata=" in dpop


def test_resource_without_dpop_has_one_challenge_and_takes_no_such_token() -> None:
    plain = ResourceServer(lambda _: pure(BOUND), realm="api")

    (only,) = challenges(asked(plain, asking(right())))
    assert only == 'Bearer realm="api", scope="read"'


def test_proof_is_good_once() -> None:
    """RFC 9449 section 11.1."""
    server, same = resource(), asking(right())

    assert isinstance(asked(server, same), Access)
    verdict = asked(server, same)

    assert isinstance(verdict, Response) and verdict.refusal is not None
    assert "used before" in verdict.refusal.reason


def test_proof_of_a_request_that_was_refused_for_its_scope_is_still_good() -> None:
    """An adapter may ask once more, for the scope of what is called."""
    server, same = resource(), asking(right())

    verdict = asked(server, same, scope="write")

    assert isinstance(verdict, Response) and verdict.status == 403
    assert isinstance(asked(server, same), Access)


def test_invalid_proof_costs_no_look_up() -> None:
    def find(_: object) -> Flow[Access | None]:
        raise AssertionError("a token was looked up")

    server = ResourceServer(find, resource=URL, clock=FixedClock(), dpop=ResourceDpop())

    assert challenges(asked(server, asking("nonsense")))


def test_nonce_is_demanded_and_given() -> None:
    """RFC 9449 section 9."""
    server = resource(settings=ResourceDpop(nonce_key=bytes(32)))

    refusal = asked(server, asking(right()))
    _, dpop = challenges(refusal)
    assert isinstance(refusal, Response)
    nonce = refusal.header("DPoP-Nonce")

    assert 'error="use_dpop_nonce"' in dpop
    assert isinstance(asked(server, asking(right(nonce=nonce))), Access)


def test_url_behind_a_proxy_is_the_one_that_clients_use() -> None:
    server = resource(settings=ResourceDpop(base_url="https://api.example/v1/"))

    assert isinstance(asked(server, asking(right(htu="https://api.example/v1/files"))), Access)
    assert challenges(asked(server, asking(right())))


@pytest.mark.parametrize(
    ("path", "htu"),
    [
        ("/a b/ä", "https://api.example/a%20b/%c3%a4"),
        ("/a%20b", "https://api.example/a%20b"),
        ("/~me/(x)", "https://api.example/%7Eme/(x)"),
    ],
)
def test_path_that_a_host_has_decoded_is_the_one_that_the_client_encoded(path: str, htu: str) -> None:
    assert isinstance(asked(resource(), asking(right(htu=htu), path=path)), Access)


@pytest.mark.parametrize("path", ["/\x00", "/\ud800x", "//", "/..", "/[", "/" + "a" * 3_000, "*"], ids=range(7))
def test_any_path_with_a_url_that_is_none_is_refused(path: str) -> None:
    """What is no URL is not the same as another that is none."""
    assert challenges(asked(resource(), asking(right(htu="no URL"), path=path)))


def test_metadata_names_the_algorithms() -> None:
    """RFC 9728 section 2."""
    server = resource(settings=ResourceDpop(algorithms=["ES256"], required=True))

    answer = run(server.handle(Request("GET", server.metadata_paths[0])), World(MemoryStorage()))

    members = json.loads(answer.body)
    assert members["dpop_signing_alg_values_supported"] == ["ES256"]
    assert members["dpop_bound_access_tokens_required"] is True


@pytest.mark.parametrize(
    ("settings", "setting"),
    [
        ({"algorithms": ["HS256"]}, r"dpop\.algorithms"),
        ({"lifetime": 0}, r"dpop\.lifetime"),
        ({"nonce_key": b"short"}, r"dpop\.nonce_key"),
    ],
)
def test_setting_that_cannot_be_is_refused(settings: dict[str, Any], setting: str) -> None:
    with pytest.raises(ConfigurationError, match=setting):
        ResourceDpop(**settings)


def test_resource_whose_url_or_time_is_not_known_takes_no_proofs() -> None:
    with pytest.raises(ConfigurationError, match=r"dpop\.base_url"):
        ResourceServer(lambda _: pure(None), clock=FixedClock(), dpop=ResourceDpop())
    with pytest.raises(ConfigurationError, match="clock"):
        ResourceServer(lambda _: pure(None), resource=URL, dpop=ResourceDpop())
    with pytest.raises(ConfigurationError, match="capacity"):
        SeenProofs(0)


def used(number: int, expires_at: int = NOW + 61) -> DpopProof:
    """Return a proof of that number."""
    return DpopProof("key", f"j{number}", expires_at)


def test_memory_of_proofs_is_bounded_and_forgets_what_is_over_first() -> None:
    seen = SeenProofs(capacity=3)
    for number in range(3):
        assert run(seen(used(number, NOW + 1 + number), NOW), World(MemoryStorage()))

    assert run(seen(used(3), NOW + 2), World(MemoryStorage()))
    assert len(seen) == 2
    for number in range(4, 10):
        assert run(seen(used(number), NOW + 2), World(MemoryStorage()))
    assert len(seen) == 3
    assert not run(seen(used(9), NOW + 2), World(MemoryStorage()))


def test_a_client_that_floods_a_resource_has_its_own_proofs_forgotten() -> None:
    seen, world = SeenProofs(capacity=1_000), World(MemoryStorage())
    victim = DpopProof("victim", "j", NOW + 61)
    assert run(seen(victim, NOW), world)

    for number in range(2_000):
        assert run(seen(used(number), NOW), world)

    assert not run(seen(victim, NOW), world)
    assert len(seen) == 101


def test_proofs_of_many_keys_are_forgotten_one_for_one() -> None:
    seen, world = SeenProofs(capacity=100), World(MemoryStorage())

    for number in range(300):
        assert run(seen(DpopProof(f"key {number}", "j", NOW + 61), NOW), world)

    assert len(seen) == 100
    # Both tables, or the second would grow without end.
    assert len(seen._of_key) == 100
    assert not run(seen(DpopProof("key 299", "j", NOW + 61), NOW), world)


def test_stored_proof_is_used_once_by_all_workers() -> None:
    """RFC 9449 section 11.1."""

    storage = MemoryStorage()
    first, second = (run(StoredProofs(URL)(used(1), NOW), World(storage)) for _ in range(2))

    assert (first, second) == (True, False)
    assert run(StoredProofs("https://other.example")(used(1), NOW), World(storage))
    assert storage.purge(NOW + 62, 10) == 2


async def _app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("path", ["/files", "/files/"])
def test_h4_mcp_server_takes_a_bound_token_for_a_tool(path: str) -> None:
    """The proof is for the URL as the client spells it, and one request with several requirements uses it once."""
    mcp = McpResource(
        lambda _: pure(BOUND),
        URL,
        authorization_servers=["https://as.example"],
        world=World(MemoryStorage()),
        clock=FixedClock(),
        tools={"read": "read"},
        dpop=ResourceDpop(),
    )
    headers = {
        "Authorization": f"DPoP {TOKEN}",
        "DPoP": right(htm="POST", htu=f"https://api.example{path}"),
    }

    async def call() -> list[httpx.Response]:
        transport = httpx.ASGITransport(protect_mcp(_app, mcp))
        async with httpx.AsyncClient(transport=transport, base_url="https://api.example") as http:
            message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "read"}}
            return [await http.post(path, json=message, headers=headers) for _ in range(2)]

    first, again = anyio.run(call)

    assert (first.status_code, again.status_code) == (204, 401)
    assert 'error="invalid_dpop_proof"' in again.headers["www-authenticate"]
