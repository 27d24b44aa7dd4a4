"""Claims of a host's own and of resources: in each place, for those who may know them, and none of the server's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs
import pytest

from oauthcore import (
    ClaimsTarget,
    Client,
    ConfigurationError,
    KnownUser,
    Request,
    Resource,
    Resources,
    ResourceServer,
    run,
)
from oauthcore.extra_claims import PROTECTED_CLAIMS
from oauthcore.flow.effects import Claims, Flow, claims, find
from oauthcore.flow.storage import Storage
from oauthcore.records.client import DynamicRegistration
from oauthcore.records.grant import Grant
from oauthcore.records.token import AccessToken
from oauthcore.storage.memory import MemoryStorage
from oauthcore.token_exchange import ExchangeRule, TokenExchange
from oauthcore.trace import Recorder, Trace, replay
from tests.core.oidc.provider import CALLBACK, PAIRWISE, RP, provider
from tests.core.site import VERIFIER, Drive, Site, basic, form, members, params

API, MAIL = "https://api.example", "https://mail.example"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT = attrs.evolve(RP, access_token_format="jwt", grant_types=(*RP.grant_types, "client_credentials"))
PAIRWISE_JWT = attrs.evolve(PAIRWISE, access_token_format="jwt")
READER = Client(client_id="reader", grant_types=("client_credentials",), response_types=(), scope="read")
ANY_READER = attrs.evolve(READER, client_id="any", introspects_any=True)
CLIENTS = (JWT, PAIRWISE_JWT, READER, ANY_READER)
ALICE = {"department": "hats", "groups": ["staff"], "email": "alice@wonderland.example", "shoe_size": 5, "blank": ""}
RESOURCES = [
    Resource(
        API, claims=["groups", "department"], fixed_claims={"tenant": "eu", "tier": 1}, introspected_by=["reader"]
    ),
    Resource(MAIL, claims=["groups", "shoe_size", "email"], fixed_claims={"tenant": "eu", "tier": True}),
]


def claims_of(wanted: Claims) -> KnownUser:
    """Know everybody, and return what is asked for."""
    return KnownUser({name: value for name, value in ALICE.items() if name in wanted.names})


def add(target: ClaimsTarget) -> Mapping[str, object]:
    """Say where it was called, and about what."""
    said = [target.client.client_id, target.subject, target.scope.text, *target.audience]
    return {"place": target.place, "said": said, "caller": target.caller and target.caller.client_id}


def claiming(drive: Drive, *clients: Client, **settings: Any) -> Site:
    """Make a provider that signs tokens by writing down their claims."""
    secrets = {client.client_id: f"{client.client_id}-secret" for client in CLIENTS}
    site = provider(drive, clients=clients or CLIENTS, secrets=secrets, **settings)
    site.world = attrs.evolve(site.world, claims=claims_of)
    return site


def ask(site: Site, client_id: str, **values: str) -> dict[str, Any]:
    """Ask the token endpoint."""
    return members(site.post("/token", form(**values), basic(client_id, f"{client_id}-secret")))


def tokens(site: Site, *resources: str, client_id: str = "rp", scope: str = "openid email") -> dict[str, Any]:
    """Return the tokens of a fresh authorization."""
    callback = CALLBACK if client_id == "rp" else PAIRWISE.redirect_uris[0]
    target = site.authorize_target(client_id=client_id, redirect_uri=callback, scope=scope)
    for resource in resources:
        target += "&" + form(resource=resource).decode()
    code = params(site.approve(site.get(target)))["code"]
    values = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback, "code_verifier": VERIFIER}
    return ask(site, client_id, **values)


def introspected(site: Site, token: str, client_id: str = "rp") -> dict[str, Any]:
    """Return what a client is told of a token; what was signed by writing it down is found by its jti."""
    return members(site.post("/introspect", form(token=token), basic(client_id, f"{client_id}-secret")))


def userinfo(site: Site, token: str) -> dict[str, Any]:
    """Return what UserInfo says."""
    return members(site.handle(Request("GET", "/userinfo", (("Authorization", f"Bearer {token}"),))))


def stored_tokens(storage: Storage) -> list[object]:
    """Return every access token that was issued."""
    assert isinstance(storage, MemoryStorage)
    return [record for record in vars(storage)["_records"].values() if isinstance(record, AccessToken)]


def test_a_host_adds_claims_in_each_place(drive: Drive) -> None:
    """RFC 9068 section 2.2.2, OIDC Core sections 2 and 5.1.2, RFC 7662 section 2.2."""
    opaque, signed = claiming(drive, RP, READER, ANY_READER, extra_claims=add), claiming(drive, extra_claims=add)
    issued, jwts = tokens(opaque), tokens(signed)
    token = issued["access_token"]

    places = {
        "userinfo": userinfo(opaque, token),
        "introspection": introspected(opaque, token, "any"),
        "id_token": json.loads(issued["id_token"]),
        "access_token": json.loads(jwts["access_token"]),
    }

    said = ["rp", "alice", "openid email"]
    assert {name: place["place"] for name, place in places.items()} == {name: name for name in places}
    assert places["userinfo"]["said"] == places["id_token"]["said"] == [*said, "rp"]
    assert places["access_token"]["said"] == places["introspection"]["said"] == [*said, "https://as.example"]
    assert {name: place.get("caller") for name, place in places.items()} == {
        **dict.fromkeys(places),
        "introspection": "any",
    }


def test_a_flow_finds_records_and_claims_of_the_user(drive: Drive) -> None:
    """It runs by the host's own driver, so it may wait where the host does."""

    def add(target: ClaimsTarget) -> Flow[Mapping[str, object]]:
        grant = yield from find(Grant, "no grant")
        person = yield from claims(Claims(target.subject or "", target.client.client_id, ("department",)))
        known = person.claims if isinstance(person, KnownUser) else person or {}
        return {"grant": str(grant), "department": known["department"]}

    issued = json.loads(tokens(claiming(drive, extra_claims=add))["access_token"])

    assert (issued["grant"], issued["department"]) == ("None", "hats")


