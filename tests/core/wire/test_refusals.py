"""Errors as responses: what a client reads of them beside the code (RFC 6749 section 5.2)."""

from __future__ import annotations

import pytest

from oauthcore import Response
from oauthcore.errors import InvalidClient, InvalidGrant, InvalidRequest, InvalidToken
from oauthcore.flow.effects import Flow
from oauthcore.flow.outcome import Outcome
from oauthcore.resource.bearer import Challenge
from oauthcore.scope import Scope
from oauthcore.wire.refusals import refuse_as_json
from tests.core.site import basic, form, make_site, members

ISSUER = "https://as.example"


def headers_named(response: Response, name: str) -> list[str]:
    """Return the values of all headers of that name."""
    return [value for key, value in response.headers if key.lower() == name]


def test_headers_of_an_error_are_in_its_answer() -> None:
    """RFC 9449 section 8: a nonce is told beside the error that asks for it."""
    error = InvalidRequest("a nonce is needed").with_header("DPoP-Nonce", "n-0S6").with_header("X-Tried", "1")

    response = refuse_as_json(error, ISSUER)

    assert response.headers[-2:] == (("DPoP-Nonce", "n-0S6"), ("X-Tried", "1"))
    assert members(response)["error"] == "invalid_request"


def test_an_error_of_the_same_class_has_none_of_another_ones_headers() -> None:
    InvalidRequest("one").with_header("DPoP-Nonce", "n")

    assert InvalidRequest("another").headers == ()


def test_a_challenge_of_the_errors_own_takes_the_place_of_the_usual_one() -> None:
    """RFC 6749 section 5.2: the challenge matches the scheme that the client used."""
    plain, own = InvalidClient("who?"), InvalidClient("who?").with_header("www-authenticate", 'DPoP algs="ES256"')

    assert headers_named(refuse_as_json(plain, ISSUER), "www-authenticate")[0].startswith("Basic ")
    assert headers_named(refuse_as_json(own, ISSUER), "www-authenticate") == ['DPoP algs="ES256"']


def test_a_resource_tells_the_headers_of_an_error_and_all_of_its_challenges() -> None:
    """RFC 9110 section 11.6.1: who takes two schemes has a challenge for each."""
    challenge = Challenge(ISSUER)
    error = InvalidToken("bound").with_header("WWW-Authenticate", "DPoP").with_header("WWW-Authenticate", "Bearer")

    bound = challenge.refuse(error.with_header("DPoP-Nonce", "n"), Scope())
    plain = challenge.refuse(InvalidToken("gone").with_header("DPoP-Nonce", "n"), Scope())

    assert headers_named(bound, "www-authenticate") == ["DPoP", "Bearer"]
    assert headers_named(plain, "www-authenticate")[0].startswith("Bearer realm=")
    assert headers_named(bound, "dpop-nonce") == headers_named(plain, "dpop-nonce") == ["n"]


def test_a_grant_tells_a_client_headers_beside_its_error() -> None:
    def nonce_needed(*_: object) -> Flow[Outcome]:
        raise InvalidGrant("no nonce").with_header("DPoP-Nonce", "fresh")

    site = make_site(grants={"client_credentials": nonce_needed})

    response = site.post("/token", form(grant_type="client_credentials"), basic("confidential", "confidential-secret"))

    assert (response.status, headers_named(response, "dpop-nonce")) == (400, ["fresh"])


@pytest.mark.parametrize("name", ["", "Two Words", "Name:", "N\n", "Kopf\u00fc", "Content-Length", "cache-CONTROL"])
def test_a_name_that_no_header_of_an_error_can_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        InvalidGrant("why").with_header(name, "value")


@pytest.mark.parametrize("value", ["", " n", "n ", "n\r\nSet-Cookie: a=b", "n\n", "\u00fc", "a\x7f", "a\tb", "\0"])
def test_a_value_that_no_header_can_have_is_refused(value: str) -> None:
    """Else whoever can have a word put into it writes headers of their own (RFC 9110 section 5.5)."""
    with pytest.raises(ValueError, match="value"):
        InvalidGrant("why").with_header("DPoP-Nonce", value)


def test_a_header_that_cant_be_is_a_bug_of_ours_and_never_half_an_answer() -> None:
    def broken(*_: object) -> Flow[Outcome]:
        raise InvalidGrant("why").with_header("DPoP-Nonce", "n\r\nX: y")

    site = make_site(grants={"client_credentials": broken})

    response = site.post("/token", form(grant_type="client_credentials"), basic("confidential", "confidential-secret"))

    assert (response.status, headers_named(response, "dpop-nonce")) == (500, [])
