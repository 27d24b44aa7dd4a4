"""A trace holds no secret, and played again it comes to the same decision; what it can't, it says."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oauthcore import Client, Login, Outgoing, Request, Response, Secret, World, run
from oauthcore.context import Paths
from oauthcore.flow.effects import Authenticate, AuthenticatedUser, Claims, Commit, Fetch, Find, FindOf, Flow, Throttled
from oauthcore.flow.outcome import Delete, Event, Insert
from oauthcore.instruments import Call
from oauthcore.openid import OpenID
from oauthcore.records.grant import Grant
from oauthcore.records.interaction import AuthorizationRequest, Interaction
from oauthcore.records.token import AccessToken
from oauthcore.signing.key_ring import KeyPolicy
from oauthcore.testing import Outage, strategies
from oauthcore.testing.samples import sample
from oauthcore.testing.strategies.hostile import TARGET
from oauthcore.trace import Recorder, Trace, replay
from oauthcore.trace.encoding import decode, encode
from oauthcore.trace.placeholders import Placeholders
from tests.core.oidc.provider import CALLBACK, provider
from tests.core.site import (
    FORM,
    SECRETS,
    VERIFIER,
    Drive,
    Site,
    basic,
    form,
    handle_of,
    legacy_policy,
    location,
    make_site,
    members,
)


@attrs.define
class Traced(Site):
    """Be a site that is listened to."""

    traces: list[Trace] = attrs.field(factory=list)
    secrets: set[str] = attrs.field(factory=lambda: {*SECRETS.values(), VERIFIER, "wonderland"})

    def handle(self, request: Request, login: Login | None = None) -> Response:  # type: ignore[explicit-override]  # none in 3.11
        """Send a request, and keep its trace and whatever secret is in the answer."""
        recorded = Recorder(self.traces.append).recorded(self.server)
        response: Response = self.drive(recorded.handle(request, login), self.world)
        if response.header("content-type") == "application/json" and response.status == 200:
            told = members(response)
            self.secrets |= {value for name, value in told.items() if name.endswith("_token")}
        if (planted := response.header("set-cookie")) is not None:
            self.secrets.add(planted.partition(";")[0].partition("=")[2])
        return response


def traced(drive: Drive = run, **options: Any) -> Traced:
    site = make_site(drive, **options)
    return Traced(site.server, site.world, site.clock, site.drive, site.events)


def lives_through(site: Traced) -> None:
    """Do all that there is to do, rightly and wrongly."""
    begun = site.authorize(state="a state of some length %&=+ é")
    site.secrets |= {handle_of(begun), "a state of some length %&=+ é"}
    finished = site.drive(site.server.interactions.finish(handle_of(begun), site.alice, ["email"]), site.world)
    answered = site.get(location(finished))
    code = location(answered).partition("code=")[2].partition("&")[0]
    site.secrets |= {code, location(finished).rpartition("=")[2]}
    site.get(location(finished))
    site.redeem(code, code_verifier="w" * 43)
    site.redeem(code, client_id="other")
    tokens = members(site.redeem(code))
    site.redeem(code + "x")
    site.introspect(tokens["access_token"])
    site.introspect(tokens["refresh_token"], client_id="other")
    newer = members(site.refresh(tokens["refresh_token"]))
    site.clock.advance(30)
    site.refresh(tokens["refresh_token"])
    site.refresh(newer["refresh_token"], scope="email profile")
    site.refresh(newer["refresh_token"])
    site.refresh(tokens["refresh_token"])
    site.redeem(code)
    site.revoke(newer["access_token"])
    site.authorize(site.alice)
    site.authorize(redirect_uri="https://evil.example/")
    site.authorize(response_type="token", prompt="none")
    site.token(grant_type="client_credentials", scope="read")
    site.token(grant_type="client_credentials", scope="admin")
    site.post("/token", form(grant_type="client_credentials"), basic("confidential", "wrong-secret+%41"))
    site.post("/token", form(grant_type="client_credentials"), ("Authorization", "Basic ====="))
    site.post("/token", b"code=a-code-that-is-repeated&code=a-code-that-is-repeated")
    site.post("/token", b"%ff=%ff&client_secret=%zz")
    site.secrets |= {"wrong-secret+%41", "a-code-that-is-repeated"}
    site.get("/.well-known/oauth-authorization-server")
    site.get("/nowhere")
    site.handle(Request("PUT", "/token"))


def test_whatever_is_recorded_holds_no_secret_and_is_decided_again_as_it_was(drive: Drive) -> None:
    site = traced(drive)

    lives_through(site)

    assert len(site.traces) > 25
    for trace in site.traces:
        text = trace.dump()
        assert [secret for secret in site.secrets if secret in text] == []
        again = replay(Trace.load(text))
        assert again.differences == ()
        assert again.response.status == trace.response["status"]


def test_passwords_are_not_in_a_trace_of_the_password_grant() -> None:
    client = Client(client_id="confidential", grant_types=("password",), response_types=(), scope="email")
    site = traced(policy=legacy_policy(), clients=(client,))

    site.token(grant_type="password", username="alice", password="wonderland")
    site.token(grant_type="password", username="alice", password="looking-glass")

    assert [trace.response["status"] for trace in site.traces] == [200, 400]
    for trace in site.traces:
        assert "wonderland" not in trace.dump()
        assert "looking-glass" not in trace.dump()
        assert replay(trace).differences == ()


@attrs.frozen
class Hashed:
    """Be what a host remembers of a user."""

    password_hash: str = attrs.field(repr=False)
    key: str = "alice"
    expires_at: int | None = None


def test_what_an_answer_about_a_password_relied_on_is_in_the_trace_without_the_hash() -> None:
    client = Client(client_id="confidential", grant_types=("password",), response_types=(), scope="email")
    site = traced(policy=legacy_policy(), clients=(client,))
    hashed = Hashed("$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo")
    site.world.storage.commit((Insert(hashed),))
    site.world = attrs.evolve(site.world, authenticate=lambda name, password: AuthenticatedUser("alice", [hashed]))

    site.token(grant_type="password", username="alice", password="wonderland")

    (trace,) = site.traces
    assert trace.response["status"] == 200
    assert "aGFzaGhhc2hoYXNo" not in trace.dump()
    assert replay(Trace.load(trace.dump()), kinds=(Hashed,)).differences == ()


@pytest.mark.parametrize(("at", "after"), [(0, False), (1, False), (2, True), (3, True)])
def test_a_storage_that_failed_fails_again(at: int, after: bool) -> None:
    site = traced()
    code = site.code()
    whole = site.world
    site.world = attrs.evolve(whole, storage=Outage(whole.storage, at, after))

    assert site.redeem(code).status == 503

    again = replay(site.traces[-1])
    assert again.differences == ()
    assert again.response.status == 503
    assert again.response.refusal is not None
    assert "Down" in again.response.refusal.reason


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(request=strategies.hostile())
def test_whatever_is_hostile_is_decided_again_as_it_was(request: Request) -> None:
    site = HOSTILE
    site.traces.clear()

    site.handle(request)

    assert replay(Trace.load(site.traces[-1].dump())).differences == ()


HOSTILE = traced(clients=(TARGET,), secrets={TARGET.client_id: "s3cret"})


@pytest.mark.parametrize("body", [b"%a0", b"token=%ff", b"%80=x&token=abc", b"token=a%C3"])
def test_a_parameter_that_is_no_utf_8_is_refused_for_that_again(body: bytes) -> None:
    site = traced()

    site.post("/introspect", body)

    again = replay(Trace.load(site.traces[-1].dump()))
    assert again.differences == ()
    assert str(again.response.refusal and again.response.refusal.reason) == "a parameter is not UTF-8"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), client=strategies.clients(public=False))
def test_whatever_is_almost_right_is_decided_again_as_it_was(data: st.DataObject, client: Client) -> None:
    site = traced(clients=())
    secret = run(site.server.clients.register(client), site.world).secret
    assert secret is not None
    asking = data.draw(
        strategies.authorizations(client)
        | st.just(strategies.tokens(client, secret, grant_type="refresh_token", refresh_token="not-a-token-at-all"))
    )

    site.handle(data.draw(strategies.almost_valid(asking)))

    trace = site.traces[-1]
    assert secret.reveal() not in trace.dump()
    assert replay(Trace.load(trace.dump())).differences == ()


def test_another_decision_is_told_as_a_difference() -> None:
    site = traced()
    site.redeem(site.code())
    trace = site.traces[-1]

    later = replay(attrs.evolve(trace, clock=[now + 61 for now in trace.clock]))
    other = replay(attrs.evolve(trace, steps=[attrs.evolve(trace.steps[0], answer=None), *trace.steps[1:]]))
    shorter = replay(attrs.evolve(trace, steps=trace.steps[:-1]))

    assert not later.is_same
    assert "reason: invalid_grant: the code has expired; recorded: none" in later.differences
    assert "member access_token: none; recorded: present" in later.differences
    assert "effect 4: commit " in "\n".join(shorter.differences)
    assert any("the code has expired" in difference for difference in later.differences)
    assert any("status: 401; recorded: 200" in difference for difference in other.differences)
    assert any("; recorded: none" in difference for difference in shorter.differences)
    assert shorter.response.status == 503
    assert "the trace has no answer to this" in str(shorter.response.refusal)


def test_questions_to_the_application_and_to_other_servers_are_encoded_and_read_back() -> None:
    placeholders = Placeholders()
    grant = sample(Grant, "a" * 64)
    values: list[object] = [
        Find(Grant, "a" * 64),
        FindOf(Grant, "alice"),
        Commit((Insert(grant), Delete(grant)), (Event("code_issued", "client"),)),
        Claims("alice", "client", ("email",)),
        Throttled(3),
        frozenset({1, 2}),
        {"email": "alice@example.com", "nested": {"a": (1, 2)}},
        None,
    ]

    for value in values:
        assert decode(json.loads(json.dumps(encode(value, placeholders))), {}) == value
    assert "wonderland" not in json.dumps(encode(Authenticate("alice", Secret("wonderland")), placeholders))
    told = encode(
        Fetch(Outgoing("POST", "https://a.example/x", (("Authorization", "Bearer abc"),), b"token=abc")), placeholders
    )
    assert "abc" not in json.dumps(told)
    observed = Response(
        200, (("Content-Type", "application/json"),), b'{"active": true, "sub": "alice", "token": "abcdef"}'
    )
    again = decode(json.loads(json.dumps(encode(observed, placeholders))), {})
    assert members(again)["sub"] == "alice"
    assert members(again)["active"] is True
    assert "abcdef" not in again.body.decode()
    asked = encode(AuthorizationRequest(client_id="c", state="a state that is secret"), placeholders)
    assert "secret" not in json.dumps(asked)


@attrs.frozen
class Ticket:
    """Be a record of somebody's own."""

    key: str
    expires_at: int | None = None


