"""The user's session with these pages: a signed cookie, which every worker can read and none has to store."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import attrs
from itsdangerous import BadData, URLSafeSerializer

from oauthcore.clock import Clock
from oauthcore.entropy import Entropy, mint
from oauthcore.records.login import BY_PASSWORD, Login
from oauthcore.wire.http import Request
from oauthcore.wire.parameters import cookie_of, without_cookies

KEY_DERIVATION = "hmac"
DIGEST_METHOD = hashlib.sha256  # the default of itsdangerous is SHA-1


@attrs.frozen
class SignedIn:
    """Hold who is signed in: the subject, and the username that they typed."""

    login: Login
    username: str


@attrs.frozen
class Session:
    """Hold a browser's session, which exists before a login, too; `id` is what its forms are bound to."""

    id: str = attrs.field(repr=False)
    signed_in: SignedIn | None = None

    @property
    def login(self) -> Login | None:
        """Return the login in the form that the core takes."""
        return None if self.signed_in is None else self.signed_in.login


@attrs.frozen
class Sessions:
    """Read sessions from cookies, and write them.

    `lifetime`, in seconds, counts from the login, not from the last request.
    """

    issuer: str
    clock: Clock
    entropy: Entropy
    lifetime: int
    _key: bytes = attrs.field(repr=False)

    def read(self, request: Request) -> Session | None:
        """Return the session of a request; None if it has none, several, or one that was tampered with."""
        value = cookie_of(request, self._cookie_name)
        if value is None:
            return None
        try:
            members = self._serializer.loads(value)
        except BadData:
            return None
        return Session(members["id"], self._signed_in(members) if "sub" in members else None)

    def _signed_in(self, members: Mapping[str, Any]) -> SignedIn | None:
        if self.clock() >= members["at"] + self.lifetime:
            return None
        return SignedIn(login_by_password(members["sub"], members["at"], members.get("sid")), members["name"])

    def without(self, request: Request) -> Request:
        """Return a request without the session's cookie, with all others."""
        return without_cookies(request, self._cookie_name)

    def begin(self) -> Session:
        """Begin a session without a user, to bind a form to."""
        return Session(mint(self.entropy).reveal())

    def sign_in(self, username: str, login: Login) -> Session:
        """Begin the session of the user who has just signed in: a new one, against session fixation."""
        return attrs.evolve(self.begin(), signed_in=SignedIn(login, username))

    def cookie(self, session: Session) -> tuple[str, str]:
        """Return the header that sets the cookie until the browser is closed."""
        members: dict[str, str | int | None] = {"id": session.id}
        if session.signed_in is not None:
            login = session.signed_in.login
            members |= {
                "sub": login.subject,
                "at": login.auth_time,
                "name": session.signed_in.username,
                "sid": login.sid,
            }
        value = self._serializer.dumps(members)
        return ("Set-Cookie", f"{self._cookie_name}={value}{self._attributes}")

    def forgotten(self) -> tuple[str, str]:
        """Return the header that deletes the cookie."""
        return ("Set-Cookie", f"{self._cookie_name}={self._attributes}; Max-Age=0")

    @property
    def _attributes(self) -> str:
        # Lax: the browser comes from the client's site by GET, and must send the cookie, or the user signs in again.
        return "; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if self._is_secure else "")

    @property
    def _is_secure(self) -> bool:
        return self.issuer.startswith("https:")

    @property
    def _cookie_name(self) -> str:
        return cookie_name("oauthcore-session", self.issuer)

    @property
    def _serializer(self) -> URLSafeSerializer:
        signer = {"key_derivation": KEY_DERIVATION, "digest_method": DIGEST_METHOD}
        return URLSafeSerializer(self._key, salt=f"oauthcore_pages.session {self.issuer}", signer_kwargs=signer)


def cookie_name(name: str, issuer: str) -> str:
    """Return the name of a cookie for one issuer.

    An issuer with a path has its own name, as there may be other issuers on the host. `__Host-` requires `Path=/`, so a
    browser sends the cookies of all issuers to each, and would keep only one of the same name.
    """
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    suffix = f"-{hashlib.sha256(path.encode()).hexdigest()[:8]}" if path else ""
    # `__Host-` keeps other hosts of the domain from setting this cookie (RFC 6265bis section 4.1.3.2).
    return ("__Host-" if parts.scheme == "https" else "") + name + suffix


def login_by_password(subject: str, auth_time: int, sid: str | None) -> Login:
    """Return the login of a user who has just been authenticated by a password."""
    return Login(subject=subject, auth_time=auth_time, acr=BY_PASSWORD, amr=(BY_PASSWORD,), sid=sid)
