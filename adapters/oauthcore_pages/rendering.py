"""How pages are rendered: Jinja2 templates in, responses out. An operator's own templates go before the package's."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from gettext import NullTranslations
from pathlib import Path
from urllib.parse import urlsplit

import attrs
from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, StrictUndefined, TemplateError
from markupsafe import Markup

from oauthcore import AuthorizedApplication, Client, ConfigurationError, LoginSession
from oauthcore.clients.client_metadata import own_pages
from oauthcore.endpoints.interaction import PendingInteraction
from oauthcore.oidc.front_channel import WAIT, SignedOut
from oauthcore.redirect_uri import is_impersonable, web_host
from oauthcore.wire.http import Response
from oauthcore.wire.refusals import PAGE_HEADERS, ErrorPage
from oauthcore.wire.text import ascii_lower
from oauthcore_pages.brand import Brand
from oauthcore_pages.language import best, translations
from oauthcore_pages.messages import CLAIM_SCOPES, SCOPES

Descriptions = Mapping[str, str | Mapping[str, str]]

TEMPLATES = (
    "login.html",
    "select_account.html",
    "approve.html",
    "account.html",
    "logout.html",
    "signed_out.html",
    "error.html",
)


@attrs.frozen(kw_only=True)
class Hidden:
    """Say where a page's form goes and what it carries along unseen."""

    action: str
    interaction: str = attrs.field(repr=False)
    csrf: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Attempt:
    """Tell what became of an attempt to sign in: wrong, or not looked at for so many seconds."""

    username: str
    wait: int | None = None


@attrs.frozen
class Listed:
    """Hold a login session for the account page; `here` tells that it is this browser's."""

    session: LoginSession
    names: Mapping[str, str]
    here: bool

    @property
    def fields(self) -> dict[str, object]:
        """Return what the template shows of it."""
        started, last = (datetime.fromtimestamp(at, UTC) for at in (self.session.started_at, self.session.auth_time))
        return {
            "sid": self.session.key,
            "since": started.strftime("%Y-%m-%d %H:%M UTC"),
            "since_exactly": started.isoformat(),
            "last": last.strftime("%Y-%m-%d %H:%M UTC"),
            "last_exactly": last.isoformat(),
            "applications": [self.names.get(client_id, client_id) for client_id in self.session.client_ids],
            "here": self.here,
        }


NOBODY_TO_TELL = SignedOut((), None)