def test_records_of_ones_own_are_read_back_where_they_are_handed_over() -> None:
    text = encode(Find(Ticket, "a"), Placeholders())

    assert decode(text, {f"{Ticket.__module__}:Ticket": Ticket}) == Find(Ticket, "a")
    with pytest.raises(ValueError, match="pass it in `kinds`"):
        decode(text, {})


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Client, "oauthcore.client:Client"),
        (Grant, "oauthcore.records:Grant"),
        (AccessToken, "oauthcore.records:AccessToken"),
        (Interaction, "oauthcore.records:Interaction"),
        (Find, "oauthcore.effects:Find"),
        (Throttled, "oauthcore.effects:TryLater"),
    ],
)
def test_a_class_is_named_as_it_was_before_its_module_moved(kind: type, name: str) -> None:
    """Traces that were kept are read by later versions."""
    assert encode(kind, Placeholders()) == {"type": name}
    assert decode({"type": name}, {}) is kind


@pytest.mark.parametrize(
    "name",
    [
        "os:system",
        "oauthcore.nowhere:X",
        "oauthcore.storage.memory:MemoryStorage",
        "oauthcore.flow.drivers:run",
        "builtins:eval",
    ],
)
def test_a_trace_can_name_nothing_but_values(name: str) -> None:
    with pytest.raises(ValueError, match=r"the trace (names|has a value)"):
        decode({"value": name, "fields": {}}, {})


