"""Rendering of pages with Jinja2 templates; an operator's own templates take precedence over the package's."""

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

from oauthcore import AuthorizedApplication, Client, ConfigurationError, LoginSession, PendingDevice
from oauthcore.clients.client_metadata import own_pages
from oauthcore.endpoints.applications import AuthorizedDevice
from oauthcore.endpoints.backchannel_answer import PendingBackchannelRequest
from oauthcore.endpoints.interaction import PendingInteraction
from oauthcore.oidc.front_channel import WAIT, SignedOut
from oauthcore.redirect_uri import is_impersonable, web_host
from oauthcore.wire.http import Response
from oauthcore.wire.refusals import PAGE_HEADERS, ErrorPage
from oauthcore.wire.text import ascii_lower
from oauthcore_pages.brand import Brand
from oauthcore_pages.compiled import COMPILED
from oauthcore_pages.language import best, translations
from oauthcore_pages.messages import CLAIM_SCOPES, SCOPES

Descriptions = Mapping[str, str | Mapping[str, str]]

TEMPLATES = (
    "login.html",
    "select_account.html",
    "other_account.html",
    "approve.html",
    "account.html",
    "logout.html",
    "signed_out.html",
    "error.html",
    "device.html",
    "device_approve.html",
    "device_done.html",
    "requests.html",
)


@attrs.frozen(kw_only=True)
class Hidden:
    """Say where a page's form is sent, and which hidden fields it has."""

    action: str
    interaction: str = attrs.field(repr=False)
    csrf: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Attempt:
    """Say how a login failed: a wrong password, or too many attempts, to be repeated after some seconds."""

    username: str
    wait: int | None = None


@attrs.frozen(kw_only=True)
class CodeProblem:
    """Tell what became of a code: no device waits with it, or it was not looked at for so many seconds."""

    wait: int | None = None


@attrs.frozen
class Listed:
    """Hold a login session for the account page; `here` is true for that of this browser."""

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


# How many requests that were allowed in the background the account page lists of one application, the newest first.
MAX_REQUESTS = 20
NOBODY_TO_TELL = SignedOut((), None)


