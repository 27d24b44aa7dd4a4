"""Who is signed in, as the host says; and the records of login sessions and of their end."""

from __future__ import annotations

import attrs

from oauthcore.digest import Digest
from oauthcore.given import are_strings, as_strings, check_kind
from oauthcore.records.client_subject import check_subject
from oauthcore.records.lifecycle import SessionState

# The name of a password in `amr` (RFC 8176 section 2); it is also the `acr` if there is no other way to sign in.
BY_PASSWORD = "pwd"


@attrs.frozen(kw_only=True)
class Login:
    """Say who is signed in: `subject` as the host knows them, `auth_time` when they proved it (epoch seconds).

    That is when they did so in the session at hand, whatever they did at another browser since. `acr` and `amr` say how
    they did (OIDC Core section 2); `sid` names their login session, where the host has such.

    Raises `ConfigurationError` for a subject that a client's could be taken for.
    """

    subject: str
    auth_time: int
    acr: str | None = None
    amr: tuple[str, ...] = attrs.field(default=(), converter=as_strings, validator=are_strings)
    sid: str | None = None

    def __attrs_post_init__(self) -> None:
        # A primary key is a number in most databases, and a clock a float.
        check_kind("subject", self.subject, str, "give the subject as a string, as in str(user.pk)")
        check_kind("auth_time", self.auth_time, int, "give whole seconds since the epoch, as in int(time.time())")
        check_subject(self.subject)


def check_login(login: object) -> None:
    """Raise `ConfigurationError` for what does not say who is signed in: neither a `Login` nor None."""
    if login is not None:
        check_kind("login", login, Login, "give a Login(subject=…, auth_time=…), or None if nobody is signed in")


@attrs.frozen(kw_only=True)
class LoginSession:
    """A login session: one user in one browser, from login to logout (OIDC Back-Channel Logout).

    Its key is the `sid` by which the host knows it; the `sid` in ID tokens is derived from it, a different one for each
    client. Neither is a credential: they are useless to an attacker. What a host keeps in its cookie is its own affair.
    `client_ids` are the clients that got an ID token in it, and `client_generations` their registrations, in the same
    order: a later client with that identifier is not notified. Sessions of earlier versions have none. `authorizations`
    counts the grants made in it, so that a logout that has not seen the newest one is decided again.
    """

    key: str
    subject: str
    auth_time: int
    started_at: int
    expires_at: int
    acr: str | None = None
    amr: tuple[str, ...] = ()
    client_ids: tuple[str, ...] = ()
    client_generations: tuple[str, ...] = ()
    # A precondition in disguise: each grant raises it, so ending the session and granting in it can't both commit on
    # the same record.
    authorizations: int = 0
    state: SessionState = SessionState.ACTIVE

    @property
    def login(self) -> Login:
        """Say who is signed in."""
        return Login(subject=self.subject, auth_time=self.auth_time, acr=self.acr, amr=self.amr, sid=self.key)


@attrs.frozen(kw_only=True)
class LogoutRequest:
    """Hold a client's logout request (OIDC RP-Initiated Logout section 2).

    It changes nothing and anybody can send one, so it is carried in its handle and not stored.

    `post_logout_redirect_uri` is one of the client's. `hinted_subject` and `hinted_sid` are from a verified hint: the
    user as that client knows them, and their session. `browser` is the digest of the cookie it came with.
    """

    browser: Digest
    expires_at: int
    client_id: str | None = None
    post_logout_redirect_uri: str | None = None
    state: str | None = attrs.field(default=None, repr=False)
    hinted_subject: str | None = None
    hinted_sid: str | None = None
    logout_hint: str | None = None
    ui_locales: str | None = None


DUE = "due"


@attrs.frozen(kw_only=True)
class LogoutDelivery:
    """Record that a client has to be notified of the end of a session (OIDC Back-Channel Logout 1.0).

    All of these records have the same `subject`, so that any worker finds them, also after a restart. `person` is the
    user whose session it was. A worker moves `next_try_at` before it tries, so that no two try at the same time.
    """

    key: Digest
    client_id: str
    person: str
    sid: str
    queued_at: int
    next_try_at: int
    expires_at: int
    tries: int = 0
    subject: str = DUE
    client_generation: str = ""
