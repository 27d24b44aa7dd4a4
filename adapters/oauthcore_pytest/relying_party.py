"""A user of an application under test, who goes to its login, signs in at the provider, and returns.

The application is called by its own test client, such as httpx, requests, or that of Starlette, Flask, Django or
Litestar. The client needs `get` and `post`, and responses with a status and headers.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from oauthcore_mock import Browser, Callback, NotSentBack, User

# The limit of the application's own redirects between its login page and the provider.
MANY_REDIRECTS = 10


def log_in(
    browser: Browser,
    http: Any,
    path: str,
    sub: str | User | None = None,
    claims: Mapping[str, object] | None = None,
    *,
    scope: str | Iterable[str] | None = None,
    denies: bool = False,
) -> Any:
    """Request a path of the application that redirects to the provider, sign in there, and return the application's
    response to the callback. A redirect after that is not followed.

    Raises `NotSentBack` if the application does not redirect to a provider, or the provider does not redirect back.
    """
    return bring_back(http, _walk(browser, begin(browser, http, path), sub, claims, scope, denies=denies))


async def alog_in(
    browser: Browser,
    http: Any,
    path: str,
    sub: str | User | None = None,
    claims: Mapping[str, object] | None = None,
    *,
    scope: str | Iterable[str] | None = None,
    denies: bool = False,
) -> Any:
    """Do the same as `log_in` with an async client, such as `httpx.AsyncClient` or Quart's test client."""
    where, response = path, await http.get(path, **_no_redirects(http.get))
    for _ in range(MANY_REDIRECTS):
        location = _location_of(where, response)
        if browser.knows(location):
            return await bring_back(http, _walk(browser, location, sub, claims, scope, denies=denies))
        where, response = location, await http.get(location, **_no_redirects(http.get))
    raise NotSentBack(f"{path} leads from one redirect to the next, and never to the provider")


def begin(browser: Browser, http: Any, path: str) -> str:
    """Request a path of the application, and return the provider's URL that it redirects to."""
    where, response = path, http.get(path, **_no_redirects(http.get))
    for _ in range(MANY_REDIRECTS):
        location = _location_of(where, response)
        if browser.knows(location):
            return location
        where, response = location, http.get(location, **_no_redirects(http.get))
    raise NotSentBack(f"{path} leads from one redirect to the next, and never to the provider")


def _walk(
    browser: Browser,
    location: str,
    sub: str | User | None,
    claims: Mapping[str, object] | None,
    scope: str | Iterable[str] | None,
    *,
    denies: bool,
) -> Callback:
    if denies:
        return browser.deny(location, sub)
    return browser.authorize(location, sub, claims, scope=scope)


def bring_back(http: Any, callback: Callback) -> Any:
    """Send the callback to the application, as a browser does, and return the response."""
    if callback.form is None:
        return http.get(callback.url, **_no_redirects(http.get))
    parameters = inspect.signature(http.post).parameters
    # The argument for a form is `form` in Quart and `data` elsewhere.
    name = "form" if "form" in parameters and "data" in parameters and "files" in parameters else "data"
    return http.post(callback.url, **{name: dict(callback.form)}, **_no_redirects(http.post))


def _no_redirects(method: Any) -> dict[str, Any]:
    """Return the argument with which this client follows no redirect."""
    parameters = inspect.signature(method).parameters
    if "follow_redirects" in parameters:
        return {"follow_redirects": False}
    return (
        {"allow_redirects": False} if type(getattr(method, "__self__", None)).__module__.startswith("requests") else {}
    )


def _location_of(where: str, response: Any) -> str:
    """Return the target of a redirect; raises `NotSentBack` if the response is not one."""
    location = response.headers.get("location")
    if location is None:
        status = getattr(response, "status_code", None)
        raise NotSentBack(f"{where} answers {status} and sends the browser nowhere: it has to lead to the provider")
    return str(location) if urlsplit(str(location)).netloc else urljoin(where, str(location))
