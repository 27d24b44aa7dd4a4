"""JWT access tokens of any issuer: which are taken, by whose keys, and what a stranger can make us do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import (
    Access,
    AllowPlainJwt,
    AnyAudience,
    ConfigurationError,
    JwtTokens,
    MemoryStorage,
    Outgoing,
    Request,
    ResourceServer,
    Response,
    World,
    run,
)
from oauthcore.documents import FAILED_FOR, SOONEST_AGAIN
from oauthcore.jose.crypto import sign_claims
from oauthcore.jose.jwk import Jwk, set_of
from oauthcore.records.client_subject import client_subject
from oauthcore.testing import FixedClock
from tests.core.signing_keys import key_for
from tests.core.site import DRIVERS, Drive

ISSUER = "https://as.example/tenant"
OAUTH = "https://as.example/.well-known/oauth-authorization-server/tenant"
OPENID = "https://as.example/tenant/.well-known/openid-configuration"
INSERTED = "https://as.example/.well-known/openid-configuration/tenant"
JWKS = "https://keys.example/jwks"
RESOURCE = "https://api.example/mcp"
NOW = 1_000_000
KEY = key_for("ES256")
OTHER_KEY = key_for("ES256", 1)
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": RESOURCE,
    "exp": NOW + 300,
    "iat": NOW,
    "sub": "alice",
    "client_id": "app",
    "scope": "read write",
    "jti": "1",
}


class Issuer:
    """Be the other server: what it answers under which URL, and what it was asked."""

    def __init__(self, *keys: Jwk, at: str = OAUTH, **metadata: Any) -> None:
        self.answers: dict[str, Response] = {at: as_json({"issuer": ISSUER, "jwks_uri": JWKS} | metadata)}
        self.publish(*keys)
        self.asked: list[str] = []

    def publish(self, *keys: Jwk) -> None:
        self.answers[JWKS] = Response(200, (), set_of(keys))

    def __call__(self, request: Outgoing) -> Response:
        self.asked.append(request.url)
        return self.answers.get(request.url, Response(404, (), b"{}"))


def as_json(members: Mapping[str, object]) -> Response:
    return Response(200, (("Content-Type", "application/json"),), json.dumps(members).encode())


def token(key: Jwk = KEY, typ: str = "at+jwt", without: str | None = None, **changes: Any) -> str:
    claims = {name: value for name, value in (CLAIMS | changes).items() if name != without}
    return sign_claims(claims, key, str(key.alg), typ)


def tokens(clock: Callable[[], float] = FixedClock(NOW), **settings: Any) -> JwtTokens:  # noqa: B008  # it stands
    return JwtTokens(ISSUER, clock=clock, **settings)


def ask(found: JwtTokens, issuer: Issuer, presented: str, drive: Drive = run) -> Access | Response:
    request = Request("GET", "/", (("Authorization", f"Bearer {presented}"),))
    server = ResourceServer(found, resource=RESOURCE)
    verdict: Access | Response = drive(server.verify(request, "read"), World(MemoryStorage(), fetch=issuer))
    return verdict


def status(verdict: Access | Response) -> int:
    return verdict.status if isinstance(verdict, Response) else 200


@pytest.mark.parametrize("drive", DRIVERS.values(), ids=DRIVERS)
@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"])
def test_token_that_an_issuers_key_has_signed_gives_what_it_allows(alg: str, drive: Drive) -> None:
    """RFC 9068 section 4."""
    key = key_for(alg)

    found = ask(tokens(), Issuer(key), token(key), drive)

    assert isinstance(found, Access)
    assert (found.client_id, found.subject, found.scope.text) == ("app", "alice", "read write")
    assert (found.audience, found.issuer, found.expires_at) == ((RESOURCE,), ISSUER, NOW + 300)
    assert found.claims["jti"] == "1"


def test_token_tells_how_its_person_was_authenticated_and_who_acts() -> None:
    """RFC 9068 section 2.2.1, RFC 8693 section 4.1."""
    told: dict[str, Any] = {"acr": "mfa", "auth_time": NOW - 9, "amr": ["pwd", "otp"], "act": {"sub": "bob"}}

    found = ask(tokens(), Issuer(KEY), token(**told))

    assert isinstance(found, Access)
    assert (found.acr, found.auth_time, found.amr, found.act) == ("mfa", NOW - 9, ("pwd", "otp"), {"sub": "bob"})


def test_token_that_is_bound_to_a_key_is_no_bearers() -> None:
    """RFC 9449 section 7.2."""
    assert status(ask(tokens(), Issuer(KEY), token(cnf={"jkt": "x"}))) == 401


@pytest.mark.parametrize("sub", ["app", client_subject("app"), None])
def test_clients_own_token_has_no_subject(sub: str | None) -> None:
    """RFC 9068 section 2.2: many servers call the client so; some call it nothing."""
    found = ask(tokens(), Issuer(KEY), token(sub=sub) if sub else token(without="sub"))

    assert isinstance(found, Access)
    assert (found.subject, found.identity) == (None, client_subject("app"))


WRONG: dict[str, dict[str, Any]] = {
    "audience": {"aud": "https://other.example"},
    "audiences": {"aud": ["https://other.example", RESOURCE + "2"]},
    "no audience": {"without": "aud"},
    "issuer": {"iss": "https://other.example"},
    "issuer with a slash": {"iss": ISSUER + "/"},
    "no issuer": {"without": "iss"},
    "expired": {"exp": NOW - 60},
    "never expires": {"without": "exp"},
    "expires in words": {"exp": "never"},
    "not yet": {"nbf": NOW + 61},
    "from the future": {"iat": NOW + 61},
    "an ID token": {"typ": "JWT"},
    "a logout token": {"typ": "logout+jwt"},
    "no type": {"typ": ""},
    "another key": {"key": OTHER_KEY},
    "nobody's": {"sub": 7, "without": "client_id"},
    "an actor that can't be read": {"act": "bob"},
    "a key that can't be read": {"cnf": "x"},
}


@given(st.sampled_from(sorted(WRONG)), st.permutations(sorted(CLAIMS)), st.booleans())
def test_g3_g4_no_token_that_is_wrong_in_any_way_is_ever_taken(wrong: str, order: list[str], first: bool) -> None:
    """Whatever the order of its claims, and whether or not the keys are known yet."""
    found, issuer = tokens(), Issuer(KEY)
    changes = dict(WRONG[wrong])
    key, typ, without = changes.pop("key", KEY), changes.pop("typ", "at+jwt"), changes.pop("without", None)
    claims = {name: value for name in order if name != without for value in [(CLAIMS | changes)[name]]} | changes
    good = {name: CLAIMS[name] for name in order}

    if not first:
        assert status(ask(found, issuer, sign_claims(good, KEY, "ES256", "at+jwt"))) == 200
    assert status(ask(found, issuer, sign_claims(claims, key, "ES256", typ))) == 401
    assert status(ask(found, issuer, sign_claims(good, KEY, "ES256", "at+jwt"))) == 200


def unsigned(header: dict[str, str], signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), json.dumps(CLAIMS).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def signed_with_the_public_key() -> str:
    """Sign by HMAC with what everybody knows (RFC 8725 section 2.1)."""
    header = {"alg": "HS256", "typ": "at+jwt", "kid": str(KEY.kid)}
    signing_input = unsigned(header).rpartition(".")[0]
    secret = set_of([KEY])
    return unsigned(header, hmac.new(secret, signing_input.encode(), hashlib.sha256).digest())


@pytest.mark.parametrize(
    "presented",
    [
        unsigned({"alg": "none", "typ": "at+jwt"}),
        unsigned({"alg": "None", "typ": "at+jwt"}),
        signed_with_the_public_key(),
        unsigned({"alg": "ES256", "typ": "at+jwt"}, b"\0" * 64),
        token(key_for("ES384")),
        "opaque",
        "a.b",
        "a.b.c.d.e",
    ],
)
def test_g3_token_that_nobody_signed_or_by_other_means_is_refused(presented: str) -> None:
    found = tokens(algorithms=["ES256"])

    assert status(ask(found, Issuer(KEY), presented)) == 401


@given(st.text(st.sampled_from("ey.JAx0_-"), max_size=60))
def test_whatever_is_presented_is_refused_in_peace(presented: str) -> None:
    assert status(ask(tokens(), Issuer(KEY), presented)) in {400, 401}


@pytest.mark.parametrize("change", [{"exp": NOW - 59}, {"nbf": NOW + 60}, {"iat": NOW + 60}])
def test_g7_clocks_may_differ_by_a_minute(change: dict[str, Any]) -> None:
    assert status(ask(tokens(), Issuer(KEY), token(**change))) == 200
    assert status(ask(tokens(skew=0), Issuer(KEY), token(**change))) == 401


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "AT+JWT"])
def test_type_is_a_media_type(typ: str) -> None:
    """RFC 9068 section 4, RFC 7515 section 4.1.9."""
    assert status(ask(tokens(), Issuer(KEY), token(typ=typ))) == 200


@pytest.mark.parametrize(
    ("at", "asked"),
    [(OAUTH, [OAUTH]), (OPENID, [OAUTH, OPENID]), (INSERTED, [OAUTH, OPENID, INSERTED])],
)
def test_keys_are_found_by_either_kind_of_metadata(at: str, asked: list[str]) -> None:
    """RFC 8414 sections 3.1 and 5, OIDC Discovery section 4.1."""
    issuer = Issuer(KEY, at=at)

    assert status(ask(tokens(), issuer, token())) == 200
    assert issuer.asked == [*asked, JWKS]


def test_issuer_without_a_path_is_looked_up_at_its_root() -> None:
    issuer = Issuer(KEY, at="https://as.example/.well-known/openid-configuration", issuer="https://as.example/")
    found = JwtTokens("https://as.example/", clock=FixedClock(NOW))

    assert status(ask(found, issuer, token(iss="https://as.example/"))) == 200
    assert issuer.asked[0] == "https://as.example/.well-known/oauth-authorization-server"


LIES: list[dict[str, Any]] = [
    {"issuer": "https://other.example"},
    {"issuer": ISSUER + "/"},
    {"issuer": "https://as.example"},
    {"issuer": None},
    {"jwks_uri": "http://keys.example/jwks"},
    {"jwks_uri": None},
    {"jwks_uri": "https://[keys/jwks"},
]


@pytest.mark.parametrize("lie", LIES)
def test_document_that_lies_about_its_issuer_is_not_used(lie: dict[str, Any]) -> None:
    """RFC 8414 section 3.3: that we know no key is no fault of the token's."""
    assert status(ask(tokens(), Issuer(KEY, **lie), token())) == 503


