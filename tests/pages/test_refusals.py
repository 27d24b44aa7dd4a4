"""Each refusal that a person sees has a sentence of its own, in their language."""

from __future__ import annotations

from html import unescape
from urllib.parse import urlencode

import attrs
import pytest

from oauthcore import Request, Response, run
from oauthcore.openid import OpenID
from oauthcore.signing.keys import GivenKeys
from tests.core.signing_keys import key_for
from tests.pages.html import Page
from tests.pages.site import APP, FORM, Site, make_site

BYE = "https://client.example/bye"
ELSEWHERE = "https://elsewhere.example/"
GENERIC = "The request lacks a required parameter, repeats one, or is malformed."

REFUSALS = {
    "no client at authorize": (
        ("/authorize", {}),
        "The request does not say which application it comes from.",
        "Die Anfrage sagt nicht, von welcher Anwendung sie kommt.",
    ),
    "unknown client at authorize": (
        ("/authorize", {"client_id": "nobody"}),
        "The application that the request comes from is not known here.",
        "Die Anwendung, von der die Anfrage kommt, ist hier nicht bekannt.",
    ),
    "disabled client at authorize": (
        ("/authorize", {"client_id": "disabled"}),
        "The application that the request comes from may not be used at present.",
        "Die Anwendung, von der die Anfrage kommt, darf zurzeit nicht benutzt werden.",
    ),
    "unregistered redirect_uri": (
        ("/authorize", {"client_id": "app", "redirect_uri": ELSEWHERE}),
        "The redirect URI is none of those that the application is registered with.",
        "Die Rücksprungadresse ist keine von denen, mit denen die Anwendung registriert ist.",
    ),
    "missing redirect_uri": (
        ("/authorize", {"client_id": "several"}),
        "The request does not say where the application is to be answered.",
        "Die Anfrage sagt nicht, wohin die Antwort an die Anwendung gehen soll.",
    ),
    "repeated parameter": (
        ("/authorize?client_id=app", {"client_id": "app"}),
        "The request has a parameter twice.",
        "Die Anfrage hat einen Parameter zweimal.",
    ),
    "no form": (
        ("/authorize?state=%FF", {"client_id": "app"}),
        "The request can't be read: it is too long, or not encoded as a form is.",
        "Die Anfrage ist nicht lesbar: Sie ist zu lang oder nicht wie ein Formular kodiert.",
    ),
    "unknown client at logout": (
        ("/end-session", {"client_id": "nobody"}),
        "The application that the request comes from is not known here.",
        "Die Anwendung, von der die Anfrage kommt, ist hier nicht bekannt.",
    ),
    "no client at logout": (
        ("/end-session", {"post_logout_redirect_uri": BYE}),
        "The request does not say which application it comes from.",
        "Die Anfrage sagt nicht, von welcher Anwendung sie kommt.",
    ),
    "unregistered post_logout_redirect_uri": (
        ("/end-session", {"client_id": "app", "post_logout_redirect_uri": ELSEWHERE}),
        "The page to go to after signing out is none of those that the application is registered with.",
        "Die Seite, zu der es nach dem Abmelden gehen soll, ist keine von denen, "
        "mit denen die Anwendung registriert ist.",
    ),
    "interaction that is over": (
        ("/authorize/resume", {"interaction": "unknown", "proof": "none"}),
        "This was answered already, or has waited for too long: go back to the application and start again.",
        "Das wurde schon beantwortet oder hat zu lange gewartet: "
        "Gehen Sie zur Anwendung zurück und beginnen Sie noch einmal.",
    ),
}


def refused_in(language: str, path: str, parameters: dict[str, str]) -> tuple[str, Response]:
    """Send a browser of that language; return the sentence that it is shown, and the response."""
    rp = attrs.evolve(APP, scope="openid email", post_logout_redirect_uris=(BYE,))
    site = make_site(client=rp, openid=OpenID(), keys=GivenKeys([key_for("RS256")]))
    several = attrs.evolve(rp, client_id="several", redirect_uris=("https://a.example/", "https://b.example/"))
    for other in (several, attrs.evolve(rp, client_id="disabled", enabled=False)):
        run(site.server.clients.register(other), site.world)
    response = ask(
        site, Request("GET", f"{path}{'&' if '?' in path else '?'}{urlencode(parameters)}", (language_of(language),))
    )
    return unescape(Page.in_(response).text), response


def language_of(language: str) -> tuple[str, str]:
    """Return the header of a browser of that language."""
    return ("Accept-Language", language)


def ask(site: Site, request: Request) -> Response:
    """Answer as a host does, with pages in the browser's language."""
    return run(site.server.handle(request, error_page=site.pages.error_page(request)), site.world)


@pytest.mark.parametrize("name", REFUSALS)
def test_a_person_reads_what_was_wrong_in_a_sentence_of_its_own(name: str) -> None:
    (path, parameters), english, german = REFUSALS[name]

    for language, sentence in (("en", english), ("de", german)):
        text, response = refused_in(language, path, parameters)

        assert sentence in text
        assert response.status == 400
        assert response.header("location") is None
        assert GENERIC not in text


def test_a_browser_that_did_not_begin_it_is_told_so() -> None:
    site = make_site()
    handle = site.authorize().partition("interaction=")[2]
    run(site.server.interactions.finish(handle, "alice", ["email"]), site.world)

    refused = ask(site, Request("GET", f"/authorize/resume?interaction={handle}&proof=guessed", (FORM,)))

    assert "This was started or answered in another browser" in Page.in_(refused).text


@pytest.mark.parametrize(("language", "heading"), [("en", "For the developer of"), ("de", "Für die Entwickler der")])
def test_in_developer_mode_the_page_says_the_reason_and_the_setting_escaped(language: str, heading: str) -> None:
    site = make_site()
    run(site.server.clients.explain("app", lifetime=60), site.world)
    query = urlencode({"client_id": "app", "redirect_uri": "https://a.example/<b>bold</b>"})

    page = ask(site, Request("GET", f"/authorize?{query}", (language_of(language),))).body.decode()

    assert heading in page
    assert "<b>" not in page
    assert "&lt;b&gt;bold" in page
    assert f"client.redirect_uris = {APP.redirect_uris[0]}" in unescape(page)