class Templates:
    """Render the pages.

    `loaders` are tried first for `login.html`, `select_account.html`, `other_account.html`, `approve.html`,
    `account.html`, `logout.html`, `signed_out.html`, `error.html`, `device.html`, `device_approve.html`,
    `device_done.html`, `requests.html` and `style.css`. `scopes` says what each scope means, and each claim that is
    requested by name, as one text or one for each language; by default those of OpenID Connect are explained, and
    others are shown as they are. `languages` are those of the pages, the default first; `own_translations` is a
    folder of gettext catalogues (`de/LC_MESSAGES/oauthcore.mo`) that take precedence over the package's.
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
        # The style is code, not data, and its bytes must match the hash in the content security policy.
        self._style = Markup(style + self._brand.style)  # noqa: S704
        digest = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        self._policy = content_security_policy(digest, self._brand.image_source)

    def language(self, accept_language: str | None) -> str:
        """Return the language for this Accept-Language header."""
        return best(accept_language, self._languages)

    def preferred(self, language: str, pending: PendingInteraction | PendingDevice | None) -> str:
        """Return the language that the client prefers, if available, otherwise the browser's (OIDC Core 3.1.2.1)."""
        for wish in () if pending is None else pending.ui_locales:
            found = best(wish, ("", *self._languages))
            if found:
                return found
        return language

    def login(
        self, language: str, hidden: Hidden, pending: PendingInteraction | None, failed: Attempt | None = None
    ) -> Response:
        """Render the login page, also after a wrong password or too many attempts."""
        # 400, not 401, which requires an HTTP authentication scheme (RFC 9110 section 15.5.2); a form is not one.
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
        """Ask whether to continue as the user who is signed in, or as another one."""
        return self._page(
            self.preferred(language, pending),
            200,
            "select_account.html",
            hidden=hidden,
            client=introduced(pending.client, language),
            username=username,
        )

    def other_account(
        self, language: str, hidden: Hidden, pending: PendingInteraction, username: str, logout: str
    ) -> Response:
        """Say that the user who is signed in may not use the client, and how to go on."""
        return self._page(
            self.preferred(language, pending),
            # RFC 9110 section 15.5.4: understood, and refused to this user.
            403,
            "other_account.html",
            hidden=hidden,
            client=introduced(pending.client, language),
            username=username,
            logout=logout,
            destination=destination(pending.redirect_uri),
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
        """Render the consent page; `remember` ticks the box that remembers the answer.

        Scope openid can't be unticked: the client then learns who the user is, or nothing if they deny.

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
            # The URI is shown beside the name given by the operator, or alone if there is none.
            resources=[(one.name, one.uri, one in pending.allowed_at) for one in pending.resources],
            details=[detail.description for detail in pending.details],
            claims=list(dict.fromkeys(self.describe_claim(name, language) for name in pending.claims)),
            username=username,
            logout=logout,
            remember=remember,
        )

    def device(self, language: str, hidden: Hidden, user_code: str, problem: CodeProblem | None = None) -> Response:
        """Ask for the code that a device shows; again, where no device waits with it, or too many were wrong."""
        wait = None if problem is None or problem.wait is None else -(-problem.wait // 60)
        status = 200 if problem is None else 400 if wait is None else 429
        page = self._page(
            language,
            status,
            "device.html",
            hidden=hidden,
            user_code=user_code,
            wrong=problem is not None,
            wait=wait,
        )
        if problem is None or problem.wait is None:
            return page
        return attrs.evolve(page, headers=(*page.headers, ("Retry-After", str(problem.wait))))

    def device_approve(
        self, language: str, hidden: Hidden, pending: PendingDevice, username: str, logout: str
    ) -> Response:
        """Ask whether a device may have what it asks for, and show its code to be compared; nothing is remembered."""
        language, client = self.preferred(language, pending), pending.client
        pages = shown_pages(client)
        return self._page(
            language,
            200,
            "device_approve.html",
            hidden=hidden,
            client=client_name(client, language),
            unverified=client.is_unverified,
            host=host_of_document(client),
            organization=None if client.is_unverified else client.organization_name,
            website=pages.get("client_uri"),
            policy=pages.get("policy_uri"),
            terms=pages.get("tos_uri"),
            user_code=pending.user_code,
            identity=self.describe("openid", language) if "openid" in pending.scope else None,
            scopes=[(token, self.describe(token, language)) for token in pending.scope.tokens if token != "openid"],
            resources=[(one.name, one.uri) for one in pending.resources],
            claims=list(dict.fromkeys(self.describe_claim(name, language) for name in pending.claims)),
            username=username,
            logout=logout,
        )

    def device_done(self, language: str, account: str, *, allowed: bool) -> Response:
        """Say that a device was allowed or denied."""
        return self._page(language, 200, "device_done.html", account=account, allowed=allowed)

    def requests(
        self,
        language: str,
        hidden: Hidden,
        pending: Iterable[PendingBackchannelRequest],
        username: str,
        logout: str,
        account: str,
        *,
        done: str | None = None,
    ) -> Response:
        """Ask whether clients may have what they ask for in the background; `done` is `allowed` or `denied`."""
        return self._page(
            language,
            200,
            "requests.html",
            hidden=hidden,
            requests=[self._pending(request, language) for request in pending],
            username=username,
            logout=logout,
            account=account,
            done=done,
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
        requests: str = "",
        waiting: int = 0,
        done: str | None = None,
    ) -> Response:
        """Render the account page; `done` is `revoked` or `ended` after such an action.

        `requests` is the page of what clients ask in the background, blank if there is none, and `waiting` how many
        requests wait there.
        """
        return self._page(
            language,
            200,
            "account.html",
            hidden=hidden,
            username=username,
            applications=[self._listed(application, language) for application in applications],
            logout=logout,
            sessions=[session.fields for session in sessions],
            requests=requests,
            waiting=waiting,
            revoked=done == "revoked",
            ended=done == "ended",
        )

    def logout(self, language: str, hidden: Hidden, username: str, client: Client | None = None) -> Response:
        """Ask whether to sign out: a link on another site must not be enough."""
        name = None if client is None else introduced(client, language)
        return self._page(language, 200, "logout.html", hidden=hidden, username=username, client=name)

    def signed_out(self, language: str, login: str, left: SignedOut = NOBODY_TO_TELL) -> Response:
        """Say that the user is signed out; frames notify the clients, and then the browser is redirected."""
        page = {"frames": left.frames, "location": left.location, "wait": WAIT}
        return self._page(language, 200, "signed_out.html", left.frame_sources, login=login, **page)

    def error(self, page: ErrorPage, language: str | None = None, retry_url: str | None = None) -> Response:
        """Render an error page, when the core can't redirect; `again` links back to the page."""
        chosen = language or self._languages[0]
        # Translated here: a template would trust a text that it translates itself, and not escape it.
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
        """Return the meaning of a scope."""
        description = self._scopes.get(token)
        if description is None:
            return self._texts[language].gettext(SCOPES[token]) if token in SCOPES else token
        if isinstance(description, str):
            return description
        return description.get(language) or next(iter(description.values()), token)

    def describe_claim(self, name: str, language: str) -> str:
        """Return the meaning of a claim: in the operator's words, in those of its scope, or its name."""
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
            "may_use": application.may_use,
            "devices": [self._single(device, language) for device in application.devices],
            # A till may ask every day; what is older is ended with the application as a whole.
            "requests": [self._single(request, language) for request in application.requests[:MAX_REQUESTS]],
        }

    def _pending(self, request: PendingBackchannelRequest, language: str) -> dict[str, object]:
        client = request.client
        pages = shown_pages(client)
        since, until = (datetime.fromtimestamp(at, UTC) for at in (request.requested_at, request.answer_before))
        return {
            "id": request.id,
            "client": client_name(client, language),
            "organization": client.organization_name,
            "website": pages.get("client_uri"),
            "policy": pages.get("policy_uri"),
            "terms": pages.get("tos_uri"),
            "binding_message": request.binding_message,
            "identity": self.describe("openid", language),
            "scopes": [(token, self.describe(token, language)) for token in request.scope.tokens if token != "openid"],
            "resources": [(one.name, one.uri) for one in request.resources],
            "since": since.strftime("%H:%M:%S UTC"),
            "since_exactly": since.isoformat(),
            "until": until.strftime("%H:%M:%S UTC"),
            "until_exactly": until.isoformat(),
        }

    def _single(self, device: AuthorizedDevice, language: str) -> dict[str, object]:
        since = datetime.fromtimestamp(device.granted_at, UTC)
        return {
            "grant": device.grant,
            "since": since.strftime("%Y-%m-%d %H:%M UTC"),
            "since_exactly": since.isoformat(),
            "scopes": [self.describe(token, language) for token in device.scope.tokens],
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
    """Return the Jinja2 environment of one language."""
    made = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        bytecode_cache=COMPILED,
    )
    made.install_gettext_translations(texts, newstyle=True)  # type: ignore[attr-defined]  # the extension adds it
    return made