@pytest.mark.parametrize("lie", LIES)
def test_document_that_lies_does_not_hide_the_true_one(lie: dict[str, Any]) -> None:
    issuer = Issuer(KEY, at=OPENID)
    issuer.answers |= Issuer(OTHER_KEY, at=OAUTH, **lie).answers | {JWKS: issuer.answers[JWKS]}

    assert status(ask(tokens(), issuer, token())) == 200
    assert status(ask(tokens(), issuer, token(OTHER_KEY))) == 401


@pytest.mark.parametrize("url", [OAUTH, JWKS])
@pytest.mark.parametrize("code", [301, 302, 307, 500, 404])
def test_redirect_and_error_are_no_documents(url: str, code: int) -> None:
    issuer = Issuer(KEY)
    there = issuer.answers[url]
    issuer.answers["https://evil.example"] = there
    issuer.answers[url] = Response(code, (("Location", "https://evil.example"),), there.body)

    assert status(ask(tokens(), issuer, token())) == 503
    assert "https://evil.example" not in issuer.asked


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"keys": 7}', b"<html>", b"[" * 100_000])
def test_what_is_no_key_set_is_no_fault_of_the_tokens(body: bytes) -> None:
    issuer = Issuer(KEY)
    issuer.answers[JWKS] = Response(200, (), body)

    assert status(ask(tokens(), issuer, token())) == 503


