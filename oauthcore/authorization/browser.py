"""The browser binding: an interaction is completed only in the browser that started it.

Without it, an attacker could start a request, get a victim to log in for it, and receive the victim's code.
"""

from __future__ import annotations

import re

from oauthcore.context import Context
from oauthcore.digest import Digest, Secret, same_digest
from oauthcore.records.interaction import Interaction
from oauthcore.wire.http import Headers, Request
from oauthcore.wire.parameters import cookie_of

_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")


def cookie_name(context: Context) -> str:
    """Return the cookie's name: `__Host-` keeps other hosts of the domain from planting one (RFC 6265bis 4.1.3.2)."""
    return "__Host-oauthcore-browser" if context.issuer.startswith("https:") else "oauthcore-browser"


def browser_of(request: Request, context: Context) -> Secret | None:
    """Return what the browser showed; None if it showed nothing, two things, or what this server never made."""
    value = cookie_of(request, cookie_name(context))
    # A repeated cookie may be one that another host of the domain has planted, so two count as none.
    return Secret(value) if value is not None and _VALUE.fullmatch(value) else None


def bind(browser: Secret | None, context: Context) -> tuple[Digest, Headers]:
    """Return the digest to remember, and the headers that make the browser remember its side.

    A browser that has a value keeps it, so that two tabs can wait at the same time.
    """
    if browser is not None:
        return context.digest("browser", browser), ()
    value = context.mint()
    # Lax: the browser comes back from a foreign site's link with GET, and must then have it.
    attributes = "; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if context.issuer.startswith("https:") else "")
    header = ("Set-Cookie", f"{cookie_name(context)}={value.reveal()}{attributes}")
    return context.digest("browser", value), (header,)


def form_token(handle: Secret, browser: Secret, context: Context) -> Secret:
    """Return what a form of the application's carries, so that no other site's form is taken for it.

    It hangs on the browser's own value, which no other site can read, and on the interaction the form is about.
    """
    # This is the defence against cross-site request forgery of the consent page (RFC 6749 section 10.12).
    return context.derive("form", Secret(f"{handle.reveal()} {browser.reveal()}"))


def resume_proof(handle: Secret, answered: Interaction, context: Context) -> Secret:
    """Return the proof that this browser has answered an interaction, for the redirect back.

    It depends on the answer: an interaction may be answered again by another user, and then a proof that the first
    user kept must not be valid.
    """
    subject = "" if answered.login is None else answered.login.subject
    return context.derive("resume", Secret(f"{handle.reveal()} {subject}"))


def is_same_browser(browser: Secret | None, bound: Digest, context: Context) -> bool:
    """Return whether it is the browser that the interaction started in."""
    # RFC 9700 section 4.7: a request belongs to one user agent. The comparison takes the same time wherever the values
    # differ.
    return browser is not None and same_digest(context.digest("browser", browser), bound)
