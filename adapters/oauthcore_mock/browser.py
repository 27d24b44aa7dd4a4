"""A browser for tests, without a real one: it walks from a client's authorization request back to the client.

It calls the provider in the same process and never waits, so blocking and async tests use it alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import attrs

from oauthcore import Request, Response
from oauthcore_mock.people import Decision, User, decision
from oauthcore_mock.provider import Provider


@attrs.frozen
class Callback:
    """Hold what a browser brings back to a client: a GET of `url`, or with `form` a POST of that to `url`.

    `parameters` are those of the authorization response, in the query, the fragment or the form.
    """

    url: str
    parameters: Mapping[str, str] = attrs.field(repr=False)
    form: Mapping[str, str] | None = attrs.field(default=None, repr=False)

    @property
    def method(self) -> str:
        """Return the HTTP method of the request to the client."""
        return "GET" if self.form is None else "POST"

    @property
    def target(self) -> str:
        """Return path and query, for a test client that is called without a host."""
        parts = urlsplit(self.url)
        return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"

    @property
    def code(self) -> str:
        """Return the authorization code; raises `AssertionError` if there is an error instead."""
        if "code" not in self.parameters:
            raise AssertionError(f"the client gets no code, but {dict(self.parameters)}")
        return self.parameters["code"]

    @property
    def error(self) -> str | None:
        """Return the error code that the client gets; None if there is none."""
        return self.parameters.get("error")

    @property
    def state(self) -> str | None:
        """Return the `state` of the response."""
        return self.parameters.get("state")


class NotSentBack(AssertionError):
    """Raised if a browser ends at the provider: the request was refused there, or was not for a provider."""


class Browser:
    """One user's browser: it keeps the provider's cookies, so that the user stays signed in.

    Without a user, the next one in line signs in, as `issuer.next_login` says.
    """

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._cookies: dict[str, dict[str, str]] = {}

    def authorize(
        self,
        url: str,
        sub: str | User | None = None,
        claims: Mapping[str, object] | None = None,
        *,
        scope: str | Iterable[str] | None = None,
        acr: str | None = None,
    ) -> Callback:
        """Follow a client's authorization URL; sign in as `sub`, allow `scope` or everything, and return to the client.

        Raises `NotSentBack` with the reason if the provider shows an error instead.
        """
        if sub is None and claims is None and scope is None and acr is None:
            return self._back(url, None)
        people = self.provider.issuer_at(url).people
        return self._back(url, decision(sub or people.default, claims, people, scope=scope, acr=acr))

    def deny(self, url: str, sub: str | User | None = None) -> Callback:
        """Follow a client's authorization URL, and deny."""
        people = self.provider.issuer_at(url).people
        return self._back(url, decision(sub or people.default, None, people, denies=True))

    def connect_device(
        self,
        url: str,
        sub: str | User | None = None,
        claims: Mapping[str, object] | None = None,
        *,
        scope: str | Iterable[str] | None = None,
        denies: bool = False,
    ) -> None:
        """Follow a device's `verification_uri_complete`; sign in as `sub`, and allow `scope`, everything, or nothing.

        Raises `NotSentBack` if no device waits with its code.
        """
        decided = None
        if sub is not None or claims is not None or scope is not None or denies:
            people = self.provider.issuer_at(url).people
            decided = decision(sub or people.default, claims, people, scope=scope, denies=denies)
        response = self.visit(url, decided)
        if response.status >= 400:
            raise NotSentBack(_said(url, response))

    def log_out(self, url: str) -> str | None:
        """Follow a client's logout URL; return where the browser is redirected afterwards, None if it is not."""
        response = self.visit(url)
        if response.status >= 400:
            raise NotSentBack(_said(url, response))
        return response.header("location")

    def visit(self, url: str, decided: Decision | None = None) -> Response:
        """Request any URL of the provider, and return the response unchanged."""
        issuer = self.provider.issuer_at(url)
        cookies = self._cookies.setdefault(issuer.url, {})
        header = "; ".join(f"{name}={value}" for name, value in cookies.items())
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        request = Request("GET", target, (("cookie", header),) if header else ())
        response = issuer.handle(request, decided).response
        for name, value in response.headers:
            if name == "Set-Cookie":
                key, _, kept = value.partition(";")[0].partition("=")
                cookies[key] = kept
        return response

    def knows(self, url: str) -> bool:
        """Return whether an absolute URL belongs to the provider."""
        return bool(urlsplit(url).netloc) and self.provider.owns(url)

    def forget(self) -> None:
        """Delete all cookies, as if this were another user's browser."""
        self._cookies.clear()

    def _back(self, url: str, decided: Decision | None) -> Callback:
        response = self.visit(url, decided)
        location = response.header("location")
        if location is not None and not self.knows(location):
            parts = urlsplit(location)
            return Callback(location, dict(parse_qsl(parts.query) + parse_qsl(parts.fragment)))
        if response.status == 200 and b"<form" in response.body:
            page = _Form()
            page.feed(response.body.decode())
            if page.action and not self.knows(page.action):
                return Callback(page.action, page.fields, page.fields)
        raise NotSentBack(_said(url, response))


def _said(url: str, response: Response) -> str:
    refusal = response.refusal
    why = "" if refusal is None else f": {refusal.code}, {refusal.reason}"
    return f"the provider answered {urlsplit(url).path} with {response.status} and no way back to the client{why}"


class _Form(HTMLParser):
    """Parse the self-submitting form (OAuth 2.0 Form Post Response Mode section 2)."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Note the form's action and fields."""
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = found.get("action", "")
        if tag == "input" and "name" in found:
            self.fields[found["name"]] = found.get("value", "")