def compile_all(environment: Environment) -> None:
    """Compile every template now, so that a mistake is found before a user meets it."""
    for name in TEMPLATES:
        try:
            environment.get_template(name)
        except TemplateError as error:
            remedy = f"it can't be read: {error}; correct it, or leave it to the package's"
            raise ConfigurationError("templates", name, remedy) from None


def content_security_policy(style_digest: str, image_source: str | None = None) -> str:
    """Allow only the page's own style sheet and the operator's logo."""
    # No form-action: Chromium also applies it to redirects after a form, and these forms end at the client's
    # redirect URI, on an origin that is not known here. 'self' would break every authorization.
    images = "" if image_source is None else f" img-src {image_source};"
    return f"default-src 'none'; style-src 'sha256-{style_digest}';{images} frame-ancestors 'none'; base-uri 'none'"


def client_name(client: Client, language: str) -> str:
    """Return the name of a client, in the page's language if it has one (RFC 7591 section 2.2)."""
    names = {ascii_lower(name): text for name, text in client.localized}
    return names.get(f"client_name#{ascii_lower(language)}") or client.name or client.client_id


def introduced(client: Client, language: str) -> str:
    """Return the name of a client where nothing else is shown of it.

    A name that is not verified may be that of a bank, so it is shown only with the redirect host, which is verified.
    """
    name, host = client_name(client, language), host_of_document(client)
    if host is not None:
        return f"{name} ({host})"
    return f"{name} ({destinations(client)})" if client.is_unverified and client.redirect_uris else name


def host_of_document(client: Client) -> str | None:
    """Return the host that a client's metadata document is at, None for a client that is registered.

    The host that publishes the document identifies the client, so the page names it first (the draft's section 6.4).
    """
    return None if client.document is None else urlsplit(client.client_id).netloc


def destinations(client: Client) -> str:
    """Return where a client's responses are sent."""
    return ", ".join(dict.fromkeys(map(destination, client.redirect_uris)))


def shown_pages(client: Client, redirect_uri: str | None = None) -> dict[str, str]:
    """Return a client's pages that may be linked to: https only, since another scheme might run a script.

    Of a client that registered itself, those are left out that may belong to others (RFC 7591 section 5); the
    `redirect_uri` is where the answer goes, None if there is none to come.
    """
    if client.is_unverified:
        return own_pages(client, redirect_uri)
    pages = {name: getattr(client, name) for name in ("client_uri", "policy_uri", "tos_uri")}
    return {name: uri for name, uri in pages.items() if uri is not None and uri.startswith("https://")}


def destination(redirect_uri: str) -> str:
    """Return the part of a redirect URI that identifies its receiver: the host, or an application's scheme."""
    return web_host(redirect_uri) or urlsplit(redirect_uri).scheme
