"""Request objects (OIDC Core section 6, RFC 9101): obeyed, or refused by their own errors."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from oauthcore import Login, Need, Response, Secret, run
from oauthcore.authorization.request_object import REQUEST_OBJECT_TYPE
from oauthcore.authorization.unstored import find_interaction
from oauthcore.documents import FAILED_FOR, FRESH_FOR, SOONEST_AGAIN
from oauthcore.jose import crypto
from oauthcore.jose.compact import MAX_LENGTH
from oauthcore.jose.jwk import Jwk, symmetric
from oauthcore.jose.jwt import Encryption
from oauthcore.jose.registered_claims import SKEW
from oauthcore.openid import OpenID
from oauthcore.records.interaction import AuthorizationRequest
from tests.core.authorization.requesting import (
    KEY,
    NOW,
    OTHER_CALLBACK,
    REQUEST_URI,
    RSA,
    SECRETS,
    Elsewhere,
    claims_of,
    requesting_site,
    send,
    signed,
)
from tests.core.oidc.provider import CALLBACK
from tests.core.signing_keys import key_for
from tests.core.site import Drive, Site, form, handle_of, location, members, params, refused_by_page


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a provider, under each driver."""
    return requesting_site(drive)


def kept(site: Site, response: Response) -> AuthorizationRequest:
    """Return the request that an interaction was started with."""
    interaction = run(find_interaction(Secret(handle_of(response)), site.server.context()), site.world)
    assert interaction is not None, response
    return interaction.request


def error(response: Response, at: str = CALLBACK) -> str:
    """Return the error at the client, and the reason that went to the log."""
    assert response.refusal is not None, response
    assert response.refusal.cause is None, response.refusal.cause
    assert location(response).startswith(f"{at}?"), location(response)
    said = params(response)
    assert said["state"] == "outside" and said["iss"] == "https://as.example"
    return f"{said['error']}: {response.refusal.reason}"


@pytest.mark.parametrize(
    "text",
    [
        signed(),
        signed(key=RSA, alg="RS256"),
        signed(typ=REQUEST_OBJECT_TYPE),
        signed(typ="application/oauth-authz-req+jwt"),
        signed(iss=None),
        signed(aud=None),
        signed(aud=["https://other.example", "https://as.example"]),
        signed(exp=NOW + 10, nbf=NOW, iat=NOW, jti="j"),
        signed(client_id=None, response_type=None, unknown={"is": "ignored"}),
    ],
)
def test_a_request_is_what_its_object_says(site: Site, text: str) -> None:
    asked = kept(site, send(site, request=text, nonce="outside"))

    assert (asked.scope, asked.nonce, asked.state) == ("openid", "n", "inside")
    assert (asked.request, asked.request_uri) == (None, None)


def test_it_is_answered_as_it_was_meant(site: Site) -> None:
    response = send(site, request=signed(redirect_uri=OTHER_CALLBACK))

    answer = site.approve(response)

    assert location(answer).startswith(f"{OTHER_CALLBACK}?code=")
    assert params(answer)["state"] == "inside"


def test_the_redirect_uri_may_be_in_the_object_alone(site: Site) -> None:
    response = send(site, request=signed(redirect_uri=OTHER_CALLBACK), redirect_uri=None, response_type=None)

    assert location(site.approve(response)).startswith(f"{OTHER_CALLBACK}?code=")


def test_a_redirect_uri_in_the_object_is_no_better_registered_for_that(site: Site) -> None:
    assert refused_by_page(send(site, request=signed(redirect_uri="https://evil.example/")), "not registered")


def test_what_stands_outside_alone_counts_in_openid_connect(site: Site) -> None:
    """OIDC Core section 6.1."""
    asked = kept(site, send(site, request=signed(), login_hint="alice", ui_locales="de"))

    assert (asked.login_hint, asked.ui_locales) == ("alice", "de")


@pytest.mark.parametrize(
    ("changes", "typ"), [({}, REQUEST_OBJECT_TYPE), ({"require_signed_request_object": True}, "JWT")]
)
def test_what_stands_outside_alone_is_nothing_in_rfc_9101(drive: Drive, changes: dict[str, Any], typ: str) -> None:
    """RFC 9101 section 6.3: it is not the client's word."""
    site = requesting_site(drive, **changes)
    asked = kept(site, send(site, request=signed(typ=typ), login_hint="mallory", prompt="consent"))

    assert (asked.login_hint, asked.prompt, asked.state) == (None, None, "inside")