def test_what_is_no_value_can_not_be_encoded() -> None:
    with pytest.raises(TypeError, match="can't be recorded in a trace"):
        encode(print, Placeholders())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a trace: it is not JSON, or is cut off"),
        ('{"version": 4, "settings": {', "it is not JSON, or is cut off"),
        ("[]", "it is JSON without a version"),
        ("{}", "it is JSON without a version"),
        (
            '{"version": 4}',
            "it lacks algorithms, call, clock, derived, digests, documents, entropy, extra_claims, handles, keys",
        ),
        ('{"version": 5, "whatever": 1}', "it is a trace of version 5; this version of oauthcore reads version 4"),
    ],
)
def test_what_is_no_trace_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Trace.load(text)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"clock": "noon"}, "its clock is not a list"),
        ({"clock": ["noon"]}, "its clock is not a list of numbers"),
        ({"request": 5}, "its request is not a dict"),
        ({"steps": [{"effect": None}]}, "one of its steps is malformed"),
        ({"verified": [["a.b.c"]]}, "its verified are not pairs"),
        ({"documents": ["https://a.example"]}, "its documents are not pairs"),
        ({"more": 1}, "not a trace of version 4: it has more"),
    ],
)
def test_what_is_a_trace_by_half_is_refused(changes: dict[str, Any], says: str) -> None:
    site = traced()
    site.get("/nowhere")
    members = json.loads(site.traces[0].dump())

    with pytest.raises(ValueError, match=says):
        Trace.load(json.dumps(members | changes))


