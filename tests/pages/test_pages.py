"""What every page has in common: its headers, its settings, and that whatever arrives, a response leaves."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader

from oauthcore import ConfigurationError, Request, Response, Secret, World
from oauthcore.testing import Outage
from oauthcore.wire.refusals import ErrorPage
from oauthcore_pages import Templates
from oauthcore_pages.form import Form
from tests.pages.html import Page
from tests.pages.site import FORM, KEY, Site, authenticate, location, make_site


def pages_of(site: Site) -> list[Response]:
    """Return one of each page: login, login again, approve, account, logout, signed out, error, forged form."""
    login = site.get(site.authorize())
    again = site.sign_in(site.authorize(), "alice", "wrong-one")
    approve = site.get(location(site.sign_in(site.authorize())))
    forged = site.post("/approve", Page.in_(login).submission(("csrf", "x")))
    site.sign_in(site.authorize(prompt="login"))
    account, logout = site.get("/account"), site.get("/logout")
    signed_out = site.post("/logout", Page.in_(logout).submission())
    return [login, again, approve, account, logout, signed_out, site.get("/login?interaction=x"), forged]


def test_no_page_may_be_framed_kept_or_refer(site: Site) -> None:
    for response in pages_of(site):
        assert response.header("x-frame-options") == "DENY"
        assert response.header("x-content-type-options") == "nosniff"
        assert response.header("referrer-policy") == "no-referrer"
        assert response.header("cache-control") == "no-store"
        assert response.header("content-type") == "text/html; charset=utf-8"


def test_redirects_between_pages_are_not_kept(site: Site) -> None:
    assert site.sign_in(site.authorize()).header("cache-control") == "no-store"


def test_policy_allows_the_page_its_style_and_nothing_else(site: Site) -> None:
    for response in pages_of(site):
        style = re.search(r"<style>(.*)</style>", response.body.decode(), re.DOTALL)
        assert style is not None
        digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
        assert response.header("content-security-policy") == (
            f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; base-uri 'none'"
        )


def test_no_page_has_a_script_or_anything_from_elsewhere(site: Site) -> None:
    for response in pages_of(site):
        for tag, attributes in Page.in_(response).tags:
            assert tag not in {"script", "img", "iframe", "object", "link", "base"}
            assert not any(name.startswith("on") or name in {"style", "src"} for name in attributes)
            assert (attributes.get("href") or "/").startswith("/")


def test_every_page_names_its_language_and_fits_a_phone(site: Site) -> None:
    for response in pages_of(site):
        page = Page.in_(response)
        assert ("html", {"lang": "en"}) in page.tags
        assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in page.tags
        assert [tag for tag, _ in page.tags].count("h1") == 1


def test_error_page_says_one_stable_sentence_the_code_and_its_description() -> None:
    response = Templates().error(ErrorPage(503, "temporarily_unavailable", "Come <later>."))

    text = response.body.decode()
    assert response.status == 503
    assert "<h1>The request was refused.</h1>" in text
    assert "<code>temporarily_unavailable</code>" in text
    assert "Come &lt;later&gt;." in text


def test_operators_own_template_takes_the_place_of_ours() -> None:
    own = DictLoader({"error.html": "{% extends 'layout.html' %}{% block main %}Ours: {{ code }}{% endblock %}"})

    text = Templates([own]).error(ErrorPage(400, "a<b", "")).body.decode()

    assert "Ours: a&lt;b" in text
    assert "<style>" in text


def test_template_that_can_not_be_read_is_named_at_construction() -> None:
    with pytest.raises(ConfigurationError, match=r"templates = 'login.html': it can't be read: unexpected"):
        Templates([DictLoader({"login.html": "{% if"})])


def test_request_without_its_session_keeps_its_other_cookies(site: Site) -> None:
    site.sign_in(site.authorize())
    cookie = "; ".join(f"{name}={value}" for name, value in site.cookies.items())
    request = Request("GET", "/login", (("Cookie", f"other=1; {cookie}"), ("X", "y")))

    stripped = site.pages.as_nobody(request)

    assert site.pages.signed_in(request) is not None
    assert site.pages.signed_in(stripped) is None
    assert "other=1; __Host-oauthcore-browser=" in (stripped.header("cookie") or "")
    assert stripped.header("x") == "y"


def test_operators_own_style_is_in_the_policy() -> None:
    response = Templates([DictLoader({"style.css": "h1 > em { color: red }"})]).error(ErrorPage(400, "a", "b"))

    digest = base64.b64encode(hashlib.sha256(b"h1 > em { color: red }").digest()).decode()
    assert "<style>h1 > em { color: red }</style>" in response.body.decode()
    assert f"'sha256-{digest}'" in (response.header("content-security-policy") or "")


@pytest.mark.parametrize(
    ("settings", "named"), [({"key": KEY[:31]}, "key = '31 bytes'"), ({"session_lifetime": 0}, "session_lifetime = 0")]
)
def test_setting_that_can_not_be_is_named_at_construction(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        make_site(**settings)


def test_key_is_in_no_repr(site: Site) -> None:
    assert repr(KEY) not in repr(vars(site.pages))


def test_storage_that_fails_is_a_503_on_every_page(site: Site) -> None:
    login_url = site.authorize()
    login = Page.in_(site.get(login_url))
    before = dict(site.cookies)
    approve_url = location(site.sign_in(login_url))
    approve = Page.in_(site.get(approve_url))
    after = dict(site.cookies)

    def down(method: str, target: str, body: bytes = b"", cookies: dict[str, str] = after) -> Response:
        site.world, site.cookies = World(Outage(storage, at=0), authenticate), dict(cookies)
        return site.request(method, target, body, FORM)

    storage = site.world.storage
    responses = [
        down("GET", login_url, cookies=before),
        down("POST", "/login", login.submission(("username", "alice"), ("password", "wonderland")), before),
        down("POST", "/login", login.submission(("username", "alice"), ("password", "wrong-one")), before),
        down("GET", approve_url),
        down("POST", "/approve", approve.submission(("approval", "0"))),
        down("POST", "/approve", approve.submission(("scope", "email"), ("approval", "1"))),
        down("POST", "/approve", approve.submission(("approval", "1"), without="scopes_shown")),
    ]

    assert [response.status for response in responses] == [503] * 7
    assert all("<code>temporarily_unavailable</code>" in response.body.decode() for response in responses)
    assert all(response.refusal is not None and response.refusal.cause is not None for response in responses)


def test_authentication_that_fails_is_a_503() -> None:
    def broken(username: str, password: Secret) -> str | None:
        raise OSError("the directory is down")

    site = make_site()
    site.world = World(site.world.storage, authenticate=broken)

    assert site.sign_in(site.authorize()).status == 503


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"interaction=a&csrf=b", "text/plain"),
        (b'{"interaction": "a"}', "application/json"),
        (b"interaction=%FF", FORM[1]),
        (b"interaction=\xff", FORM[1]),
        (b"interaction=a%00", FORM[1]),
        (b"interaction=a&interaction=b", FORM[1]),
        (b"&".join([b"a=b"] * 101), FORM[1]),
        (b"a=" + b"b" * 65_536, FORM[1]),
    ],
    ids=["text", "JSON", "escaped", "raw", "NUL", "repeated", "many", "long"],
)
@pytest.mark.parametrize("path", ["/login", "/approve"])
def test_form_that_can_not_be_read_is_refused(site: Site, path: str, body: bytes, content_type: str) -> None:
    response = site.request("POST", path, body, ("Content-Type", content_type))

    assert response.status == (400 if content_type == FORM[1] else 415)
    assert "<code>invalid_request</code>" in response.body.decode()


@pytest.mark.parametrize("path", ["/login", "/approve", "/account", "/logout"])
def test_form_of_nobody_is_refused(site: Site, path: str) -> None:
    assert site.post(path, b"").status == 403


@pytest.mark.slow
@given(
    st.sampled_from(["GET", "HEAD", "POST"]),
    st.sampled_from(["/login", "/approve", "/account", "/logout"]),
    st.text(alphabet=st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=50),
    st.text(alphabet=st.characters(max_codepoint=0xFF), max_size=50),
    st.binary(max_size=100),
)
def test_whatever_arrives_a_response_leaves(method: str, path: str, query: str, cookie: str, body: bytes) -> None:
    site = make_site()
    site.cookies["__Host-oauthcore-session"] = cookie

    response = site.request(method, f"{path}?interaction={query}", body, FORM)

    assert 200 <= response.status < 500


def test_fields_of_a_form_are_in_no_repr() -> None:
    assert "hush" not in repr(Form((("password", "hush"),)))


def test_a_redirect_uri_that_is_not_registered_is_named_on_the_page(site: Site) -> None:
    refused = site.get(
        "/authorize?client_id=app&response_type=code&redirect_uri=https%3A%2F%2Fclient.example%2Felsewhere"
    )

    assert refused.status == 400
    assert refused.header("location") is None
    assert "none of those that the application is registered with" in refused.body.decode()


def test_b11_form_may_end_at_any_client(site: Site) -> None:
    """Chromium applies form-action to the redirects after a form, too: with 'self', no authorization would end."""
    for response in pages_of(site):
        policy = response.header("content-security-policy") or ""
        assert "frame-ancestors 'none'" in policy
        assert "form-action" not in policy
        assert response.header("referrer-policy") == "no-referrer"
        assert response.header("cache-control") == "no-store"