def test_a_redirect_uri_that_is_not_signed_does_not_count_either(site: Site) -> None:
    text = signed(typ=REQUEST_OBJECT_TYPE, redirect_uri=None)

    assert refused_by_page(send(site, request=text), "redirect_uri is missing")


def test_values_that_are_no_strings_are_read_as_what_they_are(site: Site) -> None:
    wishes = {"id_token": {"email": {"essential": True}}}
    asked = kept(site, send(site, request=signed(max_age=300, claims=wishes, login_hint=None)))

    assert asked.max_age == "300"
    assert asked.claims is not None and json.loads(asked.claims) == wishes


def test_a_number_and_an_object_are_obeyed(site: Site) -> None:
    stale = Login(subject="alice", auth_time=site.now - 301)
    response = send(site, stale, request=signed(max_age=300))

    pending = site.drive(site.server.interactions.find(handle_of(response), stale), site.world)

    assert pending.need is Need.LOGIN
    refused = send(site, request=signed(claims={"id_token": {"email": 1}}))
    assert params(refused)["error"] == "invalid_request"


def test_a_blank_parameter_in_it_is_an_absent_one(site: Site) -> None:
    assert kept(site, send(site, request=signed(login_hint=""), login_hint="alice")).login_hint == "alice"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "somebody"}, "iss is not the client"),
        ({"aud": "https://other.example"}, "aud is not this server"),
        ({"aud": []}, "aud is not this server"),
        ({"aud": ""}, "aud is not this server"),
        ({"aud": None, "typ": REQUEST_OBJECT_TYPE}, "aud is not this server"),
        ({"aud": {"https://as.example": 1}}, "wrong type"),
        ({"exp": NOW - SKEW}, "has expired"),
        ({"nbf": NOW + SKEW + 1}, "not valid yet"),
        ({"iat": NOW + SKEW + 1}, "in the future"),
        ({"client_id": "by_secret"}, "client_id in the request object"),
        ({"response_type": "id_token"}, "response_type in the request object"),
        ({"request": "x"}, "another one in it"),
        ({"request_uri": REQUEST_URI}, "another one in it"),
        ({"state": 7}, "state in the request object"),
        ({"state": "a\0b"}, "state in the request object"),
        ({"max_age": True}, "max_age in the request object"),
        ({"max_age": 1.5}, "max_age in the request object"),
        ({"max_age": [1]}, "max_age in the request object"),
        ({"claims": ["email"]}, "claims in the request object"),
        ({"scope": ["openid"]}, "scope in the request object"),
        ({"prompt": {"none": 1}}, "prompt in the request object"),
        ({"sub": "rp"}, "sub is the client"),
        ({"typ": "client-authentication+jwt"}, "another kind of JWT"),
        ({"typ": "logout+jwt"}, "another kind of JWT"),
        ({"key": key_for("ES256", 1)}, "none of the keys"),
        ({"key": Jwk.of({**key_for("ES256", 1).members, "kid": KEY.kid})}, "signature is wrong"),
        ({"key": key_for("EdDSA"), "alg": "EdDSA"}, "none of the keys"),
    ],
)
def test_an_object_that_can_not_be_used_is_refused_at_the_client(site: Site, changes: dict[str, Any], why: str) -> None:
    said = error(send(site, request=signed(**changes)))

    assert said.startswith("invalid_request_object: ") and why in said


def test_the_hinted_subject_is_nothing_to_be_told(site: Site) -> None:
    asked = kept(site, send(site, request=signed(hinted_subject="mallory")))

    assert asked.hinted_subject is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"claims": {"id_token": {"email": 1}}}, "invalid_request"),
        ({"scope": "more"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
        ({"max_age": -1}, "invalid_request"),
        ({"registration": {"client_name": "x"}}, "registration_not_supported"),
        ({"display": "hologram"}, "invalid_request"),
    ],
)
def test_what_it_says_is_judged_like_any_other_request(site: Site, changes: dict[str, Any], expected: str) -> None:
    response = send(site, request=signed(**changes))

    assert (params(response)["error"], params(response)["state"]) == (expected, "inside")


def by_hand(header: dict[str, object], claims: str | None = None, signature: bytes = b"") -> str:
    """Put a token together by hand."""
    parts = (json.dumps(header), claims or json.dumps(claims_of()))
    encoded = [base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts]
    return ".".join((*encoded, base64.urlsafe_b64encode(signature).rstrip(b"=").decode()))


