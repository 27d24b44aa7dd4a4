"""Who may use which client: at each step at which something is asked for, issued or looked up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import (
    Allowance,
    AuthenticatedUser,
    AuthorizationServer,
    Client,
    ClientUse,
    ConfigurationError,
    KnownUser,
    MemoryStorage,
    Need,
    Policy,
    Request,
    Secret,
    UserPolicy,
    World,
    run,
)
from oauthcore.errors import AccessDenied
from oauthcore.flow.effects import Claims, Flow, commit, find, find_of
from oauthcore.flow.outcome import Insert, Replace
from oauthcore.flow.storage import Storage
from oauthcore.openid import STANDARD_CLAIMS, OpenID
from oauthcore.records.grant import Grant
from oauthcore.testing import Factory, FixedClock, Run, SeededEntropy
from oauthcore.testing.storage_probe import MakeWorld
from oauthcore.trace import Trace, replay
from oauthcore.user_policy import EVERYBODY, groups_of
from tests.core.assertions import issuing, trusting
from tests.core.devices import device_site
from tests.core.grants import exchanging
from tests.core.oidc.provider import CALLBACK, RP, provider
from tests.core.site import (
    CONFIDENTIAL,
    TOKEN_KEY,
    Drive,
    Site,
    basic,
    form,
    handle_of,
    location,
    make_site,
    members,
    params,
)
from tests.core.test_interleavings import Meeting, explored, redemption, refresh
from tests.core.trace.test_trace import Traced

STAFF_ONLY = attrs.evolve(CONFIDENTIAL, require=("group:staff",))
STAFF, GUEST = {"groups": ["staff", "choir"]}, {"groups": ["choir"]}


@attrs.define
class People:
    """Be the application, which knows of each user some claims; who is left out does not exist."""

    known: dict[str, Mapping[str, object]]
    asked: list[Claims] = attrs.Factory(list)

    def __call__(self, asked: Claims) -> Mapping[str, object] | None:
        """Answer."""
        self.asked.append(asked)
        return self.known.get(asked.subject)


def guarded(client: Client = STAFF_ONLY, drive: Drive = run, **settings: Any) -> tuple[Site, People]:
    """Make a site whose client is for the staff, with alice who belongs to it."""
    people = People({"alice": STAFF, "guest": GUEST})
    site = make_site(drive, clients=(client,), **settings)
    site.world = attrs.evolve(site.world, claims=people)
    return site, people


def use(claims: Mapping[str, object], client: Client = STAFF_ONLY) -> ClientUse:
    return ClientUse(client, "alice", claims)


@pytest.mark.parametrize(
    ("require", "groups", "allowed"),
    [
        ((), [], True),
        (("group:staff",), ["staff"], True),
        (("group:staff",), "staff", True),
        (("group:staff",), ["Staff"], False),
        (("group:staff",), ["staffing"], False),
        (("group:staff",), [], False),
        (("group:staff",), None, False),
        (("group:staff",), {"staff": True}, False),
        (("group:staff",), [["staff"]], False),
        (("group:staff|group:board",), ["board"], True),
        (("group:staff", "group:board"), ["board"], False),
        (("group:staff", "group:board"), ["board", "staff"], True),
    ],
)
def test_a_user_has_to_be_in_a_group_of_each_requirement(
    require: tuple[str, ...], groups: object, *, allowed: bool
) -> None:
    assert EVERYBODY.allows(use({"groups": groups}, attrs.evolve(CONFIDENTIAL, require=require))) is allowed


_name = st.text("abcé:", min_size=1, max_size=3)


@given(st.lists(st.lists(_name, min_size=1, max_size=3), max_size=3), st.sets(_name), st.sets(_name))
def test_more_groups_never_take_a_permission_away(wanted: list[list[str]], some: set[str], more: set[str]) -> None:
    require = tuple("|".join(f"group:{name}" for name in names) for names in wanted)
    client = attrs.evolve(CONFIDENTIAL, require=require)

    allowed = EVERYBODY.allows(use({"groups": sorted(some)}, client))

    assert allowed is all(set(names) & some for names in wanted)
    assert not allowed or EVERYBODY.allows(use({"groups": sorted(some | more)}, client))


@pytest.mark.parametrize("requirement", ["", "staff", "group:", "group: staff", "user:alice", "group:a|", "group:a|b"])
def test_a_requirement_that_can_not_be_read_is_refused(requirement: str) -> None:
    with pytest.raises(ConfigurationError, match="require"):
        groups_of(requirement)
    with pytest.raises(ConfigurationError, match="require"):
        make_site(clients=(attrs.evolve(CONFIDENTIAL, require=(requirement,)),))


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"permits": "staff"}, "permits"), ({"claims": ("age",)}, "claims"), ({"groups_claim": 1}, "groups_claim")],
)
def test_a_policy_that_can_not_be_is_refused(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        UserPolicy(**settings)


def test_a_server_takes_no_bare_function_for_a_policy() -> None:
    with pytest.raises(ConfigurationError, match="user_policy"):
        AuthorizationServer(
            issuer="https://as.example",
            clock=FixedClock(),
            entropy=SeededEntropy(),
            token_key=TOKEN_KEY,
            user_policy=lambda use: True,  # type: ignore[arg-type]  # that is the point
        )


def test_a_client_that_everybody_may_use_costs_no_question() -> None:
    site, people = guarded(CONFIDENTIAL)

    code = params(site.approve(site.authorize(site.alice)))["code"]

    assert people.asked == []
    assert site.redeem(code).status == 200
    assert [asked.names for asked in people.asked] == [()]


def test_who_may_use_it_gets_tokens_as_ever(drive: Drive) -> None:
    site, people = guarded(drive=drive)

    tokens = site.tokens()

    assert site.introspect(tokens["access_token"])["active"]
    assert {asked.names for asked in people.asked} == {("groups",)}


def test_who_may_not_is_sent_to_a_page_and_from_there_to_the_client_with_access_denied(drive: Drive) -> None:
    """RFC 6749 section 4.1.2.1."""
    site, _ = guarded(drive=drive)
    guest = attrs.evolve(site.alice, subject="guest")

    begun = site.authorize(guest)
    handle = handle_of(begun)
    pending = site.drive(site.server.interactions.find(handle, guest), site.world)
    finished = site.drive(site.server.interactions.finish(handle, guest, "email"), site.world)
    denied = site.drive(site.server.interactions.deny(handle, guest), site.world)
    answer = params(site.get(location(denied)))

    assert pending is not None and pending.need is Need.OTHER_ACCOUNT
    assert location(begun).startswith("/consent?") and location(finished) == location(begun)
    assert answer == {
        "error": "access_denied",
        "error_description": "the user may not use this client.",
        "state": "s",
        "iss": "https://as.example",
    }


def test_another_account_may_go_on_where_one_may_not() -> None:
    site, _ = guarded()

    begun = site.authorize(attrs.evolve(site.alice, subject="guest"))

    assert "code" in params(site.approve(begun, site.alice))


def test_who_signs_in_for_the_request_may_not_either() -> None:
    site, _ = guarded()
    guest = attrs.evolve(site.alice, subject="guest")

    handle = handle_of(site.authorize(None))
    finished = site.drive(site.server.interactions.finish(handle, guest, None), site.world)
    pending = site.drive(site.server.interactions.find(handle), site.world)

    assert location(finished).startswith("/consent?")
    assert pending is not None and pending.need is Need.OTHER_ACCOUNT


def test_prompt_none_is_answered_with_access_denied_even_if_consent_is_remembered() -> None:
    site, people = guarded(openid=OpenID())
    begun = site.authorize(site.alice)
    handle = handle_of(begun)
    finished = site.drive(site.server.interactions.finish(handle, site.alice, "email", remember=True), site.world)
    assert "code" in params(site.get(location(finished)))
    assert "code" in params(site.authorize(site.alice, prompt="none"))

    people.known["alice"] = GUEST

    assert params(site.authorize(site.alice, prompt="none"))["error"] == "access_denied"
    assert location(site.authorize(site.alice)).startswith("/consent?")


def test_who_leaves_the_group_after_the_answer_is_stopped_on_the_way_back() -> None:
    site, people = guarded()
    handle = handle_of(site.authorize(site.alice))
    finished = site.drive(site.server.interactions.finish(handle, site.alice, "email"), site.world)

    people.known["alice"] = GUEST
    back = site.get(location(finished))

    assert location(back).startswith("/consent?")


def test_who_leaves_the_group_redeems_no_code() -> None:
    site, people = guarded()
    code = site.code()

    people.known["alice"] = GUEST

    assert members(site.redeem(code))["error"] == "invalid_grant"
    people.known["alice"] = STAFF
    assert site.redeem(code).status == 200, "a refusal does not spend the code"


def test_who_leaves_the_group_gets_no_new_tokens_and_keeps_no_old_ones() -> None:
    site, people = guarded()
    tokens = site.tokens()

    people.known["alice"] = GUEST
    refused = site.refresh(tokens["refresh_token"])

    assert members(refused)["error"] == "invalid_grant"
    assert site.introspect(tokens["access_token"]) == {"active": False}
    assert run(site.server.tokens(Secret(tokens["access_token"])), site.world) is None
    people.known["alice"] = STAFF
    assert site.introspect(tokens["access_token"])["active"]
    assert site.refresh(tokens["refresh_token"]).status == 200


def test_who_leaves_the_group_is_told_so_on_their_list_of_applications() -> None:
    site, people = guarded()
    site.tokens()

    before = run(site.server.applications.of("alice"), site.world)
    people.known["alice"] = GUEST
    after = run(site.server.applications.of("alice"), site.world)

    assert [application.may_use for application in (*before, *after)] == [True, False]


def test_userinfo_refuses_the_token_of_who_may_not_use_the_client() -> None:
    people = People({"alice": STAFF})
    site = provider(clients=(attrs.evolve(RP, require=("group:staff",)),), secrets={"rp": "rp-secret"})
    site.world = attrs.evolve(site.world, claims=people)
    begun = site.authorize(None, client_id="rp", redirect_uri=CALLBACK, scope="openid")
    code = params(site.approve(begun))["code"]
    values = {"redirect_uri": CALLBACK, "code": code, "grant_type": "authorization_code"}
    sent = form(**values, code_verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    token = members(site.post("/token", sent, basic("rp", "rp-secret")))["access_token"]
    request = Request("GET", "/userinfo", (("Authorization", f"Bearer {token}"),))

    before = site.handle(request)
    people.known["alice"] = GUEST

    assert members(before) == {"sub": "alice"}, "what the decision reads is nobody else's affair"
    assert site.handle(request).status == 401


def test_an_id_token_from_the_authorization_endpoint_is_for_who_may_use_the_client_alone() -> None:
    people = People({"alice": GUEST})
    site = provider(clients=(attrs.evolve(RP, require=("group:staff",)),), secrets={"rp": "rp-secret"})
    site.world = attrs.evolve(site.world, claims=people)
    asked = {"client_id": "rp", "redirect_uri": CALLBACK, "scope": "openid", "nonce": "n", "response_type": "id_token"}

    begun = site.authorize(site.alice, **asked)

    assert location(begun).startswith("/consent?")
    assert "error=access_denied" in location(site.authorize(site.alice, prompt="none", **asked))


LEGACY = Client(
    client_id="legacy", grant_types=("password",), response_types=(), scope="email", require=("group:staff",)
)


@pytest.mark.parametrize(("claims", "status"), [(STAFF, 200), (GUEST, 400)])
def test_the_password_grant_is_for_who_may_use_the_client(claims: Mapping[str, object], status: int) -> None:
    site = make_site(
        clients=(LEGACY,), secrets={"legacy": "legacy-secret"}, policy=Policy.oauth20(allow={Allowance.PASSWORD})
    )
    site.world = attrs.evolve(
        site.world, claims=People({"alice": claims}), authenticate=lambda *_: AuthenticatedUser("alice")
    )

    sent = form(grant_type="password", username="alice", password="wonderland")
    response = site.post("/token", sent, basic("legacy", "legacy-secret"))

    assert response.status == status
    assert status == 200 or members(response)["error_description"] == "the user may not use this client."


def test_a_function_of_the_host_decides_by_the_claims_it_named() -> None:
    seen: list[ClientUse] = []

    def permits(use: ClientUse) -> bool:
        seen.append(use)
        return use.client.client_id == "confidential" and use.claims.get("age") == 42

    site, people = guarded(CONFIDENTIAL, user_policy=UserPolicy(permits=permits, claims=("age",)))
    people.known = {"alice": {"age": 42}, "guest": {"age": 7}}

    assert "code" in params(site.approve(site.authorize(None)))
    assert location(site.authorize(attrs.evolve(site.alice, subject="guest"))).startswith("/consent?")
    assert {asked.names for asked in people.asked} == {("age",)}
    assert {use.subject for use in seen} == {"alice", "guest"}


def test_a_function_does_not_open_what_the_groups_shut() -> None:
    site, _ = guarded(user_policy=UserPolicy(permits=lambda use: True))

    assert location(site.authorize(attrs.evolve(site.alice, subject="guest"))).startswith("/consent?")


@pytest.mark.parametrize("answer", [None, 1, "yes", object()])
def test_only_true_is_a_permission(answer: Any) -> None:
    """What an async function returns is a coroutine, which is true whatever it would decide."""
    assert not UserPolicy(permits=lambda use: answer).allows(use(STAFF))


def test_a_decision_by_groups_is_played_again_as_it_was() -> None:
    site, people = guarded(openid=OpenID(scope_claims={**STANDARD_CLAIMS, "groups": ("groups",)}))
    traced = Traced(site.server, site.world, site.clock, site.drive, site.events)
    code = traced.code()
    traced.redeem(code)
    allowed = traced.traces[-1].dump()
    people.known["alice"] = GUEST
    traced.redeem(code)
    refused = traced.traces[-1].dump()

    assert [replay(Trace.load(text)).differences for text in (allowed, refused)] == [(), ()]


@attrs.frozen
class Member:
    """Be what a host remembers of a user."""

    groups: tuple[str, ...]
    key: str = "alice"
    expires_at: int | None = None


def around(storage: Storage) -> World:
    """Return a world that knows users by what is stored, and says what it relied on."""

    def claims(asked: Claims) -> KnownUser | None:
        member = run(find(Member, asked.subject), World(storage))
        return None if member is None else KnownUser({"groups": list(member.groups)}, (member,))

    return World(storage, claims=claims)


def leaving() -> Flow[Grant]:
    """Take alice out of the group; return her grant as it is then."""

    def flow() -> Flow[Grant]:
        member = yield from find(Member, "alice")
        assert member is not None
        assert (yield from commit((Replace(member, attrs.evolve(member, groups=())),)))
        (grant,) = yield from find_of(Grant, "alice")
        return grant

    return flow()


def meeting_of(begin: Callable[[Site], Request], world: MakeWorld = around) -> Meeting:
    """Let a request meet what takes alice out of the group that its client requires."""

    def prepare(site: Site) -> list[Flow[Any]]:
        site.drive(commit((Insert(Member(("staff",))),)), site.world)
        return [site.server.handle(begin(site)), leaving()]

    return Meeting(prepare, around=world, clients=(STAFF_ONLY,))


def issued_afterwards(run: Run[Any]) -> bool:
    """Return whether something was issued to alice after she had left."""
    (grant,) = run.world.storage.find_of(Grant, "alice")
    return bool(grant != run.results[1])


BEGIN: dict[str, Callable[[Site], Request]] = {
    "code": lambda site: redemption(site.code()),
    "refresh": lambda site: refresh(site.tokens()["refresh_token"]),
}


@pytest.mark.parametrize("begin", sorted(BEGIN))
def test_nothing_is_issued_to_a_user_who_has_left_the_group_meanwhile(
    begin: str, record_property: Callable[[str, object], None], kept: Factory
) -> None:
    def check(run: Run[Any]) -> None:
        assert not issued_afterwards(run)

    explored(record_property, meeting_of(BEGIN[begin]), check, kept)


def returning(site: Site) -> Request:
    """Return the request with which alice's browser comes back from the pages."""
    handle = handle_of(site.authorize(site.alice))
    finished = site.drive(site.server.interactions.finish(handle, site.alice, "email"), site.world)
    assert site.cookie is not None
    return Request("GET", location(finished), (("Cookie", site.cookie),))