class Templates:
    """Render the pages.

    `loaders` are asked first for `login.html`, `select_account.html`, `approve.html`, `account.html`, `logout.html`,
    `signed_out.html`, `error.html` and `style.css`. `scopes` says what each scope means, and each claim that is asked
    for by name, in one text or one for each language; without it those of OpenID Connect are explained, and others
    shown as they are. `languages` are those that pages are shown in, the default first; `own_translations` is a folder
    of gettext catalogues (`de/LC_MESSAGES/oauthcore.mo`) that go before the package's.
    """

    def __init__(
        self,
        loaders: Iterable[BaseLoader] = (),
        *,
        brand: Brand | None = None,
        scopes: Descriptions | None = None,
        languages: Sequence[str] = ("en", "de"),
        own_translations: Path | None = None,
    ) -> None:
        if not languages:
            raise ConfigurationError("languages", languages, "name one at least")
        self._brand = brand or Brand()
        self._scopes = scopes or {}
        self._languages = tuple(languages)
        loader = ChoiceLoader([*loaders, PackageLoader("oauthcore_pages")])
        self._texts = {language: translations(language, own_translations) for language in self._languages}
        self._environments = {language: environment(loader, texts) for language, texts in self._texts.items()}
        for made in self._environments.values():
            compile_all(made)
        style, _, _ = loader.get_source(self._environments[self._languages[0]], "style.css")
        # The style is code, not data, and must stay the bytes that the policy has the hash of.
        self._style = Markup(style + self._brand.style)  # noqa: S704
        digest = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        self._policy = content_security_policy(digest, self._brand.image_source)

    def language(self, accept_language: str | None) -> str:
        """Choose the language for a browser that sends that header."""
        return best(accept_language, self._languages)

    def preferred(self, language: str, pending: PendingInteraction | None) -> str:
        """Choose the language that the client wishes for, if there is one, before the browser's (OIDC Core 3.1.2.1)."""
        for wish in () if pending is None else pending.ui_locales:
            found = best(wish, ("", *self._languages))
            if found:
                return found
        return language

    def login(
        self, language: str, hidden: Hidden, pending: PendingInteraction | None, failed: Attempt | None = None
    ) -> Response:
        """Ask who it is; again, where the password was wrong, or tried too often."""
        # 400, not 401: that would have to name an authentication scheme (RFC 9110 section 15.5.2), and a form is none.
        status = 200 if failed is None else 400 if failed.wait is None else 429
        hint = None if pending is None else pending.login_hint
        page = self._page(
            self.preferred(language, pending),
            status,
            "login.html",
            hidden=hidden,
            client=None if pending is None else introduced(pending.client, language),
            username=(hint or "") if failed is None else failed.username,
            failed=failed is not None,
            wait=None if failed is None else failed.wait,
        )
        if failed is None or failed.wait is None:
            return page
        return attrs.evolve(page, headers=(*page.headers, ("Retry-After", str(failed.wait))))

    def select_account(self, language: str, hidden: Hidden, pending: PendingInteraction, username: str) -> Response:
        """Ask whether to go on as who is signed in, or as somebody else."""
        return self._page(
            self.preferred(language, pending),
            200,
            "select_account.html",
            hidden=hidden,
            client=introduced(pending.client, language),
            username=username,
        )

    def approve(
        self,
        language: str,
        hidden: Hidden,
        pending: PendingInteraction,
        username: str,
        logout: str,
        *,
        remember: bool = True,
    ) -> Response:
        """Ask whether the client may have what it asks for; `remember` ticks the box that spares the next time.

        That it learns who the person is can't be taken out: that is what scope openid is for, and no is an answer too.
        """
        language, client = self.preferred(language, pending), pending.client
        pages = shown_pages(client, pending.redirect_uri)
        return self._page(
            language,
            200,
            "approve.html",
            hidden=hidden,
            client=client_name(client, language),
            unverified=client.is_unverified,
            host=host_of_document(client),
            organization=None if client.is_unverified else client.organization_name,
            website=pages.get("client_uri"),
            policy=pages.get("policy_uri"),
            terms=pages.get("tos_uri"),
            destination=destination(pending.redirect_uri),
            on_device=is_impersonable(pending.redirect_uri),
            identity=self.describe("openid", language) if "openid" in pending.scope else None,
            scopes=[(token, self.describe(token, language)) for token in pending.scope.tokens if token != "openid"],
            # The URI stands beside a name that the operator gave, and alone where nobody has given one.
            resources=[(one.name, one.uri, one in pending.allowed_at) for one in pending.resources],
            claims=list(dict.fromkeys(self.describe_claim(name, language) for name in pending.claims)),
            username=username,
            logout=logout,
            remember=remember,
        )

    def account(
        self,
        language: str,
        hidden: Hidden,
        username: str,
        applications: Iterable[AuthorizedApplication],
        logout: str,
        *,
        sessions: Iterable[Listed] = (),
        done: str | None = None,
    ) -> Response:
        """Show what is authorized, and where they are signed in; `done` is `revoked` or `ended` if something was."""
        return self._page(
            language,
            200,
            "account.html",
            hidden=hidden,
            username=username,
            applications=[self._listed(application, language) for application in applications],
            logout=logout,
            sessions=[session.fields for session in sessions],
            revoked=done == "revoked",
            ended=done == "ended",
        )

    def logout(self, language: str, hidden: Hidden, username: str, client: Client | None = None) -> Response:
        """Ask whether to sign out: a link from elsewhere must not be enough."""
        name = None if client is None else introduced(client, language)
        return self._page(language, 200, "logout.html", hidden=hidden, username=username, client=name)

    def signed_out(self, language: str, login: str, left: SignedOut = NOBODY_TO_TELL) -> Response:
        """Say that nobody is signed in here any more; clients are told in frames, and then the browser goes on."""
        page = {"frames": left.frames, "location": left.location, "wait": WAIT}
        return self._page(language, 200, "signed_out.html", left.frame_sources, login=login, **page)

    def error(self, page: ErrorPage, language: str | None = None, retry_url: str | None = None) -> Response:
        """Say that a request was refused: what the core calls where it can't redirect. `again` is a way back."""
        chosen = language or self._languages[0]
        # Translated here, since a template would take a text that it translates for its own, and not escape it.
        description = self._texts[chosen].gettext(page.description)
        return self._page(
            chosen,
            page.status,
            "error.html",
            code=page.code,
            description=description,
            retry_url=retry_url,
            way_on=page.way_on,
            explanation=page.explanation,
        )

    def describe(self, token: str, language: str) -> str:
        """Say what a scope means."""
        description = self._scopes.get(token)
        if description is None:
            return self._texts[language].gettext(SCOPES[token]) if token in SCOPES else token
        if isinstance(description, str):
            return description
        return description.get(language) or next(iter(description.values()), token)

    def describe_claim(self, name: str, language: str) -> str:
        """Say what a claim means: in the operator's words, by the scope that is about nothing else, or by its name."""
        base, _, tag = name.partition("#")
        scope = CLAIM_SCOPES.get(base)
        said = self.describe(scope, language) if scope is not None and base not in self._scopes else None
        plain = said or (self.describe(base, language) if base in self._scopes else base.replace("_", " "))
        return f"{plain} ({tag})" if tag else plain

    def _listed(self, application: AuthorizedApplication, language: str) -> dict[str, object]:
        client = application.client
        since = datetime.fromtimestamp(application.granted_at, UTC)
        return {
            "client_id": application.client_id,
            "name": application.client_id if client is None else client_name(client, language),
            "organization": None if client is None or client.is_unverified else client.organization_name,
            "website": None if client is None else shown_pages(client).get("client_uri"),
            "unverified": client is not None and client.is_unverified,
            "host": None if client is None else host_of_document(client),
            "destinations": "" if client is None else destinations(client),
            "since": since.date().isoformat(),
            "since_exactly": since.isoformat(),
            "scopes": [self.describe(token, language) for token in application.scope.tokens],
            "resources": [(resource.name, resource.uri) for resource in application.resources],
        }

    def _page(
        self, language: str, status: int, template: str, frame_sources: tuple[str, ...] = (), **values: object
    ) -> Response:
        text = (
            self._environments[language]
            .get_template(template)
            .render(style=self._style, brand=self._brand, language=language, **values)
        )
        policy = self._policy if not frame_sources else f"{self._policy}; frame-src {' '.join(frame_sources)}"
        headers = (("Content-Security-Policy", policy), ("Vary", "Accept-Language"), ("Content-Language", language))
        return Response(status, (*PAGE_HEADERS, *headers), text.encode())