def test_g7_keys_are_kept_for_a_while() -> None:
    clock, issuer = FixedClock(NOW), Issuer(KEY)
    found = tokens(clock)

    for _ in range(3):
        assert status(ask(found, issuer, token())) == 200
    clock.now += 599
    assert status(ask(found, issuer, token(exp=NOW + 9_999))) == 200
    assert issuer.asked == [OAUTH, JWKS]
    clock.now += 1
    assert status(ask(found, issuer, token(exp=NOW + 9_999))) == 200
    assert issuer.asked == [OAUTH, JWKS, JWKS]


def test_g7_key_that_the_issuer_has_turned_to_is_found_while_the_old_ones_are_kept() -> None:
    clock, issuer = FixedClock(NOW), Issuer(KEY)
    found = tokens(clock)
    assert status(ask(found, issuer, token())) == 200

    issuer.publish(OTHER_KEY)
    clock.now += 60

    assert status(ask(found, issuer, token(OTHER_KEY))) == 200
    assert status(ask(found, issuer, token(KEY))) == 401  # as soon as the issuer no longer has it
    assert issuer.asked == [OAUTH, JWKS, JWKS]


def test_new_key_is_found_by_a_token_that_names_none() -> None:
    clock = FixedClock(NOW)
    first, second = (Jwk.of({n: v for n, v in key.members.items() if n != "kid"}) for key in (KEY, OTHER_KEY))
    issuer, found = Issuer(first), tokens(clock)
    assert status(ask(found, issuer, token(first))) == 200

    issuer.publish(second)
    clock.now += 60

    assert status(ask(found, issuer, token(second))) == 200