def test_a_claim_that_is_none_is_left_out() -> None:
    site = claiming(run, extra_claims=lambda target: {"department": None})

    assert "department" not in json.loads(tokens(site)["access_token"])


def test_a_refresh_asks_the_function_anew() -> None:
    """A retry of the refresh, too: the token is the same, its claims are as of now."""
    department = ["hats"]
    site = claiming(run, extra_claims=lambda target: {"department": department[-1]})
    first = tokens(site)

    department.append("tea")
    second = ask(site, "rp", grant_type="refresh_token", refresh_token=first["refresh_token"])
    retried = ask(site, "rp", grant_type="refresh_token", refresh_token=first["refresh_token"])

    said = [json.loads(issued["access_token"]) for issued in (first, second, retried)]
    assert [claims["department"] for claims in said] == ["hats", "tea", "tea"]
    assert said[1]["jti"] == said[2]["jti"]


def test_a_clients_own_token_has_no_subject_for_the_function() -> None:
    site = claiming(run, attrs.evolve(JWT, scope="read"), extra_claims=add)

    assert json.loads(ask(site, "rp", grant_type="client_credentials")["access_token"])["said"][:2] == ["rp", None]


WRONG: list[tuple[str, Any, str]] = [
    *((name, {name: "mallory"}, name) for name in sorted(PROTECTED_CLAIMS)),
    ("nothing", None, "mapping"),
    ("a list", ["department"], "mapping"),
    ("a name that is none", {1: "x"}, "string"),
    ("no JSON", {"department": object()}, "department"),
    ("infinity", {"department": float("inf")}, "department"),
]


@pytest.mark.parametrize("added", [wrong[1] for wrong in WRONG], ids=[wrong[0] for wrong in WRONG])
def test_nothing_is_issued_where_the_function_adds_what_it_may_not(added: Any) -> None:
    """RFC 9068 section 2.2, RFC 7662 section 2.2, RFC 8693 section 4."""
    site = claiming(run, extra_claims=lambda target: added)

    refused = tokens(site)

    assert refused["error"] == "server_error"
    assert not stored_tokens(site.world.storage)


@pytest.mark.parametrize(("added", "named"), [wrong[1:] for wrong in WRONG], ids=[wrong[0] for wrong in WRONG])
def test_the_operator_reads_which_claim_was_wrong_and_never_its_value(added: Any, named: str) -> None:
    site = claiming(lambda flow, world: None, extra_claims=lambda target: added)
    function = site.server.instruments.extra_claims
    assert function is not None
    target = ClaimsTarget(place="id_token", client=RP, subject="alice", scope=RP.scope, audience=("rp",))

    with pytest.raises(ConfigurationError, match=named) as refused:
        next(function(target))

    assert refused.value.setting == "extra_claims"
    assert "mallory" not in str(refused.value)