@pytest.mark.parametrize("alg", ["none", "None", "nOnE"])
def test_an_unsigned_object_is_not_supported(site: Site, alg: str) -> None:
    """OIDC Core section 6.1 knows `none`; whoever sees a request could write another one."""
    answer = send(site, request=by_hand({"alg": alg}))

    assert params(answer)["error"] == "request_not_supported"


@pytest.mark.parametrize("alg", ["", "HS256", "RS1"])
def test_an_object_is_refused_that_is_not_signed_as_it_has_to_be(site: Site, alg: str) -> None:
    assert "algorithm" in error(send(site, request=by_hand({"alg": alg})))


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_an_hmac_with_the_public_key_is_refused(site: Site, alg: str) -> None:
    """RFC 8725 section 2.1."""
    head = by_hand({"alg": alg, "kid": KEY.kid}).rpartition(".")[0]
    digest = hmac.new(KEY.public.text.encode(), head.encode(), getattr(hashlib, f"sha{alg[2:]}")).digest()

    text = f"{head}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"

    assert "algorithm" in error(send(site, request=text))


@pytest.mark.parametrize(
    "text",
    [
        *(by_hand({"alg": "ES256", member: KEY.public.members}) for member in ("jwk", "jku", "x5u", "x5c")),
        by_hand({"alg": "ES256"}, '{"state": "a", "state": "b"}'),
        by_hand({"alg": "ES256"}, '{"scope": "openid", "scope": "openid profile"}'),
        by_hand({"alg": "ES256", "cty": "JWT"}),
        by_hand({"alg": "ES256", "crit": ["exp"]}),
        by_hand({"alg": "ES256", "kid": "x" * 257}),
        by_hand({"alg": "ES256", "kid": "../../../../dev/null"}),
        by_hand({"alg": "ES256"}, "[" * 4_000),
        by_hand({"alg": "ES256"}, json.dumps(claims_of(state="s" * MAX_LENGTH))),
        signed() + "=",
        signed()[:-4],
        signed().rpartition(".")[0] + ".",
        "a.b.c",
        "..",
        "x",
        "é.é.é",
    ],
)
def test_whatever_else_is_sent_is_refused_and_nothing_breaks(site: Site, text: str) -> None:
    assert error(send(site, request=text)).startswith("invalid_request_object: ")


def test_a_duplicate_parameter_is_refused_though_the_client_signed_it(site: Site) -> None:
    payload = '{"client_id": "rp", "scope": "openid", "scope": "openid offline_access"}'
    head = by_hand({"alg": "ES256", "kid": KEY.kid}, payload).rpartition(".")[0]
    signature = crypto._signature("ES256").sign(head.encode(), crypto._key(KEY))

    text = f"{head}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    assert "each member once" in error(send(site, request=text))


def test_an_encrypted_object_is_refused_for_what_it_is(site: Site) -> None:
    text = crypto.encrypt(
        signed(), Encryption("RSA-OAEP-256", "A128GCM", Jwk.of({**RSA.public.members, "alg": None, "use": None}))
    )

    assert "encrypted" in error(send(site, request=text))


def test_a_registered_algorithm_is_the_only_one(drive: Drive) -> None:
    site = requesting_site(drive, request_object_signing_alg="RS256")

    assert "algorithm" in error(send(site, request=signed()))
    assert kept(site, send(site, request=signed(key=RSA, alg="RS256"))).state == "inside"


def test_an_object_may_be_signed_with_the_secret_where_that_is_registered(site: Site) -> None:
    claims = claims_of(iss="by_secret", client_id="by_secret")
    right = crypto.sign_claims(claims, symmetric(SECRETS["by_secret"].encode()), "HS256")
    wrong = crypto.sign_claims(claims, symmetric(b"x" * 32), "HS256")
    longer = crypto.sign_claims(claims, symmetric(SECRETS["by_secret"].encode() * 2), "HS512")

    assert kept(site, send(site, request=right, client_id="by_secret")).state == "inside"
    assert "signature" in error(send(site, request=wrong, client_id="by_secret"))
    assert "algorithm" in error(send(site, request=longer, client_id="by_secret"))


def test_keys_that_a_client_publishes_are_fetched(drive: Drive) -> None:
    elsewhere = Elsewhere(
        {"https://rp.example/jwks": Response(200, (), json.dumps({"keys": [KEY.public.members]}).encode())}
    )
    site = requesting_site(drive, elsewhere=elsewhere, jwks=None, jwks_uri="https://rp.example/jwks")

    assert kept(site, send(site, request=signed())).state == "inside"
    assert "none of the keys" in error(send(site, request=signed(key=key_for("ES256", 1))))
    assert elsewhere.asked == ["https://rp.example/jwks"]