@pytest.mark.parametrize(
    ("name", "changed", "says"),
    [
        (
            "settings",
            {"colour": "red"},
            "settings don't fit this version's server: .* unexpected keyword argument 'colour'",
        ),
        (
            "settings",
            {"issuer": {"value": "oauthcore.context:Paths"}},
            "the trace has a value that can't be read: no 'fields'",
        ),
        ("request", {"peer": {"colour": "red"}}, "the trace's request is not a request: TypeError"),
        ("request", {"headers": [["a"]]}, "request is none|not enough values"),
    ],
)
def test_a_trace_that_can_not_be_played_says_why(name: str, changed: dict[str, Any], says: str) -> None:
    site = traced()
    site.redeem(site.code())
    told = json.loads(site.traces[-1].dump())
    told[name] |= changed
    trace = Trace.load(json.dumps(told))

    with pytest.raises(ValueError, match=says):
        replay(trace)


def test_a_record_of_a_later_version_is_told_as_that() -> None:
    text = encode(sample(Grant, "a"), Placeholders())
    text["fields"]["colour"] = "red"

    with pytest.raises(ValueError, match=r"can't be read: .* unexpected keyword argument 'colour'"):
        decode(text, {})


def test_a_trace_of_another_version_is_refused() -> None:
    site = traced()
    site.get("/nowhere")
    text = site.traces[0].dump().replace('"version": 4', '"version": 5')

    with pytest.raises(ValueError, match="version 5; this version of oauthcore reads version 4"):
        Trace.load(text)


def test_what_one_chose_keeps_not_even_its_length() -> None:
    placeholders = Placeholders()

    short, long = placeholders.of_chosen("a"), placeholders.of_chosen("b" * 90)

    assert len(short) == len(long) == 43
    assert short != long
    assert placeholders.of_chosen("a") == short
    assert "%" in placeholders.of_chosen("c%41")
    assert "\0" in placeholders.of_chosen("c\0")


def test_what_is_a_secret_in_one_place_is_one_in_the_place_of_something_public() -> None:
    site = traced()

    site.post(
        "/token", form(grant_type="password", client_id="alice's long password", password="alice's long password")
    )

    text = site.traces[-1].dump()
    assert "alice" not in text
    assert replay(Trace.load(text)).differences == ()


@pytest.mark.parametrize(
    ("body", "more", "reason"),
    [
        (form(grant_type="password", password="a" * 65_600), (), "the parameters take more than 65536 bytes"),
        (form(grant_type="password", password="a\0b"), (), "a parameter has a NUL character"),
        (form(grant_type="password"), (("Authorization", "Basic"),), "the Basic credentials are not an identifier and"),
        (
            form(
                grant_type="client_credentials",
                client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                client_assertion="a.b",
            ),
            (),
            "the client's assertion is refused: it is not a compact",
        ),
    ],
)
def test_what_is_refused_for_its_form_is_refused_for_that_again(
    body: bytes, more: tuple[tuple[str, str], ...], reason: str
) -> None:
    site = traced()

    site.post("/token", body, *more)

    again = replay(Trace.load(site.traces[-1].dump()))
    assert again.differences == ()
    assert again.response.refusal is not None
    assert again.response.refusal.reason.startswith(reason)


def watched(play: Callable[[], Response]) -> Response:
    return play()


def test_who_wants_to_watch_is_called_with_the_playing() -> None:
    site = traced()
    site.get("/nowhere")

    assert replay(site.traces[0], during=watched).is_same
    assert World(site.world.storage).storage is site.world.storage


