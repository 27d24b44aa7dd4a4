"""How resource URIs are compared (RFC 8707 section 2, RFC 3986 section 6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore.resource_uri import MAX_LENGTH, comparable, is_below, is_https_or_loopback, without_final_slash

HOSTS = st.sampled_from(
    ["api.example", "a-b.example", "localhost", "127.0.0.1", "[::1]", "[2001:db8::A]", "xn--nxa.example"]
)
PORTS = st.sampled_from(["", ":8443", ":1"])
SEGMENTS = st.lists(st.text("abcXYZ019-_~!$&'()*+,;=:@", min_size=1, max_size=6), max_size=4)
QUERIES = st.sampled_from(["", "?a=1", "?a=/b?c"])


@st.composite
def urls(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a URL, and another spelling of it that RFC 3986 section 6.2 says is the same."""
    scheme = draw(st.sampled_from(["https", "http"]))
    host, port, query = draw(HOSTS), draw(PORTS), draw(QUERIES)
    path = "".join(f"/{segment}" for segment in draw(SEGMENTS))
    other_case = draw(st.sampled_from([str.upper, str.lower, str.title]))
    other_port = port or draw(st.sampled_from(["", ":", ":443" if scheme == "https" else ":80"]))
    other_path = path or draw(st.sampled_from(["", "/"]))
    return (
        f"{scheme}://{host}{port}{path}{query}",
        f"{other_case(scheme)}://{other_case(host)}{other_port}{other_path}{query}",
    )


@given(urls())
def test_b6_spellings_that_the_standard_calls_the_same_are_one_resource(pair: tuple[str, str]) -> None:
    one, other = pair

    assert comparable(one) is not None
    assert comparable(one) == comparable(other)


@given(urls())
def test_the_comparable_form_of_a_comparable_form_is_itself(pair: tuple[str, str]) -> None:
    form = comparable(pair[0])

    assert form is not None and comparable(form) == form


@given(st.text(max_size=40))
def test_whatever_text_comes_is_compared_or_is_none(text: str) -> None:
    form = comparable(text)

    assert form is None or (form.isascii() and "#" not in form and "://" not in form[:0])


@given(st.text("/.%2eEabc?:@[]#\\ \x00é", max_size=12))
def test_no_path_of_a_strangers_has_a_dot_segment_or_goes_to_another_host(path: str) -> None:
    form = comparable(f"https://api.example/{path}")

    assert form is None or form.startswith("https://api.example/")
    segments = [] if form is None else form.partition("?")[0].split("/")
    assert not {".", "..", "%2e", "%2e%2e", ".%2e", "%2e."} & {segment.lower() for segment in segments}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://h", "https://h/"),
        ("HTTPS://H.Example/mcp", "https://h.example/mcp"),
        ("https://h:443/mcp", "https://h/mcp"),
        ("http://h:80", "http://h/"),
        ("https://h:/mcp", "https://h/mcp"),
        ("https://h?q", "https://h/?q"),
        ("https://[2001:DB8::1]/a", "https://[2001:db8::1]/a"),
        ("URN:example:api", "urn:example:api"),
    ],
)
def test_b6_two_spellings_of_one_resource(one: str, other: str) -> None:
    assert comparable(one) == comparable(other) != None  # noqa: E711


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://h/mcp", "https://h/mcp/"),
        ("https://h/mcp", "https://h/mcp2"),
        ("https://h/mcp", "https://h/MCP"),
        ("https://h/mcp", "https://h/%6dcp"),
        ("https://h/%2F", "https://h/%2f"),
        ("https://h/mcp", "http://h/mcp"),
        ("https://h/mcp", "https://h:8443/mcp"),
        ("https://h:80/mcp", "https://h/mcp"),
        ("https://h/mcp", "https://h/mcp?"),
        ("https://h./mcp", "https://h/mcp"),
        ("https://[::1]/mcp", "https://[0:0:0:0:0:0:0:1]/mcp"),
        ("urn:example:a", "urn:example:A"),
    ],
)
def test_b6_two_resources(one: str, other: str) -> None:
    assert comparable(one) is not None and comparable(other) is not None
    assert comparable(one) != comparable(other)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "mcp",
        "/mcp",
        "//h/mcp",
        "https:",
        "https:///mcp",
        "https:h/mcp",
        "https://h/mcp#fragment",
        "https://h/mcp#",
        "https://user@h/mcp",
        "https://user:password@h/mcp",
        "https://h@other.example/mcp",
        "https://h%40other.example/mcp",
        "https://h\\@other.example/mcp",
        "https://h/a/../mcp",
        "https://h/a/%2E%2e/mcp",
        "https://h/./mcp",
        "https://h/mcp/..",
        "https://h:0443/mcp",
        "https://h:99999/mcp",
        "https://h:x/mcp",
        "https://h/mc p",
        "https://h/%zz",
        "https://h/%",
        "https://höst.example/mcp",
        "https://h/m\u0441p",
        "https://h\u3002example/mcp",
        "https://h/mcp\n",
        " https://h/mcp",
        "https://*.example/mcp",
        "https://[::1%25eth0]/mcp",
        "https://[::1/mcp",
        "https://h/[",
        "urn:[x",
        "1https://h",
        "https://h/" + "x" * MAX_LENGTH,
    ],
)
def test_b5_what_can_name_no_resource(uri: str) -> None:
    assert comparable(uri) is None


@pytest.mark.parametrize(
    ("form", "without"),
    [
        ("https://h/mcp/", "https://h/mcp"),
        ("https://h/mcp/?q", "https://h/mcp?q"),
        ("https://h/", "https://h/"),
        ("https://h/mcp", "https://h/mcp"),
        ("urn:a/b/c/d/", "urn:a/b/c/d/"),
    ],
)
def test_b6_a_final_slash_may_be_ignored_but_for_a_host_alone(form: str, without: str) -> None:
    assert without_final_slash(form) == without


@pytest.mark.parametrize(
    ("uri", "base", "below"),
    [
        ("https://h/mcp", "https://h/mcp", True),
        ("https://h/mcp/a", "https://h/mcp", True),
        ("https://h/mcp2", "https://h/mcp", False),
        ("https://h/anything", "https://h", True),
        ("https://h.evil.example/", "https://h", False),
        ("https://h:8443/", "https://h", False),
    ],
)
def test_b6_a_path_is_below_another_by_whole_segments(uri: str, base: str, below: bool) -> None:
    assert is_below(comparable(uri) or "", comparable(base) or "") is below


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://h", True),
        ("http://localhost:3000/mcp", True),
        ("http://127.0.0.1/", True),
        ("http://[::1]:8000/mcp", True),
        ("http://h", False),
        ("http://localhost.evil.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("urn:example:a", False),
    ],
)
def test_what_nobody_on_the_way_can_stand_in_for(uri: str, expected: bool) -> None:
    assert is_https_or_loopback(comparable(uri) or "") is expected
