"""Numbers from strangers, wherever JSON of theirs is read: refused as what they are, and never a failure of ours."""

from __future__ import annotations

import base64
import json
from urllib.parse import urlencode

import pytest

from oauthcore import Request, Response, run
from oauthcore.authorization.requested_access import essential_acr, wanted_subjects
from oauthcore.clients.assertion import ASSERTION_TYPE
from oauthcore.documents import Document
from oauthcore.errors import InvalidRequest
from oauthcore.jose.compact import InvalidJwt, read_claims
from oauthcore.jose.jwk import parse_set
from oauthcore.oidc.claims_request import Wanted, parse_claims
from oauthcore.trace import Recorder, Trace
from tests.core.authorization.requesting import claims_of, requesting_site, send
from tests.core.jose.test_hostile_tokens import signed
from tests.core.oidc.provider import provider
from tests.core.site import Site, form, members, params

# As they are spelled: what `json` makes of them is an infinity, an integer without an end, or what is no number at all.
BEYOND_NUMBERS = ["1e400", "-1e400", "1e999999999", "9" * 400, "-" + "9" * 400, "1" + "0" * 5_000, "NaN", "Infinity"]
BEYOND_TIME = ["1e300", "-1e300", "1e18", "9" * 18, str(2**64 - 1), str(-(2**63))]
NO_NUMBERS = ["true", "false", '"1800000300"', "[]", "{}", "[1800000300]"]
EVERYTHING = [*BEYOND_NUMBERS, *BEYOND_TIME, *NO_NUMBERS, "-0", "-0.0", "0e400", "1e-400"]


def short(text: str) -> str:
    return text[:12]


def b64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def token_with(claim: str, number: str) -> str:
    """Return a token that nobody signed, with a claim as it is spelled."""
    claims = json.dumps({"iss": "rp", "sub": "rp", "jti": "j", "aud": "https://as.example", claim: "NUMBER"})
    payload = claims.replace('"NUMBER"', number)
    return ".".join((b64('{"alg": "RS256"}'), b64(payload), "AAAA"))


def answered(response: Response, site: Site) -> Response:
    """Return an answer that no failure of ours stands behind."""
    assert response.status < 500, response.refusal
    assert response.refusal is None or response.refusal.cause is None
    return response


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat", "anything"])
@pytest.mark.parametrize("number", EVERYTHING, ids=short)
def test_a_client_assertion_is_refused_as_one_that_proves_nothing(claim: str, number: str) -> None:
    site = provider()
    body = form(
        grant_type="authorization_code",
        code="x",
        client_assertion=token_with(claim, number),
        client_assertion_type=ASSERTION_TYPE,
    )

    assert members(answered(site.post("/token", body), site))["error"] == "invalid_client"


@pytest.mark.parametrize("number", EVERYTHING, ids=short)
@pytest.mark.parametrize("path", ["/authorize", "/end-session"])
def test_an_id_token_hint_is_none_of_ours(path: str, number: str) -> None:
    site = provider()
    query = urlencode({"client_id": "rp", "id_token_hint": token_with("exp", number), "response_type": "code"})

    answered(site.get(f"{path}?{query}"), site)


@pytest.mark.parametrize("number", EVERYTHING, ids=short)
def test_a_bearer_token_is_unknown(number: str) -> None:
    site = provider()

    bearer = ("Authorization", f"Bearer {token_with('exp', number)}")
    refused = site.handle(Request("GET", "/userinfo", (bearer,)))

    assert answered(refused, site).status == 401


@pytest.mark.parametrize("number", [*BEYOND_NUMBERS, *NO_NUMBERS[:2]], ids=short)
def test_the_claims_parameter_asks_for_no_such_number(number: str) -> None:
    for text in (
        f'{{"id_token": {{"sub": {{"value": {number}}}}}}}',
        f'{{"id_token": {{"acr": {{"essential": true, "values": [{number}]}}}}}}',
    ):
        with pytest.raises(InvalidRequest):
            _ = (
                wanted_subjects(None, parse_claims(text)),
                essential_acr(parse_claims(text)),
            )


@pytest.mark.parametrize(("asked", "known"), [(1, True), (0, False), (True, 1), ([1], [True]), ({"a": 1}, {"a": True})])
def test_a_claim_that_is_asked_to_be_a_number_is_not_one_that_is_true(asked: object, known: object) -> None:
    assert Wanted(values=(asked,)).accepts(known) is False
    assert Wanted(values=(asked,)).accepts(asked) is True


@pytest.mark.parametrize(
    "number", ["1e400", "9" * 400, "true", "-1", "-0.0", "1.5", "1e3", '"\\u0661"', "[1]"], ids=short
)
def test_a_request_objects_max_age_is_a_number_of_seconds_or_refused(number: str) -> None:
    site = requesting_site()
    spelled = json.dumps(claims_of(max_age="MAX_AGE")).replace('"MAX_AGE"', number)

    response = answered(send(site, request=signed({}, spelled)), site)

    assert params(response)["error"] in {"invalid_request_object", "invalid_request"}


@pytest.mark.parametrize("number", BEYOND_NUMBERS, ids=short)
def test_a_key_set_and_a_document_have_no_such_number(number: str) -> None:
    body = f'{{"keys": [], "x": {number}}}'.encode()

    with pytest.raises(ValueError, match=r"."):
        parse_set(body)
    assert Document("https://a.example", body, 0).members() is None


@pytest.mark.parametrize("number", [*EVERYTHING, "null"], ids=short)
def test_a_payload_is_read_or_refused(number: str) -> None:
    for name in ("exp", "nbf", "iat", "iss", "aud"):
        try:
            claims = read_claims(f'{{"{name}": {number}}}'.encode())
        except InvalidJwt:
            continue
        assert int(claims["exp"]) < 2**53 if "exp" in claims else True  # type: ignore[call-overload]  # was checked


@pytest.mark.parametrize("number", [*BEYOND_NUMBERS, "true"], ids=short)
def test_a_traces_clock_is_a_clock(number: str) -> None:
    traces: list[Trace] = []
    site = provider()
    run(Recorder(traces.append).recorded(site.server).handle(Request("GET", "/jwks")), site.world)
    members = json.loads(traces[0].dump())
    assert members["clock"]

    spelled = json.dumps(members | {"clock": ["CLOCK"]}).replace('"CLOCK"', number)

    with pytest.raises(ValueError, match=r"not a trace"):
        Trace.load(spelled)