@pytest.mark.parametrize("keys", [None, KeyPolicy(algorithms=("RS256", "ES256"))])
def test_what_an_openid_provider_signs_is_neither_in_a_trace_nor_needed_again(keys: KeyPolicy | None) -> None:
    site = provider() if keys is None else provider(keys=keys)
    world = site.world if keys is None else attrs.evolve(site.world, sign=World(site.world.storage).sign)
    listened = Traced(site.server, world, site.clock, site.drive, site.events)
    # The word is in the person's address, and people are in a trace.
    listened.secrets = listened.secrets - {"wonderland"} | {"rp-secret"}
    asked = {"client_id": "rp", "redirect_uri": CALLBACK, "scope": "openid email", "nonce": "a nonce of the client's"}

    begun = listened.authorize(None, **asked)
    code = location(listened.approve(begun)).partition("code=")[2].partition("&")[0]
    body = form(grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=VERIFIER)
    answered = listened.post("/token", body, basic("rp", "rp-secret"))
    listened.get("/userinfo", cookie=False)
    listened.handle(Request("GET", "/userinfo", (("Authorization", f"Bearer {members(answered)['access_token']}"),)))

    assert "id_token" in members(answered)
    assert [trace.response["status"] for trace in listened.traces[-3:]] == [200, 401, 200]
    for trace in listened.traces:
        text = trace.dump()
        assert [secret for secret in {*listened.secrets, code, "a nonce of the client's"} if secret in text] == []
        assert replay(Trace.load(text)).differences == ()


def test_what_a_person_said_is_recorded_too_and_so_is_a_server_for_any_host(drive: Drive) -> None:
    site, traces = make_site(drive), list[Trace]()
    original, site.server = site.server, Recorder(traces.append).recorded(site.server)
    approved, denied = site.authorize(), site.authorize(state="a state of some length")

    site.approve(approved, scope="email")
    for scope in (["email"], None):
        site.drive(site.server.interactions.finish(handle_of(approved), "alice", scope, remember=False), site.world)
    site.drive(site.server.interactions.finish(handle_of(denied), site.alice), site.world)
    site.drive(site.server.interactions.deny(handle_of(denied), site.alice), site.world)
    site.drive(site.server.interactions.deny("nobody's", site.alice), site.world)

    assert [trace.call for trace in traces] == [*["handle"] * 2, "finish", "handle", *["finish"] * 3, *["deny"] * 2]
    assert [trace.response["status"] for trace in traces] == [303, 303, 303, 303, 400, 400, 303, 400, 400]
    for trace in traces:
        text = trace.dump()
        assert handle_of(approved) not in text
        assert handle_of(denied) not in text
        assert replay(Trace.load(text)).differences == ()
    assert isinstance(site.server, type(original))
    assert site.server.owns("/token")


@pytest.mark.parametrize("request_", [{}, {"handle": "a"}])
def test_a_trace_of_what_nobody_can_have_said_says_so(request_: dict[str, Any]) -> None:
    site, traces = make_site(), list[Trace]()
    run(Recorder(traces.append).recorded(site.server).interactions.finish("nobody's", "alice"), site.world)

    with pytest.raises(ValueError, match="the trace's request is not a request"):
        replay(attrs.evolve(traces[0], request=request_))


def test_the_digest_of_a_secret_that_somebody_chose_is_not_in_a_trace() -> None:
    site = traced()

    site.token(grant_type="client_credentials", scope="read")

    client = site.world.storage.find(Client, "confidential")
    assert client is not None
    (remembered,) = client.secrets
    text = site.traces[-1].dump()
    assert remembered.digest not in text
    assert replay(Trace.load(text)).differences == ()


def test_a_trace_names_the_records_that_it_was_about_by_their_digests() -> None:
    site = traced()
    token = members(site.redeem(site.code()))["access_token"]

    site.introspect(token)

    assert site.server.instruments.digest("access_token", Secret(token)) in site.traces[-1].dump()


@pytest.mark.parametrize(
    "word", ["https://as.example", "authorization_code", "oauthcore.client:Client", "subject_type_of_a_client"]
)
def test_a_word_of_the_settings_that_is_sent_as_a_password_spoils_no_trace(word: str) -> None:
    site = traced()

    site.post("/token", form(grant_type="authorization_code", client_id="confidential", password=word))

    trace = Trace.load(site.traces[-1].dump())
    assert replay(trace).differences == ()
    assert f"password={word}" not in unquote(trace.request["body"])


