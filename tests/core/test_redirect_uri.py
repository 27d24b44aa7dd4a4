"""Redirect URIs: which may be registered, which match, and how parameters are added."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore.errors import InvalidRequest
from oauthcore.redirect_uri import (
    ValidatedRedirect,
    form_encoded,
    is_impersonable,
    redirect_uri_problem,
    validate_redirect,
    with_parameters,
)

HTTPS = "https://client.example/cb?a=1"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
@pytest.mark.parametrize("port", ["", ":1", ":8080", ":65535"])
@pytest.mark.parametrize("rest", ["", "/", "/cb", "/cb?x=1", "?x"])
def test_a_loopback_uri_matches_with_any_port(host: str, port: str, rest: str) -> None:
    """RFC 8252 section 7.3."""
    registered = f"http://{host}{rest}"
    asked = f"http://{host}{port}{rest}"

    assert validate_redirect(asked, (HTTPS, registered)) == ValidatedRedirect(asked, given=True)
    assert validate_redirect(registered, (HTTPS, asked)).uri == registered


@pytest.mark.parametrize(
    "asked",
    [
        "http://127.0.0.1:1/cb/",
        "http://127.0.0.1:1/CB",
        "http://127.0.0.1:1/cb?x",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:123456/cb",
        "http://127.0.0.1:8o/cb",
        "http://127.0.0.1:80@attacker.example/cb",
        "http://user@127.0.0.1/cb",
        "http://127.0.0.2/cb",
        "http://localhost/cb",
        "https://127.0.0.1/cb",
        "HTTP://127.0.0.1/cb",
        "http://127.0.0.1.attacker.example/cb",
        "http://127.0.0.1:1\\@attacker.example/cb",
        "http://127.0.0.1:1/cb#f",
        "http://127.0.0.1:1/cb\r\nX: y",
        "http://127.0.0.1:1/cb\n",
    ],
)
def test_everything_else_of_a_loopback_uri_must_be_the_same(asked: str) -> None:
    with pytest.raises(InvalidRequest, match="not registered"):
        validate_redirect(asked, ("http://127.0.0.1/cb",))


@pytest.mark.parametrize(
    "asked",
    [
        "https://client.example/cb",
        "https://client.example/cb?a=1&b=2",
        "https://client.example:443/cb?a=1",
        "https://CLIENT.example/cb?a=1",
        "https://client.example/c%62?a=1",
        "https://client.example/x/../cb?a=1",
        "https://client.example:8443/cb?a=1",
        "https://user@client.example/cb?a=1",
        " https://client.example/cb?a=1",
        "https://client.example/cb?a=1#",
        "//client.example/cb?a=1",
        "",
    ],
)
def test_any_other_uri_matches_to_the_byte_or_not_at_all(asked: str) -> None:
    """RFC 9700 section 4.1.3."""
    assert validate_redirect(HTTPS, (HTTPS,)).uri == HTTPS

    with pytest.raises(InvalidRequest, match="not registered"):
        validate_redirect(asked, (HTTPS,))


def test_an_absent_uri_means_the_only_one_there_is() -> None:
    assert validate_redirect(None, (HTTPS,)) == ValidatedRedirect(HTTPS, given=False)
    for registered in ((), (HTTPS, "http://localhost/")):
        with pytest.raises(InvalidRequest, match="not exactly one"):
            validate_redirect(None, registered)


@pytest.mark.parametrize(
    "uri",
    [
        HTTPS,
        "https://client.example",
        "https://client.example:8443/cb;v=1",
        "https://client.example/*/cb",
        "https://client.example./cb",
        "https://client_1.example/cb",
        "https://xn--bcher-kva.example:65535/cb",
        "https://192.0.2.1/cb",
        "https://[2001:db8::1]:1/cb",
        "http://localhost:3000/",
        "http://[::1]/cb",
        "com.example.app:/cb",
        "com.example.app://host/cb",
    ],
)
def test_these_may_be_registered(uri: str) -> None:
    assert redirect_uri_problem(uri, insecure_transport=False) is None


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("", "absolute"),
        ("/cb", "absolute"),
        ("https://client.example/c b", "absolute"),
        ("https://client.example/é", "absolute"),
        ("https://client.example/\r\n", "absolute"),
        ("https://client.example/cb#x", "fragment"),
        ("https://[::1/cb", "parsed"),
        ("javascript:alert(1)", "javascript"),
        ("JavaScript:alert(1)", "javascript"),
        ("data:text/html,x", "data"),
        ("file:///etc/passwd", "file"),
        ("https:///cb", "host"),
        ("https:cb", "host"),
        ("https://user@client.example/cb", "host"),
        ("http://client.example/cb", "https"),
        ("http://127.0.0.1.attacker.example/", "https"),
        ("myapp:/cb", "reversed domain"),
        ("https://*.example/cb", "wildcard"),
        ("https://*/cb", "wildcard"),
        ("https://a.*.example:*/cb", "wildcard"),
        ("https://client.example:*/cb", "wildcard"),
        ("https://clie%6et.example/cb", "letters"),
        ("https://client!example/cb", "letters"),
        ("https://client,other.example/cb", "letters"),
        ("https://client.example:99999/cb", "65535"),
        ("https://client.example:0/cb", "65535"),
        ("https://client.example:080/cb", "65535"),
        ("https://client.example:8o/cb", "65535"),
        ("http://127.0.0.1:99999/cb", "65535"),
        ("http://localhost:65536/cb", "65535"),
        ("http://[::1]:0/cb", "65535"),
    ],
)
def test_these_may_not_and_it_is_said_why(uri: str, reason: str) -> None:
    assert reason in (redirect_uri_problem(uri, insecure_transport=False) or "")


@pytest.mark.parametrize(
    "uri",
    [
        "cursor://anysphere.cursor-retrieval/oauth/callback",
        "vscode://vscode.github/cb?x=1",
        "audiobookshelf://oauth",
        "a:/",
    ],
)
def test_a_scheme_of_one_word_is_opened_by_name(uri: str) -> None:
    """RFC 8252 section 7.1 asks for a reversed domain name, and many applications have none."""
    assert "ONE_WORD_SCHEME" in (redirect_uri_problem(uri, insecure_transport=False) or "")
    assert redirect_uri_problem(uri, insecure_transport=False, one_word_scheme=True) is None


@pytest.mark.parametrize(
    "uri",
    [
        *("javascript:alert(1)", "JAVASCRIPT://x/%0aalert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd"),
        *("blob:https://client.example/x", "about:blank", "view-source:https://client.example/", "filesystem:x"),
        *(
            "intent://x#Intent",
            "intent:/x",
            "content://x",
            "mailto:a@client.example",
            "tel:1",
            "urn:ietf:wg:oauth:2.0:oob",
        ),
        *("http://client.example/cb", "http://10.0.0.1/cb", "https://*.example/", "ws://client.example/", "ftp://x/"),
    ],
)
def test_what_no_application_answers_is_opened_by_no_name(uri: str) -> None:
    assert redirect_uri_problem(uri, insecure_transport=False, one_word_scheme=True) is not None


@pytest.mark.parametrize("port", ["0", "00", "080", "65536", "99999", "123456"])
def test_a_port_that_there_is_not_is_no_loopback_port(port: str) -> None:
    with pytest.raises(InvalidRequest, match="not registered"):
        validate_redirect(f"http://127.0.0.1:{port}/cb", ("http://127.0.0.1/cb",))


@given(st.integers(0, 70_000))
def test_every_port_that_there_is_is_one(port: int) -> None:
    assert (redirect_uri_problem(f"https://client.example:{port}/", insecure_transport=False) is None) == (
        1 <= port <= 65_535
    )


def test_plain_http_is_opened_by_name() -> None:
    assert redirect_uri_problem("http://client.example/cb", insecure_transport=True) is None


@pytest.mark.parametrize(
    ("uri", "expected"), [(HTTPS, False), ("http://localhost/", True), ("com.example.app:/", True)]
)
def test_a_uri_that_anybody_could_listen_on_is_known(uri: str, expected: bool) -> None:
    """RFC 8252 section 8.6."""
    assert is_impersonable(uri) == expected


@pytest.mark.parametrize(
    ("uri", "added"),
    [
        ("https://c.example/cb", "https://c.example/cb?a=b"),
        ("https://c.example/cb?", "https://c.example/cb?a=b"),
        ("https://c.example/cb?x=%41", "https://c.example/cb?x=%41&a=b"),
        ("https://c.example/cb?x&", "https://c.example/cb?x&a=b"),
    ],
)
def test_parameters_are_added_and_nothing_else_is_touched(uri: str, added: str) -> None:
    assert with_parameters(uri, "query", {"a": "b"}) == added
    assert with_parameters(uri, "fragment", {"a": "b"}) == uri + "#a=b"


@given(state=TEXT, code=TEXT)
def test_what_is_added_is_what_a_client_reads(state: str, code: str) -> None:
    uri = with_parameters(HTTPS, "query", {"state": state, "code": code})

    assert uri.startswith(HTTPS + "&")
    assert uri.isascii() and uri.isprintable() and " " not in uri
    read = dict(parse_qsl(urlsplit(uri).query, keep_blank_values=True))
    assert (read["state"], read["code"]) == (state, code)


def test_a_space_is_never_a_plus_since_fragments_are_read_by_plain_decoders() -> None:
    assert form_encoded([("a", "b c+d")]) == "a=b%20c%2Bd"