def strange(number: int, **changes: Any) -> str:
    """Return a token that a stranger has made, by a key of a name of its own."""
    return token(Jwk.of({**OTHER_KEY.members, "kid": f"stranger-{number}"}), **changes)


@pytest.mark.parametrize("is_up", [True, False])
def test_g7_flood_of_unknown_keys_makes_us_ask_once_a_minute_and_no_more(is_up: bool) -> None:
    clock, issuer = FixedClock(NOW), Issuer(KEY)
    found = tokens(clock)
    assert status(ask(found, issuer, token())) == 200
    if not is_up:
        issuer.answers.clear()

    for number in range(600):
        assert status(ask(found, issuer, strange(number))) == 401
        assert status(ask(found, issuer, token())) == 200
        clock.now += 0.5

    # Five minutes: once a minute, or twice where it fails.
    assert len(issuer.asked) <= 2 + (5 if is_up else 10)


@pytest.mark.parametrize(
    "changes", [{"iss": "https://other.example"}, {"exp": NOW - 60}, {"typ": "JWT"}, {"nbf": NOW + 99}, {"events": {}}]
)
def test_flood_that_no_key_could_make_good_asks_nothing_at_all(changes: dict[str, Any]) -> None:
    issuer, found = Issuer(KEY), tokens()

    for number in range(20):
        assert status(ask(found, issuer, strange(number, **changes))) == 401

    assert issuer.asked == []


def test_flood_before_any_key_is_known_is_bounded_as_well() -> None:
    clock, issuer = FixedClock(NOW), Issuer()
    issuer.answers.clear()
    found = tokens(clock)

    for number in range(600):
        assert status(ask(found, issuer, strange(number))) == 503
        clock.now += 0.5

    assert len(issuer.asked) <= 3 * 10


def test_g7_keys_outlive_an_issuer_that_is_down_for_an_hour_and_no_longer() -> None:
    clock, issuer = FixedClock(NOW), Issuer(KEY)
    found = tokens(clock)
    assert status(ask(found, issuer, token())) == 200

    there, issuer.answers = issuer.answers, {}
    clock.now = NOW + 3_599
    assert status(ask(found, issuer, token(exp=NOW + 99_999))) == 200
    clock.now = NOW + 3_660
    assert status(ask(found, issuer, token(exp=NOW + 99_999))) == 503
    issuer.answers = there
    clock.now += 30
    assert status(ask(found, issuer, token(exp=NOW + 99_999))) == 200