def test_no_code_is_issued_to_a_user_who_has_left_the_group_meanwhile(
    record_property: Callable[[str, object], None], kept: Factory
) -> None:
    def gone() -> Flow[int]:
        member = yield from find(Member, "alice")
        assert member is not None
        assert (yield from commit((Replace(member, attrs.evolve(member, groups=())),)))
        return len((yield from find_of(Grant, "alice")))

    def prepare(site: Site) -> list[Flow[Any]]:
        site.drive(commit((Insert(Member(("staff",))),)), site.world)
        return [site.server.handle(returning(site)), gone()]

    def check(run: Run[Any]) -> None:
        assert len(run.world.storage.find_of(Grant, "alice")) == run.results[1]

    explored(record_property, Meeting(prepare, around=around, clients=(STAFF_ONLY,)), check, kept)


def test_a_host_that_does_not_say_what_it_relied_on_may_issue_afterwards() -> None:
    """The tests above can fail. Even such a token is not valid wherever it is looked up."""

    def silent(storage: Storage) -> World:
        known = around(storage).claims
        return World(storage, claims=lambda asked: known(asked) and known(asked).claims)  # type: ignore[union-attr]  # a KnownUser

    late: list[bool] = []

    meeting_of(BEGIN["refresh"], silent).explored(lambda run: late.append(issued_afterwards(run)), MemoryStorage)

    assert True in late


