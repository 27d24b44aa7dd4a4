"""`client_secret_basic` (RFC 6749 section 2.3.1, RFC 7617)."""

from __future__ import annotations

import base64

import pytest

from oauthcore import Client, Request, Secret
from oauthcore.clients.client_secret_basic import read_basic
from oauthcore.errors import InvalidClient, InvalidRequest
from tests.core.site import form, make_site


def header(text: str | bytes, scheme: str = "Basic") -> Request:
    """Return a request with these credentials."""
    raw = text.encode() if isinstance(text, str) else text
    return Request("POST", "/token", (("Authorization", f"{scheme} {base64.b64encode(raw).decode()}"),))


def test_an_identifier_and_a_secret_are_read() -> None:
    presented = read_basic(header("client:secret"))

    assert presented is not None
    assert presented.method == "client_secret_basic"
    assert presented.client_ids == ("client",)
    assert presented.secrets == (Secret("secret"),)


def test_without_the_header_nothing_is_presented() -> None:
    assert read_basic(Request("POST", "/token")) is None


def test_percent_encoding_is_undone_first_and_the_raw_reading_is_kept() -> None:
    presented = read_basic(header("a%3Ab:p%40ss+word"))

    assert presented is not None
    assert presented.client_ids == ("a:b", "a%3Ab")
    assert presented.secrets == (Secret("p@ss word"), Secret("p%40ss+word"))


def test_a_secret_may_have_colons() -> None:
    presented = read_basic(header("client:a:b"))

    assert presented is not None and presented.secrets == (Secret("a:b"),)


def test_it_is_utf8() -> None:
    """RFC 7617 section 2.1."""
    presented = read_basic(header("clïent:sécret"))

    assert presented is not None and presented.client_ids == ("clïent",)


def test_an_escape_of_no_utf8_is_taken_raw() -> None:
    presented = read_basic(header("client:100%ff"))

    assert presented is not None and presented.secrets == (Secret("100%ff"),)


def test_an_escaped_nul_is_taken_raw() -> None:
    presented = read_basic(header("client:a%00"))

    assert presented is not None and presented.secrets == (Secret("a%00"),)


@pytest.mark.parametrize("scheme", ["basic", "BASIC", "bAsIc"])
def test_the_scheme_is_matched_in_any_case(scheme: str) -> None:
    """RFC 9110 section 11.1."""
    assert read_basic(header("client:secret", scheme)) is not None


@pytest.mark.parametrize("text", ["client", ":secret", "client:", ":", "", "a\0:b", b"\xff:\xff"])
def test_half_of_it_is_none(text: str | bytes) -> None:
    with pytest.raises(InvalidClient):
        read_basic(header(text))


@pytest.mark.parametrize("value", ["Bearer abc", "Basic", "Basic a", "Basic ????", "Basic Y2xpZW50OnNlY3JldA", ""])
def test_what_is_no_basic_is_refused(value: str) -> None:
    with pytest.raises(InvalidClient):
        read_basic(Request("POST", "/token", (("Authorization", value),)))


def test_two_headers_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="repeated"):
        read_basic(Request("POST", "/token", (("Authorization", "Basic YTpi"), ("Authorization", "Basic YTpi"))))


@pytest.mark.parametrize("sent", ["p%40ss+w%2Brd%25", "p@ss w+rd%"])
def test_real_clients_that_encode_and_that_do_not_both_get_in(sent: str) -> None:
    client = Client(client_id="a+b", grant_types=("client_credentials",), response_types=())
    site = make_site(clients=(client,), secrets={"a+b": "p@ss w+rd%"})
    client_id = "a%2Bb" if "%40" in sent else "a+b"
    value = base64.b64encode(f"{client_id}:{sent}".encode()).decode()

    response = site.post("/token", form(grant_type="client_credentials"), ("Authorization", f"Basic {value}"))

    assert response.status == 200