def test_whatever_the_server_says_of_a_token_can_not_be_added() -> None:
    """The list has every member that the server sets in one of the four places."""
    exchange = TokenExchange(rules=[ExchangeRule(client_ids=["rp"], subject_token_types=["id_token"], audience=[API])])
    opaque = claiming(run, RP, ANY_READER, token_exchange=exchange)
    signed = claiming(run, attrs.evolve(JWT, grant_types=(*JWT.grant_types, EXCHANGE)), token_exchange=exchange)
    token = tokens(opaque)["access_token"]
    asked = {"client_id": "rp", "redirect_uri": CALLBACK, "scope": "openid", "nonce": "n", "max_age": "60"}
    front = params(signed.approve(signed.authorize(None, response_type="code id_token token", **asked)))

    said = set(introspected(opaque, token, "any")) | set(userinfo(opaque, token)) - ALICE.keys()
    for name in ("access_token", "id_token"):
        said |= json.loads(tokens(signed)[name]).keys() | json.loads(front[name]).keys()

    assert {"sub", "scope", "at_hash", "c_hash", "auth_time", "active", "grant_id"} <= said
    assert said - {"typ", "alg"} <= PROTECTED_CLAIMS  # those two are of the header, written down by the test's signer


def test_an_async_function_is_refused_by_name(drive: Drive) -> None:
    async def add(target: ClaimsTarget) -> Mapping[str, object]:
        return {}

    site = claiming(drive, extra_claims=add)
    code = params(site.approve(site.get(site.authorize_target(client_id="rp", redirect_uri=CALLBACK))))["code"]
    sent = form(grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=VERIFIER)

    refused = site.post("/token", sent, basic("rp", "rp-secret"))

    assert (refused.status, members(refused)["error"]) == (500, "server_error")
    assert refused.refusal is not None and "world's claims" in str(refused.refusal.cause)


def test_resource_server_on_the_same_storage_has_the_claims_that_are_added(drive: Drive) -> None:
    site = claiming(drive, RP, ANY_READER, extra_claims=add)
    token = tokens(site)["access_token"]

    access = drive(ResourceServer(site.server.tokens).verify(bearer(token)), site.world)

    said = introspected(site, token, "any")
    assert (access.claims["place"], access.claims["said"]) == (said["place"], said["said"])
    assert access.claims.get("caller") is None


def test_resource_server_on_the_same_storage_has_none_where_no_function_adds_any(drive: Drive) -> None:
    site = claiming(drive, RP)

    access = drive(ResourceServer(site.server.tokens).verify(bearer(tokens(site)["access_token"])), site.world)

    assert access.claims == {}


def test_no_function_is_called_for_a_token_that_is_not_live(drive: Drive) -> None:
    called: list[ClaimsTarget] = []

    def adding(target: ClaimsTarget) -> Mapping[str, object]:
        called.append(target)
        return {}

    site = claiming(drive, RP, extra_claims=adding)
    token = tokens(site)["access_token"]
    called.clear()
    site.clock.advance(10_000)

    answer = drive(ResourceServer(site.server.tokens).verify(bearer(token)), site.world)

    assert answer.status == 401
    assert called == []


def bearer(token: str) -> Request:
    """Return a request with a token."""
    return Request("GET", "/", (("Authorization", f"Bearer {token}"),))


@pytest.mark.parametrize("place", ["introspection", "userinfo"])
def test_introspection_and_userinfo_fail_where_the_function_adds_what_it_may_not(drive: Drive, place: str) -> None:
    site = claiming(drive, RP, extra_claims=lambda target: {"sub": "mallory"} if target.place == place else {})
    token = tokens(site)["access_token"]

    answer = introspected(site, token) if place == "introspection" else userinfo(site, token)

    assert answer["error"] == "server_error"


def test_no_claim_that_is_released_by_a_scope_is_replaced() -> None:
    client = attrs.evolve(RP, id_token_claims="all")
    site = claiming(run, client, extra_claims=lambda target: {"email": "mallory@evil.example"})
    issued = tokens(site)

    assert json.loads(issued["id_token"])["email"] == ALICE["email"]
    assert userinfo(site, issued["access_token"])["email"] == ALICE["email"]