@pytest.mark.parametrize("url", [OAUTH, JWKS])
def test_g7_page_where_a_document_should_be_takes_no_known_key_away(url: str) -> None:
    clock, issuer = FixedClock(NOW), Issuer(KEY)
    found = tokens(clock)
    assert status(ask(found, issuer, token())) == 200

    issuer.answers[url] = Response(200, (), b"<html>We are back in a minute.</html>")
    clock.now += 120
    assert status(ask(found, issuer, token(OTHER_KEY, "at+jwt"))) == 401
    clock.now += 480  # the keys are to be fetched again

    assert status(ask(found, issuer, token(exp=NOW + 9_999))) == 200


def test_g7_page_at_the_place_of_the_metadata_takes_the_issuer_away_for_half_a_minute() -> None:
    clock, issuer = FixedClock(NOW), Issuer(KEY)
    found = tokens(clock)
    there, issuer.answers[OAUTH] = issuer.answers[OAUTH], Response(200, (), b"<html>Any path has a page.</html>")
    assert status(ask(found, issuer, token())) == 503

    issuer.answers[OAUTH] = there
    clock.advance(FAILED_FOR)

    assert status(ask(found, issuer, token())) == 200


def test_g7_what_is_no_key_set_is_asked_for_again_after_a_minute() -> None:
    clock, issuer = FixedClock(NOW), Issuer(KEY)
    found = tokens(clock)
    issuer.answers[JWKS] = Response(200, (), b"<html>We are back in a minute.</html>")
    assert status(ask(found, issuer, token())) == 503
    assert status(ask(found, issuer, token())) == 503
    assert issuer.asked.count(JWKS) == 1

    issuer.publish(KEY)
    clock.advance(SOONEST_AGAIN)

    assert status(ask(found, issuer, token())) == 200


def test_keys_of_an_issuer_whose_metadata_alone_is_down_are_where_they_were() -> None:
    clock, issuer = FixedClock(NOW), Issuer(KEY)
    found = tokens(clock)
    assert status(ask(found, issuer, token())) == 200

    del issuer.answers[OAUTH]
    clock.now = NOW + 2 * 3_600
    assert status(ask(found, issuer, token(exp=NOW + 99_999))) == 200
    clock.now = NOW + 24 * 3_600
    assert status(ask(found, issuer, token(exp=NOW + 99_999))) == 503


@pytest.mark.parametrize("keys", [set_of([KEY]), set_of([KEY]).decode(), [KEY], [KEY.public]])
def test_given_keys_are_asked_of_nobody(keys: Any) -> None:
    issuer = Issuer()

    assert status(ask(tokens(keys=keys), issuer, token())) == 200
    assert status(ask(tokens(keys=keys), issuer, token(OTHER_KEY))) == 401
    assert issuer.asked == []


def test_place_of_the_keys_may_be_given() -> None:
    issuer = Issuer(KEY)

    assert status(ask(tokens(jwks_uri=JWKS), issuer, token())) == 200
    assert issuer.asked == [JWKS]


@pytest.mark.parametrize("typ", ["JWT", ""])
def test_plain_jwt_is_taken_where_that_is_allowed(typ: str) -> None:
    found = tokens(policy=AllowPlainJwt())

    assert status(ask(found, Issuer(KEY), token(typ=typ))) == 200
    assert status(ask(found, Issuer(KEY), token(typ=typ, aud="https://other.example"))) == 401


@pytest.mark.parametrize("changes", [{"typ": "logout+jwt"}, {"typ": "dpop+jwt"}, {"at_hash": "x"}, {"events": {}}])
def test_what_is_plainly_no_access_token_is_refused_all_the_same(changes: dict[str, Any]) -> None:
    """RFC 8725 section 3.11."""
    assert status(ask(tokens(policy=AllowPlainJwt()), Issuer(KEY), token(**({"typ": "JWT"} | changes)))) == 401