def test_page_in_the_place_of_a_clients_keys_does_not_replace_them(drive: Drive) -> None:
    """Anybody can name an unknown key, and so choose the moment in which they are fetched again."""
    url = "https://rp.example/jwks"
    elsewhere = Elsewhere({url: Response(200, (), json.dumps({"keys": [KEY.public.members]}).encode())})
    site = requesting_site(drive, elsewhere=elsewhere, jwks=None, jwks_uri=url)
    assert kept(site, send(site, request=signed())).state == "inside"

    for page in (b"<html>Back in a minute.</html>", b'{"keys": []}'):
        elsewhere.answers[url] = Response(200, (), page)
        site.clock.advance(SOONEST_AGAIN)
        assert "none of the keys" in error(send(site, request=signed(key=key_for("ES256", 1))))

        assert kept(site, send(site, request=signed())).state == "inside"
    assert len(elsewhere.asked) == 3


def test_a_client_that_has_to_sign_its_requests_is_refused_without(drive: Drive) -> None:
    """RFC 9101 section 10.5."""
    site = requesting_site(drive, require_signed_request_object=True)

    assert error(send(site)).startswith("invalid_request: the client has to")
    assert kept(site, send(site, request=signed())).state == "inside"


def test_two_ways_at_once_are_refused(site: Site) -> None:
    assert error(send(site, request=signed(), request_uri=REQUEST_URI)).startswith("invalid_request: ")


@pytest.mark.parametrize(
    ("offered", "sent", "expected"),
    [
        ({"request_objects": False}, {"request": signed()}, "request_not_supported"),
        ({"request_uris": False}, {"request_uri": REQUEST_URI}, "request_uri_not_supported"),
    ],
)
def test_what_is_not_offered_is_refused_by_its_own_error(
    drive: Drive, offered: dict[str, Any], sent: dict[str, Any], expected: str
) -> None:
    site = requesting_site(drive, openid=OpenID(**offered))

    assert error(send(site, **sent)).startswith(f"{expected}: ")


@pytest.mark.parametrize("redirect_uri", ["https://evil.example/", None])
def test_without_a_redirect_uri_of_the_client_s_own_the_refusal_is_a_page(site: Site, redirect_uri: str | None) -> None:
    assert refused_by_page(send(site, request="x", redirect_uri=redirect_uri))
    assert refused_by_page(send(site, request_uri="https://evil.example/", redirect_uri=redirect_uri))


def test_an_unknown_client_has_nothing_fetched(drive: Drive) -> None:
    elsewhere = Elsewhere()
    site = requesting_site(drive, elsewhere=elsewhere, enabled=False)

    assert refused_by_page(send(site, request_uri=REQUEST_URI), "disabled")
    assert refused_by_page(send(site, request_uri=REQUEST_URI, client_id="nobody"), "unknown")
    assert elsewhere.asked == []


def published(text: str | bytes) -> Elsewhere:
    """Return a server that has an object."""
    body = text if isinstance(text, bytes) else text.encode()
    return Elsewhere({REQUEST_URI: Response(200, (), body), "https://rp.example/hashed.jwt": Response(200, (), body)})