@pytest.mark.parametrize(("response_type", "is_added"), [("id_token token", False), ("id_token", True)])
def test_an_id_token_from_the_browser_has_them_only_if_it_comes_alone(response_type: str, is_added: bool) -> None:
    """As with the claims of scopes (OIDC Core section 5.4)."""
    site = claiming(run, extra_claims=add)
    asked = {"client_id": "rp", "redirect_uri": CALLBACK, "scope": "openid", "nonce": "n"}

    answer = params(site.approve(site.authorize(None, response_type=response_type, **asked)))

    assert ("place" in json.loads(answer["id_token"])) is is_added
    assert response_type == "id_token" or json.loads(answer["access_token"])["place"] == "access_token"


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ((API,), {"groups": ["staff"], "department": "hats", "tenant": "eu", "tier": 1}),
        ((MAIL,), {"groups": ["staff"], "shoe_size": 5, "email": ALICE["email"], "tenant": "eu", "tier": True}),
        ((API, MAIL), {"groups": ["staff"], "tenant": "eu"}),
        ((), {}),
    ],
)
def test_a_token_has_the_claims_that_all_of_its_resources_have(
    resources: tuple[str, ...], expected: dict[str, object]
) -> None:
    site = claiming(run, resources=RESOURCES)

    issued = tokens(site, *resources)

    token = json.loads(issued["access_token"])
    assert {name: token[name] for name in (*ALICE, "tenant", "tier") if name in token} == expected
    assert not {"groups", "department", "shoe_size", "tenant"} & json.loads(issued["id_token"]).keys()


def test_a_client_with_pairwise_subjects_reads_in_a_token_only_what_it_may_know_anyway() -> None:
    """OIDC Core section 8.1, RFC 9068 section 6; the API learns the rest by introspection."""
    resource = attrs.evolve(RESOURCES[1], introspected_by=["reader"])
    site = claiming(run, resources=[resource])
    with_email = json.loads(tokens(site, MAIL, client_id="pairwise")["access_token"])
    without = json.loads(tokens(site, MAIL, client_id="pairwise", scope="openid")["access_token"])
    opaque = claiming(run, PAIRWISE, READER, resources=[resource])
    token = tokens(opaque, MAIL, client_id="pairwise", scope="openid")["access_token"]
    asked = {reader: introspected(opaque, token, reader) for reader in ("reader", "pairwise")}

    named = set(resource.claims)
    assert named & with_email.keys() == {"email"}
    assert named & without.keys() == set()
    assert named & asked["reader"].keys() == named
    assert named & asked["pairwise"].keys() == set()
    assert without["tenant"] == "eu"


@pytest.mark.parametrize("is_approved", [False, True])
def test_a_strangers_client_reads_in_a_token_only_what_its_user_allowed_until_it_is_approved(is_approved: bool) -> None:
    """RFC 9068 section 6: it can read the JWT, and has written what it is by itself (RFC 7591)."""
    dynamic = DynamicRegistration(registered_at=0, is_approved=is_approved)
    site = claiming(run, attrs.evolve(JWT, dynamic=dynamic), resources=RESOURCES)

    token = json.loads(tokens(site, MAIL, scope="openid email")["access_token"])

    assert token["email"] == ALICE["email"]
    assert ("groups" in token) is is_approved


def test_each_reader_of_introspection_learns_the_claims_of_its_own_resource() -> None:
    site = claiming(run, RP, READER, ANY_READER, resources=RESOURCES)
    token = tokens(site, API, MAIL)["access_token"]

    asked = {reader: introspected(site, token, reader) for reader in ("reader", "any", "rp")}

    assert (asked["reader"]["department"], asked["reader"]["tier"]) == ("hats", 1)
    for reader in ("any", "rp"):
        assert {"groups", "tenant"} <= asked[reader].keys()
        assert not {"department", "shoe_size", "tier"} & asked[reader].keys()


