"""A person at an application under test: they go to its login, sign in at the provider, and come back.

The application is called by its own test client, whichever that is: httpx, requests, or Starlette's, Flask's, Django's
and Litestar's. What it has to have is `get` and `post`, and responses with a status and headers.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from oauthcore_mock import Browser, Callback, NotSentBack, User

# From the login page of an application to the provider, by way of its own redirects.
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
    """Go to a path of the application that sends the browser to the provider, sign in there, and return what the
    application answers to that. No redirect is followed after it.

    Raises `NotSentBack` where the application sends the browser to no provider, or the provider does not send it back.
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
    """Do the same as `log_in` with a client that is awaited: `httpx.AsyncClient`, Quart's test client."""
    where, response = path, await http.get(path, **_no_redirects(http.get))
    for _ in range(MANY_REDIRECTS):
        location = _location_of(where, response)
        if browser.knows(location):
            return await bring_back(http, _walk(browser, location, sub, claims, scope, denies=denies))
        where, response = location, await http.get(location, **_no_redirects(http.get))
    raise NotSentBack(f"{path} leads from one redirect to the next, and never to the provider")


def begin(browser: Browser, http: Any, path: str) -> str:
    """Go to a path of the application, and return the provider's URL that it sends the browser to."""
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
    """Call the application as a browser does that comes back from the provider, and return its response."""
    if callback.form is None:
        return http.get(callback.url, **_no_redirects(http.get))
    parameters = inspect.signature(http.post).parameters
    # Quart has a name of its own for a form; Django takes it for `data` by position, as Flask does by name.
    name = "form" if "form" in parameters and "data" in parameters and "files" in parameters else "data"
    return http.post(callback.url, **{name: dict(callback.form)}, **_no_redirects(http.post))


def _no_redirects(method: Any) -> dict[str, Any]:
    """Return how a client is told to follow no redirect: where it would, and by its own word for that."""
    parameters = inspect.signature(method).parameters
    if "follow_redirects" in parameters:
        return {"follow_redirects": False}
    return (
        {"allow_redirects": False} if type(getattr(method, "__self__", None)).__module__.startswith("requests") else {}
    )


def _location_of(where: str, response: Any) -> str:
    """Return where a response sends the browser; raises `NotSentBack`."""
    location = response.headers.get("location")
    if location is None:
        status = getattr(response, "status_code", None)
        raise NotSentBack(f"{where} answers {status} and sends the browser nowhere: it has to lead to the provider")
    return str(location) if urlsplit(str(location)).netloc else urljoin(where, str(location))
