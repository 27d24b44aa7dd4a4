"""Who is signed in: what the host says of it, and what is remembered from signing in until every client was told."""

from __future__ import annotations

import attrs

from oauthcore.digest import Digest
from oauthcore.given import are_strings, as_strings, check_kind
from oauthcore.records.client_subject import check_subject
from oauthcore.records.lifecycle import SessionState

# The name of a password for `amr` (RFC 8176 section 2); where there is no other way to sign in, it does for `acr`, too.
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
        check_kind("login", login, Login, "give a Login(subject=…, auth_time=…), or None where nobody is signed in")


@attrs.frozen(kw_only=True)
class LoginSession:
    """Remember a login session: one person at one browser, from signing in to signing out (OIDC Back-Channel Logout).

    Its key is the `sid` that the host knows it by; the one in ID tokens is derived from it, another for each client.
    Neither is a credential: whoever knows it can do nothing with it. What a host keeps in its cookie is its own affair.
    `client_ids` got an ID token in it, `client_generations` tells which registration of each it was, in the same order:
    a later client of that identifier has nothing to do with this session. Sessions of earlier versions tell it of none.
    `authorizations` counts, so that whoever ends it and has not seen the newest grant decides again.
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
    """Hold what a client asked for when it sent a person here to sign out (OIDC RP-Initiated Logout section 2).

    It changes nothing and is asked by anybody, so it is carried by its handle and stored nowhere.

    `post_logout_redirect_uri` is one of the client's. `hinted_subject` and `hinted_sid` are what a verified hint named:
    the person as that client knows them, and their session. `browser` is the digest of the cookie it came with.
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
    """Remember that a client has to be told of the end of a session (OIDC Back-Channel Logout 1.0).

    All of them have the same `subject`, by which whoever delivers finds them, after a restart, too. `person` is whose
    session it was. Who tries next moves `next_try_at` first, so that no two try at once.
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
