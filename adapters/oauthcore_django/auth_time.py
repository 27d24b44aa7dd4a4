"""The login time of a Django session, stored in the session, since Django's user does not have it.

`last_login` is the time of the newest login in any browser. If that were reported, a year-old session would count as
fresh as soon as its user signs in in another browser, and a client's `prompt=login` or `max_age` (OIDC Core section
3.1.2.1) would be met without a login.
"""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.base import SessionBase
from django.dispatch import receiver
from django.http import HttpRequest

KEY = "_oauthcore_auth_time"


@receiver(user_logged_in, dispatch_uid="oauthcore_django.auth_time")
def remember_auth_time(request: HttpRequest | None, **signal: Any) -> None:
    """Store the time of a login in its session; `django.contrib.auth.login` sends this signal each time."""
    session = session_of(request)
    if session is None:
        return
    # Times have a resolution of seconds. A second login within the same second is stored one second later, since the
    # same time would look to the core as if the user had not logged in again for the request that waits for it.
    before = session.get(KEY)
    session[KEY] = max(int(time.time()), before + 1 if isinstance(before, int) else 0)


def auth_time_of(request: HttpRequest) -> int | None:
    """Return when the user of this session logged in (seconds since the epoch); None if it is not stored."""
    session = session_of(request)
    return None if session is None else session.get(KEY)


def session_of(request: HttpRequest | None) -> SessionBase | None:
    """Return a request's session, or None in a project without Django's sessions."""
    return getattr(request, "session", None)
