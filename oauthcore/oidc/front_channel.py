"""Front-Channel Logout: the browser notifies the clients, in frames of the page that confirms the logout.

(OIDC Front-Channel Logout 1.0.) It works without scripts: a frame is a GET, and the page is left by a refresh.
"""

from __future__ import annotations

from html import escape
from urllib.parse import urlsplit

import attrs

from oauthcore.context import Context
from oauthcore.oidc.session import Clients, clients_in
from oauthcore.oidc.sid import sid_for
from oauthcore.records.client import Client
from oauthcore.records.login import LoginSession
from oauthcore.redirect_uri import with_parameters
from oauthcore.wire.http import Response
from oauthcore.wire.refusals import PAGE_HEADERS

# Seconds for the frames to load, before the browser is redirected: a client's page may be slow, and users impatient.
WAIT = 4


@attrs.frozen
class SignedOut:
    """Hold what the page after a logout has to show.

    `frames` are the URLs that clients want loaded in it. `location` is where the browser goes then: at once if there
    are no frames, otherwise after a few seconds, by a link and a refresh.
    """

    frames: tuple[str, ...]
    location: str | None

    @property
    def frame_sources(self) -> tuple[str, ...]:
        """Return what the content security policy has to allow for the frames, and no more (CSP 3 section 6.1.5)."""
        parts = (urlsplit(frame) for frame in self.frames)
        return tuple(dict.fromkeys(f"{part.scheme}://{part.netloc}" for part in parts))


def frames_for(session: LoginSession, clients: Clients, context: Context) -> tuple[str, ...]:
    """Return the URLs to load, each with `iss` and `sid`, so that a client knows which session it is (section 2)."""
    frames = (frame_of(client, session, context) for client in clients_in(session, clients))
    return tuple(frame for frame in frames if frame is not None)


def frame_of(client: Client, session: LoginSession, context: Context) -> str | None:
    """Return the URL that a client wants opened, None if it wants none."""
    if client.frontchannel_logout_uri is None:
        return None
    # Front-Channel Logout section 2: both together, or neither. They identify the session to end.
    named = {"iss": context.issuer, "sid": sid_for(client, session.key, context)}
    return with_parameters(client.frontchannel_logout_uri, "query", named)


def plain_signed_out_page(signed_out: SignedOut) -> Response:
    """Render the page for a host that has no templates of its own."""
    refresh, link = "", ""
    if signed_out.location is not None:
        url = escape(signed_out.location)
        refresh = f'<meta http-equiv="refresh" content="{WAIT};url={url}">'
        link = f'<p><a href="{url}">Continue</a></p>'
    frames = "".join(f'<iframe src="{escape(frame)}" title="" hidden></iframe>' for frame in signed_out.frames)
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{refresh}<title>You are signed out</title></head>'
        f"<body><h1>You are signed out.</h1>{link}{frames}</body></html>"
    )
    sources = " ".join(signed_out.frame_sources) or "'none'"
    # Only the registered logout URIs may be framed; no script runs, since none is needed.
    policy = f"default-src 'none'; frame-src {sources}; frame-ancestors 'none'; base-uri 'none'"
    return Response(200, (*PAGE_HEADERS, ("Content-Security-Policy", policy)), html.encode())