def test_an_object_is_fetched_once_however_often_the_person_is_asked(drive: Drive) -> None:
    elsewhere = published(signed(prompt="login consent") + "\n")
    site = requesting_site(drive, elsewhere=elsewhere)

    response = send(site, site.alice, request_uri=REQUEST_URI)
    elsewhere.answers.clear()
    site.clock.advance(10 * SOONEST_AGAIN)
    answer = site.approve(response)

    assert params(answer)["state"] == "inside" and "code" in params(answer)
    assert elsewhere.asked == [REQUEST_URI]


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/request.jwt",
        "https://rp.example/request.jwt?",
        "https://rp.example/request.jwt/../other",
        "https://RP.example/request.jwt",
        "http://rp.example/request.jwt",
        "https://rp.example:8443/request.jwt",
        "https://user@rp.example/request.jwt",
        "urn:ietf:params:oauth:request_uri:x",
        "file:///etc/passwd",
        "https://169.254.169.254/latest/meta-data",
        "#" + REQUEST_URI,
    ],
)
def test_nothing_is_fetched_that_is_not_registered(drive: Drive, uri: str) -> None:
    elsewhere = published(signed())
    site = requesting_site(drive, elsewhere=elsewhere)

    assert error(send(site, request_uri=uri)).startswith("invalid_request_uri: ")
    assert elsewhere.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        OSError("down"),
        TimeoutError("slow"),
        Response(404),
        Response(500),
        Response(302, (("Location", REQUEST_URI),)),
        Response(200, (), b"<html>Back in a minute.</html>"),
    ],
)
def test_an_object_that_can_not_be_had_is_refused_and_may_be_had_later(
    drive: Drive, answer: Response | Exception
) -> None:
    elsewhere = Elsewhere({REQUEST_URI: answer})
    site = requesting_site(drive, elsewhere=elsewhere)

    for _ in range(3):
        assert error(send(site, request_uri=REQUEST_URI)).startswith("invalid_request_uri: ")
    assert elsewhere.asked == [REQUEST_URI]

    elsewhere.answers[REQUEST_URI] = Response(200, (), signed().encode())
    site.clock.advance(FAILED_FOR)
    assert kept(site, send(site, request_uri=REQUEST_URI)).state == "inside"


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"<html>", b"x" * 20_000, b"a.b.c", b"x" * 10_000_000])
def test_what_is_no_object_is_refused(drive: Drive, body: bytes) -> None:
    site = requesting_site(drive, elsewhere=published(body))

    assert error(send(site, request_uri=REQUEST_URI)).startswith("invalid_request_")


def test_without_a_hash_an_object_is_fetched_again_soon(drive: Drive) -> None:
    elsewhere = published(signed())
    site = requesting_site(drive, elsewhere=elsewhere)
    assert kept(site, send(site, request_uri=REQUEST_URI)).state == "inside"

    elsewhere.answers = published(signed(state="later")).answers
    assert kept(site, send(site, request_uri=f"{REQUEST_URI}#v2")).state == "inside"
    site.clock.advance(SOONEST_AGAIN)
    assert kept(site, send(site, request_uri=REQUEST_URI)).state == "later"
    assert elsewhere.asked == [REQUEST_URI, REQUEST_URI]


def hashed(text: str) -> str:
    """Return the URI of an object with its hash."""
    digest = hashlib.sha256(text.encode()).digest()
    return "https://rp.example/hashed.jwt#" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_with_its_hash_an_object_is_kept_until_the_hash_changes(drive: Drive) -> None:
    """OIDC Core section 6.2."""
    old, new = signed(), signed(state="new")
    elsewhere = published(old)
    site = requesting_site(drive, elsewhere=elsewhere)
    assert kept(site, send(site, request_uri=hashed(old))).state == "inside"

    elsewhere.answers = published(new).answers
    site.clock.advance(FRESH_FOR - 1)
    assert kept(site, send(site, request_uri=hashed(old))).state == "inside"
    assert elsewhere.asked == ["https://rp.example/hashed.jwt"]
    assert kept(site, send(site, request_uri=hashed(new))).state == "new"
    assert elsewhere.asked == 2 * ["https://rp.example/hashed.jwt"]


def test_what_has_another_hash_is_refused_and_hammers_nobody(drive: Drive) -> None:
    elsewhere = published(signed())
    site = requesting_site(drive, elsewhere=elsewhere)

    for number in range(5):
        said = error(send(site, request_uri=hashed(f"{number}")))
        assert said.startswith("invalid_request_uri: ") and "hash" in said
    assert elsewhere.asked == ["https://rp.example/hashed.jwt"]


def test_an_object_is_obeyed_by_post_as_well(site: Site) -> None:
    body = form(client_id="rp", redirect_uri=CALLBACK, request=signed())

    assert "interaction" in params(site.get(location(site.post("/authorize", body))))


def test_discovery_says_what_is_taken() -> None:
    document = members(requesting_site().get("/.well-known/openid-configuration"))
    nothing = OpenID(request_objects=False, request_uris=False)
    silent = members(requesting_site(openid=nothing).get("/.well-known/openid-configuration"))

    assert document["request_parameter_supported"] is document["request_uri_parameter_supported"] is True
    assert document["require_request_uri_registration"] is True
    algorithms = document["request_object_signing_alg_values_supported"]
    assert {"RS256", "ES256", "EdDSA", "HS256"} <= set(algorithms) and "none" not in algorithms
    assert silent["request_parameter_supported"] is silent["request_uri_parameter_supported"] is False
    assert "request_object_signing_alg_values_supported" not in silent
