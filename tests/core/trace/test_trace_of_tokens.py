"""A request that hangs on a signature, or on what another server publishes, is recorded and decided again as it was."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import attrs
import pytest

from oauthcore import Request, Response, World
from oauthcore.jose.compact import MAX_LENGTH, Flaw
from oauthcore.records.key_ring import KeyRing
from oauthcore.signing.key_ring import KeyPolicy
from oauthcore.signing.keys import GivenKeys
from oauthcore.testing import Outage
from oauthcore.trace import Replayed, Trace, replay
from oauthcore.trace.jwts import flaw_of
from oauthcore.trace.placeholders import Placeholders
from oauthcore.trace.redaction import redacted_document, stand_in_for_token
from tests.core.authorization import requesting
from tests.core.authorization.requesting import REQUEST_URI, Elsewhere, requesting_site
from tests.core.clients.asserting import (
    JWKS_URI,
    KEY,
    PUBLISHING,
    SHARED,
    Publisher,
    asserting_site,
    assertion,
    body,
    mac,
)
from tests.core.oidc.provider import CALLBACK, RP, provider
from tests.core.signing_keys import RSA_2048, key_for
from tests.core.site import FORM, VERIFIER, Site, basic, form, location, make_site, members
from tests.core.trace.test_trace import Traced, jwt_like


def listened(site: Site) -> Traced:
    """Listen to a site."""
    return Traced(site.server, site.world, site.clock, site.drive, site.events)


def again(site: Traced, status: int, *, without: str = "") -> Replayed:
    """Play the last request again, which was answered so, and whose trace does not hold that."""
    text = site.traces[-1].dump()
    assert site.traces[-1].response["status"] == status, site.traces[-1].response
    assert not without or without not in text
    return replay(Trace.load(text))


def signature_of(token: str) -> str:
    """Return what may not be in a trace."""
    return token.rpartition(".")[2]


def signing_provider(**settings: Any) -> tuple[Traced, str]:
    """Make a provider that signs, and give it with an access token of its own."""
    client = attrs.evolve(RP, access_token_format="jwt")
    site = provider(**{"keys": KeyPolicy(), "clients": (client,), "secrets": {"rp": "rp-secret"}, **settings})
    site.world = attrs.evolve(site.world, sign=World(site.world.storage).sign)
    traced = listened(site)
    begun = traced.authorize(None, client_id="rp", redirect_uri=CALLBACK, scope="openid")
    code = location(traced.approve(begun)).partition("code=")[2].partition("&")[0]
    sent = form(grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=VERIFIER)
    token = members(traced.post("/token", sent, basic("rp", "rp-secret")))["access_token"]
    assert token.count(".") == 2
    return traced, token


@pytest.mark.parametrize("keys", [KeyPolicy(), GivenKeys([key_for("RS256")])])
def test_a_signed_access_token_is_known_again_and_a_forged_one_too(keys: KeyPolicy | GivenKeys) -> None:
    site, token = signing_provider(keys=keys)
    head, _, signature = token.rpartition(".")
    forged = f"{head}.{signature[:-6]}AAAAAA"

    site.handle(Request("GET", "/userinfo", (("Authorization", f"Bearer {token}"),)))
    assert again(site, 200, without=signature).is_same
    assert [flaw for _, flaw in site.traces[-1].verified] == [None]

    site.handle(Request("GET", "/userinfo", (("Authorization", f"Bearer {forged}"),)))
    assert again(site, 401, without=signature_of(forged)).is_same
    assert [flaw for _, flaw in site.traces[-1].verified] == ["SIGNATURE"]

    site.post("/introspect", form(token=token), basic("rp", "rp-secret"))
    assert again(site, 200, without=signature).is_same


def test_an_id_token_that_comes_back_is_known_again() -> None:
    site, _ = signing_provider()
    begun = site.authorize(None, client_id="rp", redirect_uri=CALLBACK, scope="openid", nonce="a nonce")
    code = location(site.approve(begun)).partition("code=")[2].partition("&")[0]
    sent = form(grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=VERIFIER)
    hint = members(site.post("/token", sent, basic("rp", "rp-secret")))["id_token"]

    site.authorize(site.alice, client_id="rp", redirect_uri=CALLBACK, scope="openid", id_token_hint=hint, prompt="none")
    assert again(site, 303, without=signature_of(hint)).is_same
    broken = hint[:-4] + "AAAA"
    site.authorize(
        site.alice, client_id="rp", redirect_uri=CALLBACK, scope="openid", id_token_hint=broken, prompt="none"
    )
    refused = again(site, 303, without=hint[:-4])
    assert refused.is_same
    assert refused.response.refusal is not None
    assert "id_token_hint is no ID token" in refused.response.refusal.reason
    site.get("/end-session?" + form(id_token_hint=hint, client_id="rp").decode())
    assert again(site, 303, without=signature_of(hint)).is_same


def test_the_keys_of_a_client_are_told_again_whether_they_had_to_be_fetched_or_not() -> None:
    publisher = Publisher([KEY])
    site = listened(asserting_site(publisher=publisher))

    for number in ("fetched", "known"):
        text = assertion("publishing", jti=number)
        site.post("/token", body(text))
        assert again(site, 200, without=signature_of(text)).is_same
    assert publisher.asked == [JWKS_URI]
    fetched, known = site.traces
    assert [document is None for _, document in fetched.documents] == [True, False]
    assert [document is None for _, document in known.documents] == [False]
    text = assertion("publishing", key=key_for("ES256", 1), jti="another key")
    site.post("/token", body(text))
    assert again(site, 401, without=signature_of(text)).is_same


def test_what_other_servers_did_not_say_is_not_said_again() -> None:
    site = listened(asserting_site(publisher=Publisher([KEY], answer=OSError("down"))))

    for number in ("failed", "remembered as failed"):
        site.post("/token", body(assertion("publishing", jti=number)))
        assert again(site, 401).is_same


def test_a_client_that_signs_by_its_secret_is_known_again_without_the_secret() -> None:
    site = listened(asserting_site())

    site.post("/token", body(mac()))
    assert again(site, 200, without=signature_of(mac())).is_same
    site.post("/token", body(mac("another secret" * 5, jti="j2")))
    assert again(site, 401).is_same


def test_a_request_object_is_obeyed_again_by_value_and_by_reference() -> None:
    text = requesting.signed(login_hint="a hint that is long enough", claims={"id_token": {"acr": {"values": ["a"]}}})
    content = text.encode() + b"\n"
    fragment = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    site = listened(requesting_site(elsewhere=Elsewhere({REQUEST_URI: Response(200, (), content)})))

    for parameters in (
        {"request": text},
        {"request_uri": REQUEST_URI},
        {"request_uri": f"{REQUEST_URI}#{fragment}"},
        {"request_uri": f"{REQUEST_URI}#{fragment[::-1]}"},
    ):
        requesting.send(site, site.alice, **parameters)
        assert again(site, 303, without=signature_of(text)).differences == ()
        assert "a hint that is long enough" not in site.traces[-1].dump()
    assert "another hash than the fragment says" in site.traces[-1].response["refusal"]["reason"]


def test_where_a_request_object_is_may_have_a_secret_in_it() -> None:
    uri = "https://rp.example/request.jwt?key=a-key-of-some-length&n=1"
    elsewhere = Elsewhere({uri: Response(200, (), requesting.signed().encode())})
    site = listened(requesting_site(elsewhere=elsewhere, request_uris=(uri,)))

    requesting.send(site, request_uri=uri)
    assert again(site, 303, without="a-key-of-some-length").is_same
    requesting.send(site)
    assert again(site, 303, without="a-key-of-some-length").is_same
    assert elsewhere.asked == [uri]


def test_where_keys_are_may_have_a_secret_in_it_whether_they_are_fetched_or_not() -> None:
    uri = "https://publishing.example/jwks?key=a-key-of-some-length"
    site = listened(asserting_site(clients=(attrs.evolve(PUBLISHING, jwks_uri=uri),)))

    for number in ("fetched", "known"):
        site.post("/token", body(assertion("publishing", jti=number)))
        assert again(site, 200, without="a-key-of-some-length").is_same


def test_of_a_sealed_secret_not_even_the_length_is_in_a_trace() -> None:
    lengths = set()
    for secret in ("s" * 32, "s" * 64):
        site = listened(make_site(clients=(SHARED,), secrets={"shared": secret}))
        site.post("/token", body(mac(secret)))
        assert again(site, 200).is_same
        found = next(step.answer for step in site.traces[-1].steps if "Client" in str(step.effect))
        lengths.add(len(found["fields"]["secrets"][0]["fields"]["sealed"]))

    assert lengths == {43}


@pytest.mark.parametrize("state", ["https://rp.example/back?csrf=a-secret-of-some-length", "http://a", "a.b.c"])
def test_a_state_may_look_like_anything(state: str) -> None:
    site = listened(requesting_site())

    requesting.send(site, site.alice, request=requesting.signed(state=state, login_hint=state))

    assert again(site, 303, without=state if len(state) > 16 else "").is_same


def broken(header: object = None, payload: object = None) -> str:
    """Return a token with something wrong in it."""
    return jwt_like(*(part if part is not None else usual for part, usual in ((header, HEADER), (payload, {}))))  # type: ignore[arg-type]  # it is to be wrong


HEADER = {"alg": "ES256"}
BROKEN: dict[Flaw | None, str] = {
    None: broken(),
    Flaw.NOT_COMPACT: "a.b.c.d.e.f.g-and-more",
    Flaw.NOT_BASE64URL: broken() + "=",
    Flaw.HEADER_NOT_JSON: broken('{"alg": "ES256", "alg": "none"}'),
    Flaw.CLAIMS_NOT_JSON: broken(None, '{"a": 1, "a": 2}'),
    Flaw.HEADER_TYPE: broken({"alg": 7}),
    Flaw.OWN_KEY: broken({**HEADER, "jwk": {"kty": "oct", "k": "AAAA"}}),
    Flaw.CRITICAL: broken({**HEADER, "crit": ["b64"], "b64": False}),
    Flaw.NESTED: broken({**HEADER, "cty": "JWT"}),
    Flaw.CLAIM_TYPE: broken(None, {"exp": "soon"}),
    Flaw.TOO_LARGE: broken(None, {"a": "b" * MAX_LENGTH}),
}


@pytest.mark.parametrize("flaw", BROKEN)
def test_what_is_wrong_with_a_token_is_wrong_with_its_stand_in(flaw: Flaw | None) -> None:
    text = BROKEN[flaw]
    placeholders = Placeholders()

    stand_in = stand_in_for_token(text, placeholders)

    assert flaw_of(text) is flaw
    assert flaw_of(stand_in) is flaw
    assert stand_in != text
    assert stand_in_for_token(text, placeholders) == stand_in
    assert stand_in_for_token(stand_in, placeholders) == stand_in


def test_two_tokens_that_say_the_same_stay_two() -> None:
    placeholders = Placeholders()
    one, other = assertion(), assertion()

    assert one != other
    assert stand_in_for_token(one, placeholders) != stand_in_for_token(other, placeholders)


@pytest.mark.parametrize("text", ["no token", "a.b", "a.b.c", "é.é.é", "..", "a" * 20_000, "=.=.="])
def test_whatever_stands_for_what_is_no_token_is_none_either(text: str) -> None:
    stand_in = stand_in_for_token(text, Placeholders())

    assert flaw_of(stand_in) is flaw_of(text) is not None
    assert stand_in != text or not set(text) & set("abcdefghijklmnopqrstuvwxyz")


def test_a_public_key_is_kept_and_a_private_one_is_not() -> None:
    public = {name: RSA_2048[name] for name in ("kty", "n", "e")}
    text = json.dumps({"keys": [public, RSA_2048]}).encode()

    (kept, redacted) = json.loads(redacted_document(text, Placeholders()))["keys"]

    assert kept == public
    assert all(redacted[name] != RSA_2048[name] for name in RSA_2048.keys() - {"kty"})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b'{"keys": [], "a": ' + b"[" * 700 + b"]" * 700 + b"}",
        b"[",
        b"{",
        b'{"keys": 1, "keys": 2}',
        b"\xff\xfe",
        b"some text",
        b"[" * 10_000,
    ],
)
def test_a_document_that_is_none_is_none_again(content: bytes) -> None:
    site = listened(asserting_site(publisher=Publisher([], answer=Response(200, (), content))))

    site.post("/token", body(assertion("publishing")))

    assert again(site, 401).is_same


def test_no_private_key_is_in_a_trace_though_it_was_made_on_the_way() -> None:
    site = listened(provider(keys=KeyPolicy(algorithms=("RS256", "ES256"))))
    site.world = attrs.evolve(
        site.world, sign=World(site.world.storage).sign, generate_key=World(site.world.storage).generate_key
    )

    answered = site.get("/jwks")

    ring = site.world.storage.find(KeyRing, "https://as.example")
    assert ring is not None
    text = site.traces[-1].dump()
    assert all(key.private is not None and key.private not in text for key in ring.keys)
    assert "KeyRing" not in text
    played = again(site, 200)
    assert played.is_same
    assert played.response.body == answered.body


@pytest.mark.parametrize(
    ("request_", "at"),
    [
        (Request("GET", "/jwks"), 0),
        (Request("GET", "/userinfo", (("Authorization", "Bearer a.b.c"),)), 0),
        (Request("POST", "/token", (FORM, basic("rp", "rp-secret")), form(grant_type="client_credentials")), 1),
    ],
)
def test_keys_that_could_not_be_had_can_not_be_had_again(request_: Request, at: int) -> None:
    client = attrs.evolve(RP, access_token_format="jwt", grant_types=("client_credentials",), response_types=())
    site = listened(provider(keys=KeyPolicy(), clients=(client,), secrets={"rp": "rp-secret"}))
    site.world = attrs.evolve(site.world, storage=Outage(site.world.storage, at))

    site.handle(request_)

    assert again(site, 503).differences == ()


def test_keys_that_are_sealed_under_another_token_key_are_a_bug_again() -> None:
    site, token = signing_provider()
    other = listened(
        provider(keys=KeyPolicy(), clients=(RP,), secrets={"rp": "rp-secret"}, token_key=bytes(range(1, 33)))
    )
    other.world = attrs.evolve(other.world, storage=site.world.storage, sign=World(site.world.storage).sign)

    other.handle(Request("GET", "/userinfo", (("Authorization", f"Bearer {token}"),)))

    assert again(other, 500).is_same


def test_a_verdict_that_is_another_is_another_decision() -> None:
    site, token = signing_provider()
    site.handle(Request("GET", "/userinfo", (("Authorization", f"Bearer {token}"),)))
    trace = site.traces[-1]
    ((stand_in, _),) = trace.verified

    forged = replay(attrs.evolve(trace, verified=[(stand_in, "SIGNATURE")]))
    nobody = replay(attrs.evolve(trace, verified=[]))
    keyless = replay(attrs.evolve(trace, keys=[]))

    assert "status: 401; recorded: 200" in forged.differences
    assert "it verified a token that was not verified in the recording" in nobody.differences
    assert "status: 503; recorded: 200" in keyless.differences


def test_a_signature_that_was_not_asked_for_before_can_not_be_had() -> None:
    site, _ = signing_provider()
    (trace,) = (trace for trace in site.traces if trace.signed)

    unsigned = replay(attrs.evolve(trace, signed=[]))

    assert "status: 503; recorded: 200" in unsigned.differences