def test_not_even_the_length_of_a_body_tells_that_of_a_password() -> None:
    site = traced()
    texts = []
    for password in ("a", "a" * 50):
        body = form(grant_type="password", username="alice", password=password)
        site.post("/token", body, ("Content-Length", str(len(body))))
        texts.append(site.traces[-1].request["headers"])

    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("request_", "kept"),
    [
        (Request("GET", "/reset/Zm9vYmFyYmF6cXV4cXV1eA"), "/reset/"),
        (Request("POST", "/token", (FORM,), b"Zm9vYmFyYmF6cXV4cXV1eA"), "POST"),
        (Request("POST", "/token", (FORM,), b"Zm9vYmFyYmF6cXV4cXV1eA=1"), "POST"),
        (Request("POST", "/token", (("Content-Type", "application/json"),), b'{"Zm9vYmFyYmF6cXV4cXV1eA": 1}'), "POST"),
        (Request("GET", "/.well-known/oauth-authorization-server"), "/.well-known/oauth-authorization-server"),
        (Request("POST", "/token", (FORM,), b"post_logout_redirect_uri=x"), "post_logout_redirect_uri="),
    ],
)
def test_what_is_no_word_is_not_kept_where_names_are(request_: Request, kept: str) -> None:
    site = traced()

    site.handle(request_)

    text = site.traces[-1].dump()
    assert "Zm9vYmFy" not in text
    assert kept in text
    assert replay(Trace.load(text)).differences == ()


@pytest.mark.parametrize("password", ["!?", "a", "a-b!c", "x" * 60])
def test_of_a_password_that_is_asked_about_nothing_is_left(password: str) -> None:
    """Neither its punctuation nor its length, though the application is asked whose it is."""
    client = Client(client_id="confidential", grant_types=("password",), response_types=(), scope="email")
    site = traced(policy=legacy_policy(), clients=(client,))

    site.token(grant_type="password", username="alice", password=password)

    (asked,) = (step.effect["fields"] for step in site.traces[-1].steps if "password" in step.effect["fields"])
    stand_in = asked["password"]["secret"]
    assert len(stand_in) == 43
    assert stand_in.isalnum()
    assert replay(Trace.load(site.traces[-1].dump())).differences == ()


def test_the_verifier_of_plain_pkce_is_not_in_a_trace_as_its_challenge() -> None:
    site = traced(policy=legacy_policy())

    begun = site.authorize(site.alice, code_challenge=VERIFIER, code_challenge_method="plain")
    code = location(site.approve(begun)).partition("code=")[2].partition("&")[0]
    site.redeem(code)

    assert site.traces[-1].response["status"] == 200
    for trace in site.traces:
        assert VERIFIER not in trace.dump()
        assert replay(Trace.load(trace.dump())).differences == ()


def test_the_digest_of_a_secret_that_can_be_guessed_is_not_in_a_trace() -> None:
    site = traced()

    site.refresh("hunter2")

    assert site.server.instruments.digest("refresh_token", Secret("hunter2")) not in site.traces[-1].dump()
    assert replay(Trace.load(site.traces[-1].dump())).differences == ()


@pytest.mark.parametrize(
    "word", ["https://client.example", "unsupported_response_type", "client_secret_basic", FORM[1]]
)
def test_a_word_that_stands_elsewhere_too_is_no_secret_there(word: str) -> None:
    site = traced()

    site.authorize(state=word)
    site.authorize(state=word, response_type="bogus")
    site.token(grant_type="client_credentials", scope="read", foo=word)
    site.get(f"/.well-known/oauth-authorization-server?x={word}")

    for trace in site.traces:
        assert replay(Trace.load(trace.dump())).differences == ()


TENANT = "/t/0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    ("settings_", "path"),
    [
        (
            {"paths": Paths.below(TENANT)},
            TENANT + "/token",
        ),
        ({"issuer": "https://as.example/tenants/a-tenant-2-production"}, "/tenants/a-tenant-2-production/token"),
        (
            {"issuer": "https://as.example/tenants/a-tenant-2-production"},
            "/.well-known/oauth-authorization-server/tenants/a-tenant-2-production",
        ),
    ],
)
def test_the_path_of_an_endpoint_is_kept_whatever_is_in_it(settings_: dict[str, Any], path: str) -> None:
    site = traced(**settings_)

    site.get(path)
    site.post(path, form(grant_type="client_credentials"), basic("confidential", SECRETS["confidential"]))

    assert 200 in {trace.response["status"] for trace in site.traces}
    for trace in site.traces:
        assert replay(Trace.load(trace.dump())).differences == ()


