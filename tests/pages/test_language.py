"""Languages: each page in the one that the browser likes best of those there are, and no text left behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

import oauthcore_pages
from oauthcore import ConfigurationError, OAuthError, Request, run
from oauthcore.errors import (
    AuthorizationPending,
    ExpiredToken,
    InsufficientScope,
    InsufficientUserAuthentication,
    InteractionOver,
    InvalidBindingMessage,
    InvalidClientMetadata,
    InvalidDpopProof,
    InvalidRedirectUri,
    InvalidSoftwareStatement,
    InvalidToken,
    SlowDown,
    UnapprovedSoftwareStatement,
    UnknownUserId,
    UseDpopNonce,
)
from oauthcore.wire.refusals import ErrorPage
from oauthcore_pages import Templates
from oauthcore_pages.form_token import ForgedForm
from oauthcore_pages.language import best
from oauthcore_pages.messages import DESCRIPTIONS
from tests.pages.site import Site

PACKAGE = Path(oauthcore_pages.__file__).parent
GERMAN = PACKAGE / "locale" / "de" / "LC_MESSAGES"
PAGE = ErrorPage(400, "invalid_request", OAuthError.__name__)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("de", "de"),
        ("de-AT", "de"),
        ("DE", "de"),
        ("fr, de;q=0.5", "de"),
        ("en;q=0.3, de;q=0.7", "de"),
        ("de;q=0.3, en-GB;q=0.7", "en"),
        ("fr", "en"),
        ("*", "en"),
        ("en;q=0, *;q=0.5", "de"),
        ("en;q=0", "de"),
        ("en;q=0, de;q=0", "en"),
        ("deutsch", "en"),
        ("de;q=much, en", "en"),
        ("de;q=nan, fr", "en"),
        ("de;q=\u0661, fr", "en"),
        ("de;q=1_0, fr", "en"),
        ("de;q=2, fr", "en"),
        ("\u00a0de, fr", "en"),
        (";q=1,,", "en"),
    ],
)
def test_the_best_language_is_chosen(header: str | None, language: str) -> None:
    """RFC 9110 section 12.5.4, RFC 4647 section 3.4."""
    assert best(header, ("en", "de")) == language


def german(site: Site, target: str) -> str:
    response = site.request("GET", target, b"", ("Accept-Language", "de-CH, en;q=0.5"))
    assert response.header("content-language") == "de"
    assert response.header("vary") == "Accept-Language"
    return response.body.decode()


def test_pages_are_shown_in_the_browsers_language(site: Site) -> None:
    login = german(site, site.authorize())
    site.sign_in(site.authorize())

    assert '<html lang="de">' in login
    assert "<h1>Anmelden</h1>" in login
    assert "<h1>Ihre Anwendungen</h1>" in german(site, "/account")
    assert "<h1>Abmelden?</h1>" in german(site, "/logout")


def test_refusals_are_told_in_the_browsers_language(site: Site) -> None:
    headers = (("Accept-Language", "de"),)
    asked = Request("GET", "/authorize?client_id=nobody", headers)
    by_core = run(site.server.handle(asked, error_page=site.pages.error_page(asked)), site.world)
    by_page = german(site, "/login?interaction=unknown")

    assert "<h1>Die Anfrage wurde abgelehnt.</h1>" in by_core.body.decode()
    assert "Das wurde schon beantwortet oder hat zu lange gewartet" in by_page


def test_scopes_are_described_in_the_pages_language(site: Site) -> None:
    templates = Templates(
        scopes={"email": {"en": "Your address", "de": "Ihre Adresse"}, "phone": "Your phone", "x": {"fr": "X"}}
    )

    assert [templates.describe("email", language) for language in ("en", "de")] == ["Your address", "Ihre Adresse"]
    assert templates.describe("phone", "de") == "Your phone"
    assert templates.describe("x", "de") == "X"
    assert templates.describe("unheard-of", "de") == "unheard-of"


def test_operators_own_texts_go_before_ours(tmp_path: Path) -> None:
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    catalog = Catalog(locale="de")
    catalog.add("You are signed out.", "Tschüs!")
    with (folder / "oauthcore.mo").open("wb") as file:
        write_mo(file, catalog)

    text = Templates(own_translations=tmp_path).signed_out("de", "/login").body.decode()

    assert "<h1>Tschüs!</h1>" in text
    assert "Wieder anmelden" in text


def test_a_server_may_speak_one_language_alone() -> None:
    templates = Templates(languages=("de",))

    assert templates.language("en") == "de"
    assert "abgelehnt" in templates.error(PAGE).body.decode()
    with pytest.raises(ConfigurationError, match="languages"):
        Templates(languages=())


def extracted() -> set[object]:
    """Return every text of the package that a person may see."""
    found = extract_from_dir(
        PACKAGE,
        [("templates/**.html", "jinja2"), ("**.py", "python")],
        {"templates/**.html": {"trimmed": "true"}},
    )
    return {message for _, _, message, _, _ in found}


def test_every_text_is_translated_and_none_is_left_over() -> None:
    with (GERMAN / "oauthcore.po").open("rb") as file:
        catalog = read_po(file)

    assert {message.id for message in catalog if message.id} == extracted()
    assert not catalog.obsolete
    for message in catalog:
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(texts), message.id
        assert not list(message.check(catalog)), message.id


def texts(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """Return the translations alone: what a catalogue says of its maker changes with the tool that wrote it."""
    return {" | ".join(forms(message.id)): forms(message.string) for message in catalog if message.id}


def forms(text: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return a text alone, or its singular and plurals; nothing where it was left untranslated."""
    return (text,) if isinstance(text, str) else tuple(text or ())


def test_the_compiled_catalogue_is_the_written_one() -> None:
    with (GERMAN / "oauthcore.po").open("rb") as written, (GERMAN / "oauthcore.mo").open("rb") as compiled:
        assert texts(read_mo(compiled)) == texts(read_po(written))


def refusals(kind: type[OAuthError] = OAuthError) -> Iterator[type[OAuthError]]:
    """Return every class of the tree."""
    for below in kind.__subclasses__():
        yield below
        yield from refusals(below)


def test_every_refusal_of_the_core_and_the_pages_can_be_translated() -> None:
    ours = {kind for kind in refusals() if kind.__module__.startswith(("oauthcore.", "oauthcore_pages."))}

    assert {ForgedForm, InteractionOver} <= ours
    # Those of a backchannel request (CIBA Core section 13) and of a DPoP proof (RFC 9449), which a client alone gets.
    of_clients = {"invalid_binding_message", "unknown_user_id", "invalid_dpop_proof", "use_dpop_nonce"}
    ours = {kind for kind in ours if kind.code not in of_clients}
    # A resource's and the registration endpoint's, for clients alone: no page ever shows them.
    ours -= {InvalidToken, InsufficientScope, InsufficientUserAuthentication, InvalidClientMetadata, InvalidRedirectUri}
    ours -= {InvalidSoftwareStatement, UnapprovedSoftwareStatement}
    # Answers to who polls, or asks for a user elsewhere (RFC 8628 section 3.5, CIBA Core section 13).
    ours -= {AuthorizationPending, ExpiredToken, InvalidBindingMessage, SlowDown, UnknownUserId}
    # The token endpoint's and a resource's, for clients that prove possession of a key (RFC 9449 sections 5 and 7).
    ours -= {InvalidDpopProof, UseDpopNonce}
    assert {kind.description for kind in ours} <= set(DESCRIPTIONS)