@pytest.mark.parametrize(
    ("guarded_client", "client_id"), [("gateway", "gateway"), ("app", "gateway")], ids=["exchanges", "signed in to"]
)
def test_no_token_of_who_may_not_use_either_client_is_exchanged(guarded_client: str, client_id: str) -> None:
    clients = tuple(
        attrs.evolve(client, require=("group:staff",)) if client.client_id == guarded_client else client
        for client in exchanging.CLIENTS
    )
    site, people = exchanging.exchange_site(clients=clients), People({"alice": STAFF})
    site.world = attrs.evolve(site.world, claims=people)
    token = exchanging.signed_in(site)["access_token"]
    new = exchanging.exchanged(site, client_id, token)["access_token"]

    people.known["alice"] = GUEST

    assert members(exchanging.exchange(site, client_id, token))["error"] == "invalid_request"
    assert exchanging.introspected(site, new) == {"active": False}
    people.known["alice"] = STAFF
    assert exchanging.introspected(site, new)["active"]


def test_an_assertion_of_a_user_who_may_not_use_the_client_is_refused() -> None:
    clients = tuple(
        attrs.evolve(client, require=("group:staff",)) if client.client_id == "app" else client
        for client in trusting.ALL_CLIENTS
    )
    site, people = trusting.trusting_site(clients=clients), People({"alice": GUEST})
    site.world = attrs.evolve(site.world, claims=people)

    refused = trusting.present(site, issuing.assertion())
    people.known["alice"] = STAFF

    assert members(refused)["error"] == "invalid_grant"
    assert trusting.present(site, issuing.assertion()).status == 200


def test_a_device_is_not_approved_by_who_may_not_use_its_client() -> None:
    client = attrs.evolve(device_site.TV, client_id="staff_tv", require=("group:staff",))
    site, people = device_site.device_site(clients=(client,)), People({"alice": STAFF, "guest": GUEST})
    site.world = attrs.evolve(site.world, claims=people)
    codes = device_site.begun(site, "staff_tv")

    with pytest.raises(AccessDenied):
        device_site.approve(site, codes, attrs.evolve(site.alice, subject="guest"))
    device_site.approve(site, codes)
    people.known["alice"] = GUEST
    refused = device_site.poll(site, codes["device_code"], "staff_tv")
    people.known["alice"] = STAFF

    assert members(refused)["error"] == "invalid_grant"
    assert device_site.poll(site, codes["device_code"], "staff_tv").status == 200