def test_an_audience_that_no_resource_describes_learns_nothing() -> None:
    """RFC 8693 section 2.1: by a rule of token exchange, an audience may be any name."""
    rule = ExchangeRule(
        client_ids=["rp"],
        subject_token_types=["refresh_token"],
        requested_token_types=["jwt"],
        audience=[API, "elsewhere"],
    )
    exchanging = attrs.evolve(JWT, grant_types=(*JWT.grant_types, EXCHANGE))
    site = claiming(run, exchanging, resources=RESOURCES, token_exchange=TokenExchange(rules=[rule]))
    subject = tokens(site, scope="openid email offline_access")["refresh_token"]
    values = {"grant_type": EXCHANGE, "subject_token": subject, "requested_token_type": f"{TYPE}jwt", "scope": "email"}

    alone = ask(site, "rp", subject_token_type=f"{TYPE}refresh_token", audience=API, **values)
    body = form(subject_token_type=f"{TYPE}refresh_token", **values) + b"&audience=elsewhere&" + form(audience=API)
    both = members(site.post("/token", body, basic("rp", "rp-secret")))

    assert json.loads(alone["access_token"])["groups"] == ["staff"]
    assert set(json.loads(both["access_token"])["aud"]) == {"elsewhere", API}
    assert not {"groups", "tenant"} & json.loads(both["access_token"]).keys()


TYPE = "urn:ietf:params:oauth:token-type:"


def test_a_claim_of_a_resource_is_replaced_by_no_function() -> None:
    site = claiming(run, resources=RESOURCES, extra_claims=lambda target: {"tenant": "us", "groups": ["admin"]})

    token = json.loads(tokens(site, API)["access_token"])

    assert (token["tenant"], token["groups"]) == ("eu", ["staff"])


def test_a_client_that_acts_for_itself_has_only_the_fixed_claims() -> None:
    site = claiming(run, attrs.evolve(JWT, scope="read"), resources=RESOURCES)

    token = json.loads(ask(site, "rp", grant_type="client_credentials", resource=API)["access_token"])

    assert token["tenant"] == "eu"
    assert not ALICE.keys() & token.keys()


def test_a_resource_that_a_function_finds_has_its_claims() -> None:
    found = Resources(unregistered=lambda uri, client: Resource(uri, claims=["groups"]))

    token = json.loads(tokens(claiming(run, resources=found), API)["access_token"])

    assert token["groups"] == ["staff"]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"claims": ["sub"]}, "claims"),
        ({"claims": "groups"}, "claims"),
        ({"fixed_claims": {"aud": "x"}}, "fixed_claims"),
        ({"fixed_claims": {"x": {1, 2}}}, "fixed_claims"),
        ({"fixed_claims": {"x": None}}, "fixed_claims"),
        ({"fixed_claims": ["x"]}, "fixed_claims"),
        ({"claims": ["x"], "fixed_claims": {"x": 1}}, "fixed_claims"),
    ],
)
def test_a_resource_names_its_wrong_setting(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Resource(API, **settings)

    assert refused.value.setting == named


def test_where_nothing_is_added_the_application_is_asked_no_more() -> None:
    """A feature that is off costs nothing."""
    asked: list[Claims] = []

    def counted(wanted: Claims) -> KnownUser:
        asked.append(wanted)
        return claims_of(wanted)

    site = claiming(run, resources=[Resource(API)])
    site.world = attrs.evolve(site.world, claims=counted)
    _ = tokens(site, API)

    assert len(asked) == 1


def test_a_server_takes_a_function_alone() -> None:
    with pytest.raises(ConfigurationError, match="extra_claims"):
        claiming(run, extra_claims={"department": "hats"})


@pytest.mark.parametrize("client", [RP, JWT], ids=["opaque", "jwt"])
@pytest.mark.parametrize(
    "settings",
    [{"extra_claims": add}, {"resources": RESOURCES}, {"extra_claims": lambda target: {"sub": 1}}],
    ids=["function", "resources", "wrong"],
)
def test_a_trace_has_what_was_added_and_is_decided_again_without_the_function(
    drive: Drive, client: Client, settings: dict[str, Any]
) -> None:
    traces: list[Trace] = []
    site = claiming(drive, client, READER, **settings)
    site.server = Recorder(traces.append).recorded(site.server)

    issued = tokens(site, *([API] if "resources" in settings else []))
    if "access_token" in issued and client is RP:
        _ = userinfo(site, issued["access_token"]), introspected(site, issued["access_token"], "reader")

    assert len(traces) > 2
    assert [replay(Trace.load(trace.dump())).differences for trace in traces] == [()] * len(traces)