def cannot_save(trace: Trace) -> None:
    raise OSError("the disk is full")


def test_a_trace_that_can_not_be_had_costs_no_answer() -> None:
    site = make_site()

    with pytest.warns(RuntimeWarning, match="no trace of this: OSError: the disk is full"):
        answer = run(Recorder(cannot_save).recorded(site.server).handle(Request("GET", "/nowhere")), site.world)

    assert answer.status == 404


@pytest.mark.parametrize(
    "claims",
    [
        {"has_token": True, "x_secret": 5, "secret": {"a": 1}},
        {"https://example.com/roles": ["a", "https://cdn.example/alice"], "employeeNumberLong": "1234"},
        {"address": {"x_token": ["a"], "street": "The Street"}, "updated_at": 10_000_000_000},
    ],
)
def test_whatever_is_told_of_a_person_is_told_again(claims: dict[str, Any]) -> None:
    site = provider(openid=OpenID(scope_claims={"email": tuple(claims), "my_token": ("email",)}))
    world = attrs.evolve(site.world, claims=lambda _: claims)
    listened = Traced(site.server, world, site.clock, site.drive, site.events)
    begun = listened.authorize(None, client_id="rp", redirect_uri=CALLBACK, scope="openid email", nonce="n")
    code = location(listened.approve(begun)).partition("code=")[2].partition("&")[0]
    body = form(grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=VERIFIER)
    token = members(listened.post("/token", body, basic("rp", "rp-secret")))["access_token"]

    answer = listened.handle(Request("GET", "/userinfo", (("Authorization", f"Bearer {token}"),)))

    told = members(answer)
    assert all(told.get(name) == value for name, value in claims.items())
    for trace in listened.traces:
        assert replay(Trace.load(trace.dump())).differences == ()


def planted(name: str) -> str:
    """Return a secret that is like no other."""
    return f"PLANTED-{name}-0123456789"


def sent_as(*headers: tuple[str, str], body: str = "", target: str = "/token", method: str = "POST") -> Request:
    return Request(method, target, headers, body.encode("latin-1"))