@pytest.mark.parametrize(
    "claims",
    [
        {"cid": "app", "scp": ["read", "write"]},
        {"azp": "app", "scp": "read write"},
        {"appid": "app", "scope": ["read", "write"]},
    ],
)
def test_plain_jwt_may_name_client_and_scope_as_large_issuers_do(claims: dict[str, Any]) -> None:
    plain = {name: value for name, value in CLAIMS.items() if name not in {"client_id", "scope"}} | claims
    presented = sign_claims(plain, KEY, "ES256", "JWT")

    found = ask(tokens(policy=AllowPlainJwt()), Issuer(KEY), presented)

    assert isinstance(found, Access)
    assert (found.client_id, found.scope.text) == ("app", "read write")


@pytest.mark.parametrize("scope", [7, ["read"], None, "read\x7f"])
def test_scope_that_can_not_be_read_is_none(scope: object) -> None:
    assert status(ask(tokens(), Issuer(KEY), token(scope=scope))) == 403


def test_resource_says_whom_its_tokens_are_meant_for() -> None:
    """RFC 9068 section 4."""
    with pytest.raises(ConfigurationError, match="resource"):
        ResourceServer(tokens())

    assert ResourceServer(tokens(), audience="api").metadata_paths == ()
    assert ResourceServer(tokens(), audience=AnyAudience()).metadata_paths == ()


def test_metadata_of_the_resource_names_the_issuer_of_its_tokens() -> None:
    """RFC 9728 section 2."""
    server = ResourceServer(tokens(), resource=RESOURCE)

    answer = run(server.handle(Request("GET", server.metadata_paths[0])), World(MemoryStorage()))

    assert json.loads(answer.body)["authorization_servers"] == [ISSUER]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("algorithms", ["HS256"]),
        ("algorithms", ["none"]),
        ("algorithms", ["ES256", "HS512"]),
        ("algorithms", []),
        ("algorithms", "ES256"),
        ("keys", b""),
        ("keys", "{}"),
        ("keys", b'{"keys": []}'),
        ("keys", []),
        ("jwks_uri", "http://keys.example"),
        ("keys_lifetime", 0),
        ("keys_lifetime", 3_601),
        ("skew", -1),
    ],
)
def test_setting_that_can_not_be_is_refused(setting: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=setting):
        JwtTokens(ISSUER, clock=FixedClock(NOW), **{setting: value})


def test_keys_and_their_place_are_not_both_given() -> None:
    with pytest.raises(ConfigurationError, match="jwks_uri"):
        tokens(keys=[KEY], jwks_uri=JWKS)


@pytest.mark.parametrize(
    "issuer",
    ["http://as.example", "as.example", "https://as.example?a", "https://as.example#a", "https://a@b", "https://["],
)
def test_issuer_that_is_no_url_of_one_is_refused(issuer: str) -> None:
    with pytest.raises(ConfigurationError, match="issuer"):
        JwtTokens(issuer, clock=FixedClock(NOW))


@pytest.mark.filterwarnings("ignore:authlib.jose module is deprecated")
@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_token_that_another_library_has_made_is_taken(alg: str) -> None:
    """Authlib's, by its own cryptography and its own JSON."""
    from authlib.jose import JsonWebKey, jwt

    kind, size = ("EC", "P-256") if alg == "ES256" else ("RSA", 2048)
    key = JsonWebKey.generate_key(kind, size, {"kid": "theirs"}, is_private=True)
    issuer = Issuer()
    issuer.answers[JWKS] = as_json({"keys": [key.as_dict(is_private=False)]})
    made = jwt.encode({"alg": alg, "typ": "at+jwt", "kid": "theirs"}, CLAIMS, key).decode()

    assert isinstance(ask(tokens(), issuer, made), Access)
    assert status(ask(tokens(), Issuer(KEY), made)) == 401