def environment(loader: BaseLoader, texts: NullTranslations) -> Environment:
    """Make what renders the pages of one language."""
    made = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, extensions=["jinja2.ext.i18n"], trim_blocks=True
    )
    made.install_gettext_translations(texts, newstyle=True)  # type: ignore[attr-defined]  # the extension adds it
    return made


def compile_all(environment: Environment) -> None:
    """Read every template now: a mistake in one should be found before a person meets it."""
    for name in TEMPLATES:
        try:
            environment.get_template(name)
        except TemplateError as error:
            raise ConfigurationError("templates", name, f"it can't be read: {error}") from None


def content_security_policy(style_digest: str, image_source: str | None = None) -> str:
    """Allow the page its one style sheet and the operator's logo, and nothing else whatever."""
    # No form-action: Chromium holds the redirects that follow a form to it, and these forms end at the client's
    # redirect URI, on an origin that is not known here. 'self' would break every authorization.
    images = "" if image_source is None else f" img-src {image_source};"
    return f"default-src 'none'; style-src 'sha256-{style_digest}';{images} frame-ancestors 'none'; base-uri 'none'"


def client_name(client: Client, language: str) -> str:
    """Return what to call a client, in the page's language if it has a name in that (RFC 7591 section 2.2)."""
    names = {ascii_lower(name): text for name, text in client.localized}
    return names.get(f"client_name#{ascii_lower(language)}") or client.name or client.client_id


def introduced(client: Client, language: str) -> str:
    """Return what to call a client where nothing else is said of it.

    A name that nobody has checked may be a bank's, and is not shown without where the answers go, which is checked.
    """
    name, host = client_name(client, language), host_of_document(client)
    if host is not None:
        return f"{name} ({host})"
    return f"{name} ({destinations(client)})" if client.is_unverified and client.redirect_uris else name


def host_of_document(client: Client) -> str | None:
    """Return the host that a client's metadata document is at, None for a client that is registered.

    Whoever runs it is who the client is: it is what a page has to say first (the draft's section 6.4).
    """
    return None if client.document is None else urlsplit(client.client_id).netloc


def destinations(client: Client) -> str:
    """Return where a client's answers go."""
    return ", ".join(dict.fromkeys(map(destination, client.redirect_uris)))


def shown_pages(client: Client, redirect_uri: str | None = None) -> dict[str, str]:
    """Return a client's pages that may be linked to: anything but https might be a script.

    Of a client that registered itself, those are left out that may be somebody else's (RFC 7591 section 5); the
    `redirect_uri` is where the answer goes, None if there is none to come.
    """
    if client.is_unverified:
        return own_pages(client, redirect_uri)
    pages = {name: getattr(client, name) for name in ("client_uri", "policy_uri", "tos_uri")}
    return {name: uri for name, uri in pages.items() if uri is not None and uri.startswith("https://")}


def destination(redirect_uri: str) -> str:
    """Return the part of a redirect URI that tells a person where the answer goes: its host, or an app's scheme."""
    return web_host(redirect_uri) or urlsplit(redirect_uri).scheme