def unpacked(text: str) -> str:
    """Return a text, and beside it what is packed into it as base64."""
    packed = (piece[: len(piece) // 4 * 4] for piece in re.findall(r"[A-Za-z0-9_-]{16,}", text))
    return text + "".join(base64.urlsafe_b64decode(piece).decode("latin-1") for piece in packed)


def jwt_like(header: dict[str, Any] | str, payload: dict[str, Any] | str) -> str:
    """Return a token that nobody has signed."""
    parts = (part if isinstance(part, str) else json.dumps(part) for part in (header, payload))
    return ".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in (*parts, "signature"))


JSON = ("Content-Type", "application/json")
BASIC = base64.b64encode(f"confidential:{planted('secret')}".encode()).decode()
DEEP = '{"a":' + "[" * 500 + "]" * 500 + ',"b":"' + planted("a") + '"}'
PLANTED_CLAIMS = {"jwt": {planted("a"): [planted("b")]}, "code": planted("c")}
PLACES: dict[str, Request] = {
    "Basic": sent_as(FORM, ("Authorization", f"Basic {BASIC}")),
    "Basic without a colon": sent_as(
        FORM, ("Authorization", f"Basic {base64.b64encode(planted('a').encode()).decode()}")
    ),
    "Basic that is no base64": sent_as(FORM, ("Authorization", f"Basic {planted('a')}")),
    "Bearer": sent_as(("Authorization", f"Bearer {planted('a')}"), method="GET", target="/userinfo"),
    "no scheme": sent_as(("Authorization", planted("a")), method="GET", target="/userinfo"),
    "Digest": sent_as(("Authorization", f'Digest response="{planted("a")}"'), method="GET", target="/userinfo"),
    "headers of others": sent_as(
        FORM, ("X-Api-Key", planted("a")), ("Referer", f"https://x/?code={planted('b')}"), ("DPoP", planted("c"))
    ),
    "cookies": sent_as(
        ("Cookie", f'a={planted("a")}; b="{planted("b")}"'), method="GET", target="/authorize?client_id=x"
    ),
    "query": sent_as(
        method="GET", target=f"/authorize?client_id=confidential&state={planted('a')}&request={planted('b')}"
    ),
    "behind a hash": sent_as(method="GET", target=f"/authorize?x=1#{planted('a')}"),
    "form": sent_as(FORM, body=f"code={planted('a')}&PASSWORD={planted('b')}&pass%77ord={planted('c')}"),
    "form of one word": sent_as(FORM, body=planted("a")),
    "form that is no UTF-8": sent_as(FORM, body=f"\xff{planted('a')}"),
    "JSON": sent_as(JSON, body=json.dumps({"password": planted("a"), "x": [planted("b"), {planted("c"): 1}]})),
    "JSON of one text": sent_as(JSON, body=json.dumps(planted("a"))),
    "JSON that is none": sent_as(JSON, body='{"password": "' + planted("a")),
    "claims of a token": sent_as(
        (
            "Authorization",
            f"Bearer {jwt_like({'alg': 'RS256'}, PLANTED_CLAIMS)}",
        ),
        method="GET",
        target="/userinfo",
    ),
    "header of a token": sent_as(FORM, body=f"token={jwt_like({'alg': 'RS256', 'jwk': {'k': planted('a')}}, {})}"),
    "token whose claims are no JSON": sent_as(FORM, body=f"token={jwt_like({'alg': 'RS256'}, planted('a'))}"),
    "token whose header is no JSON": sent_as(FORM, body=f"token={jwt_like(planted('a'), {})}"),
    "token that is none": sent_as(FORM, body=f"token={planted('a')}.{planted('b')}.{planted('c')}"),
    "JSON that is deep": sent_as(JSON, body="[" * 100_000 + planted("a")),
    "JSON with numbers": sent_as(
        JSON, body=json.dumps({"password": planted("a"), "client_secret": 7, "claims": {"a": planted("b")}})
    ),
    "token that is deep": sent_as(FORM, body=f"token={jwt_like({'alg': 'RS256'}, DEEP)}"),
    "URL in a member": sent_as(
        JSON, body=json.dumps({"password": "https://" + planted("a"), "nick_types": planted("b")})
    ),
    "token and parameter": sent_as(
        FORM, body=f"token={jwt_like({'alg': 'RS256'}, {'jti': planted('a')})}&code={planted('a')}"
    ),
    "form that is no UTF-8 at all": sent_as(FORM, body=f"grant_type=password&password=\xe4!{planted('a')}"),
    "cookie without a name": sent_as(("Cookie", f"{planted('a')}; a=b"), method="GET", target="/authorize?client_id=x"),
    "half of a secret": sent_as(FORM, body=f"client_id=confidential&client_secret=abc&{planted('a').lower()}"),
    "Basic that is no UTF-8": sent_as(
        FORM,
        ("Authorization", "Basic " + base64.b64encode(f"confidential:\xff{planted('a')}".encode("latin-1")).decode()),
    ),
    "Basic with blanks": sent_as(FORM, ("Authorization", " Basic ")),
    "surrogate": Request("GET", "/authorize?state=\ud800abc"),
    "request URI": sent_as(
        method="GET",
        target=f"/authorize?client_id=confidential&request_uri=https://x.example/?a={planted('a')}%23{planted('b')}",
    ),
    "text": sent_as(("Content-Type", "text/plain"), body=f"password={planted('a')}"),
    "multipart": sent_as(
        ("Content-Type", "multipart/form-data; boundary=x"), body=f'--x\r\nname="password"\r\n\r\n{planted("a")}'
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_wherever_a_secret_is_nothing_is_left_of_it(place: str) -> None:
    site = traced()

    site.handle(PLACES[place])

    text = site.traces[-1].dump()
    assert "PLANTED" not in unpacked(text).upper()
    assert BASIC not in text
    assert replay(Trace.load(text)).differences == ()


def test_a_server_with_other_instruments_is_the_same_server_and_leaves_the_first_as_it_was(drive: Drive) -> None:
    site, calls = make_site(drive), list[str]()

    def record(call: Call) -> Flow[Response]:
        calls.append(call.name)
        return call.answer(attrs.evolve(call.instruments, record=None))

    other = site.server.with_instruments(attrs.evolve(site.server.instruments, record=record))
    answers = [site.drive(server.handle(Request("GET", "/nowhere")), site.world) for server in (site.server, other)]

    assert answers[0] == answers[1]
    assert calls == ["handle"]
    assert (other.issuer, other.endpoint_paths) == (site.server.issuer, site.server.endpoint_paths)
    assert site.server.instruments.record is None
