"""Whole lifetimes of grants, walked through a server and held against a small model: the invariants of the house.

The model knows nine sentences. A code works once, and its second use ends its grant. The newest refresh token of a
live grant works; the one before it gives the same pair while the retry window is open and its successor is unused; any
older one ends the grant. Scope never grows. A revoked refresh token ends its grant. What is past its time, or on an
ended grant, is dead. A withdrawal ends all grants of its user, and no others. What another client presents, or one
that does not authenticate, is refused and changes nothing. A token is for the resources that its request named, or
for all those of its grant, with the scope that these accept; a request for another resource is refused. What one user
allowed is never used for another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeAlias

import attrs

from oauthcore.flow.drivers import World, run
from oauthcore.policy import Lifetimes, Policy
from oauthcore.resources import Resource
from oauthcore.server import AuthorizationServer
from oauthcore.storage.memory import MemoryStorage
from oauthcore.testing.answers import described, granted, refused
from oauthcore.testing.chance import FixedClock, SeededEntropy
from oauthcore.testing.client_session import CLIENT, ClientSession, Handle, location_of, parameters_of
from oauthcore.testing.misuse import MISUSES, REFRESHED_WRONGLY, How, wrong
from oauthcore.testing.model import AccessModel, CodeModel, GrantModel, RefreshModel, WaitingModel
from oauthcore.testing.storage_probe import Factory, StorageProbe
from oauthcore.testing.telling import worded
from oauthcore.wire.http import Request, Response
from oauthcore.wire.text import words

Adapter: TypeAlias = Callable[[AuthorizationServer, World], Handle]
"""Puts a server into a host, and gives how the host is asked."""

SHORT = Policy.oauth21(lifetimes=Lifetimes(access_token_lifetime=300, refresh_token_lifetime=900, grant_lifetime=3_600))
# RFC 6749 section 5.1: what `ClientSession`'s client may have, narrowest first.
SCOPES = ("email", "email profile", "email profile read")
# Two, so that one can be taken for the other.
PEOPLE = ("alice", "bob")
# RFC 8707: one API that takes any scope, one that understands a part, and what is none here.
FILES, MAIL, UNKNOWN = "https://api.example/files", "https://mail.example", "https://unknown.example"
RESOURCES: tuple[tuple[str, ...], ...] = ((), (FILES,), (MAIL,), (MAIL, FILES))
MAIL_SCOPE = frozenset({"email"})
STRANGER = attrs.evolve(CLIENT, client_id="stranger", name="Stranger")


@attrs.frozen
class Act:
    """Say what happens next in a lifetime: to which of the requests, codes or tokens there are, counted round, and how.

    `ask` leaves an authorization request waiting for its person, `approve` has her come to it; `authorize` is both, and
    `ask_wrongly` names a resource that there is not. `resources` are those that a request names.
    """

    name: Literal[
        "authorize",
        "ask",
        "ask_wrongly",
        "approve",
        "redeem",
        "redeem_wrongly",
        "refresh",
        "refresh_wrongly",
        "revoke_refresh",
        "revoke_access",
        "withdraw",
        "wait",
    ]
    which: int = 0
    scope: str | None = None
    seconds: int = 0
    subject: str = PEOPLE[0]
    how: How = "verifier"
    resources: tuple[str, ...] = ()


class Lifetime:
    """Live through acts over one fresh server, and assert after each what the model says."""

    def __init__(
        self, storage: Factory = MemoryStorage, adapter: Adapter | None = None, policy: Policy = SHORT
    ) -> None:
        self.clock, entropy = FixedClock(), SeededEntropy()
        self._stage = StorageProbe(storage)
        world = World(self._stage.storage)
        server = AuthorizationServer(
            issuer="https://as.example",
            clock=self.clock,
            entropy=entropy,
            token_key=bytes(range(32)),
            policy=policy,
            resources=[Resource(FILES), Resource(MAIL, scopes=MAIL_SCOPE)],
        )
        try:
            handle = None if adapter is None else _checked_handle(adapter(server, world))
            self.session = ClientSession.begin(server, lambda flow: run(flow, world), SeededEntropy(1), handle)
            self.stranger = ClientSession.begin(
                server, lambda flow: run(flow, world), SeededEntropy(2), handle, STRANGER
            )
        except BaseException:  # whatever was opened is closed
            self.close()
            raise
        self.lifetimes = policy.lifetimes
        self.storage = world.storage
        self.waiting: list[WaitingModel] = []
        self.grants: list[GrantModel] = []
        self.codes: list[CodeModel] = []
        self.refreshes: list[RefreshModel] = []

    @property
    def now(self) -> int:
        """Return the time."""
        return int(self.clock.now)

    def close(self) -> None:
        """Clear the storage away."""
        self._stage.__exit__(None)

    def play(self, acts: Iterable[Act]) -> None:
        """Play acts in order; one that has nothing to act on yet is passed over."""
        for act in acts:
            self._play(act)
            self.check()

    def ask(self, scope: str = SCOPES[1], subject: str = PEOPLE[0], resources: tuple[str, ...] = ()) -> WaitingModel:
        """Send a request, and leave it waiting for its person."""
        waiting = self._waiting(scope, subject, resources)
        self.waiting.append(waiting)
        return waiting

    def _waiting(self, scope: str, subject: str, resources: tuple[str, ...]) -> WaitingModel:
        sent = self.session.ask(subject, scope, resources)
        # The page shows what the resources understand, and the person allows that.
        shown = " ".join(word for word in words(scope) if word in understood(words(scope), resources))
        until = self.now + self.lifetimes.interaction_lifetime
        return WaitingModel(attrs.evolve(sent, scope=shown), until, scope, resources)

    def ask_wrongly(self, resources: tuple[str, ...] = ()) -> None:
        """Send a request that names a resource which there is not: the client is told, and no page is shown."""
        request = self.session.authorization(SCOPES[0], "s", "v" * 43, (*resources, UNKNOWN))
        location = location_of(self.session.handle(request))
        if not location.startswith(CLIENT.redirect_uris[0]):
            raise AssertionError(f"the browser was sent to {location.partition('?')[0]}")
        error = parameters_of(Response(303, (("Location", location),))).get("error")
        if error != "invalid_target":
            raise AssertionError(f"an unknown resource was answered with {error}, and not with invalid_target")

    def approve(self, waiting: WaitingModel) -> CodeModel | None:
        """Have the person approve what waits for her, if she is not too late."""
        self.waiting.remove(waiting)
        return None if self.now >= waiting.expires_at else self._approved(waiting)

    def authorize(self, scope: str = SCOPES[1], subject: str = PEOPLE[0], resources: tuple[str, ...] = ()) -> CodeModel:
        """Send a request, and have it approved."""
        return self._approved(self._waiting(scope, subject, resources))

    def _approved(self, model: WaitingModel) -> CodeModel:
        waiting = model.waiting
        value, verifier = self.session.approve(waiting)
        withheld = frozenset(words(model.requested)) - {*words(waiting.scope)}
        over_at = self.now + self.lifetimes.grant_lifetime
        grant = GrantModel(waiting.subject, over_at, waiting.scope, model.resources, withheld)
        code = CodeModel(value, verifier, grant, self.now + self.lifetimes.authorization_code_lifetime)
        self.grants.append(grant)
        self.codes.append(code)
        return code

    def redeem(self, code: CodeModel, resources: tuple[str, ...] = ()) -> RefreshModel | None:
        """Redeem a code, for the first time or again, for resources."""
        response = self.session.redeem(code.value, code.verifier, resources)
        if code.redeemed:
            refused(response, 400, "invalid_grant", "a code that was redeemed before")
            code.grant.ended = True
            return None
        if self.now >= code.expires_at:
            refused(response, 400, "invalid_grant", "a code that has expired")
            return None
        if code.grant.ended:
            refused(response, 400, "invalid_grant", "a code whose grant has ended")
            return None
        audience = self._audience(code.grant, resources)
        if audience is None:
            # RFC 8707 section 2.2; the code stays good, for who names what it is for.
            refused(response, 400, "invalid_target", "a code for a resource that was not allowed")
            return None
        code.redeemed = True
        return self._given(code.grant, granted(response, "a code"), audience)

    def _audience(self, grant: GrantModel, resources: tuple[str, ...]) -> tuple[str, ...] | None:
        """Return the audience of a token on a grant; None if one of the resources does not belong to the grant."""
        allowed = grant.resources or (self.session.server.issuer,)
        if not resources:
            return allowed
        return resources if set(resources) <= set(allowed) else None

    def redeem_wrongly(self, code: CodeModel, how: How = "verifier") -> None:
        """Redeem a code as an attacker who has only seen it, or wrongly: refused, and nothing else."""
        session = self.stranger if how == "client" else self.session
        request = session.redemption(code.value, "x" * 43 if how == "verifier" else code.verifier)
        self._misuse(request, how, f"code={code.value}", "a code")

    def refresh_wrongly(self, token: RefreshModel, how: How = "client") -> None:
        """Use a refresh token as an attacker who has only seen it, or wrongly: refused, and nothing else."""
        session = self.stranger if how == "client" else self.session
        self._misuse(session.rotation(token.value), how, f"refresh_token={token.value}", "a refresh token")
        if how == "client":
            description = described(session.handle(session.inspection(token.value)), "another client's refresh token")
            if description is not None:
                raise AssertionError("a client is told of another client's refresh token")

    def _misuse(self, request: Request, how: How, value: str, what: str) -> None:
        misuse = MISUSES[how]
        response = self.session.handle(wrong(request, how, value))
        refused(response, misuse.status, misuse.code, f"{what} with {misuse.description}")

    def refresh(
        self, token: RefreshModel, scope: str | None = None, resources: tuple[str, ...] = ()
    ) -> RefreshModel | None:
        """Use a refresh token: the newest, the one before it, or one long spent."""
        grant = token.grant
        response = self.session.refresh(token.value, resources, **({} if scope is None else {"scope": scope}))
        if not grant.is_live(self.now) or self.now >= token.expires_at:
            refused(response, 400, "invalid_grant", "a refresh token that is dead")
            return None
        place = grant.refreshes.index(token) - len(grant.refreshes)
        is_retry = place == -2 and self._in_window(token)
        if place != -1 and not is_retry:
            refused(response, 400, "invalid_grant", "a refresh token that was used before")
            grant.ended = True
            return None
        # What the authorization request named in vain is left out once more, as it was then.
        wanted = set(words(grant.scope)) if scope is None else {*words(scope)} - grant.withheld
        if not wanted or not wanted <= {*words(grant.scope)}:
            refused(response, 400, "invalid_scope", f"{scope} on a grant for {grant.scope}")
            return None
        audience = self._audience(grant, resources)
        if audience is None or (is_retry and set(audience) != set(token.audience)):
            refused(response, 400, "invalid_target", f"a refresh token for {' '.join(resources) or 'all resources'}")
            return None
        answer = granted(response, "the newest refresh token" if place == -1 else "an honest retry")
        if is_retry:
            self._is_same(token, answer)
            return None
        token.rotated_at, token.answer, token.audience = self.now, answer, audience
        return self._given(grant, answer, audience, wanted)

    def revoke_refresh(self, token: RefreshModel) -> None:
        """Revoke by a refresh token, old or new: the grant ends."""
        if self.session.revoke(token.value).status != 200:
            raise AssertionError("a revocation was refused")
        token.grant.ended = True

    def revoke_access(self, grant: GrantModel) -> None:
        """Revoke the newest access token of a grant: it ends alone, and no retry gives it out again."""
        access = grant.accesses[-1]
        was_there = not access.revoked
        if self.session.revoke(access.value).status != 200:
            raise AssertionError("a revocation was refused")
        access.revoked = True
        if was_there and grant.is_live(self.now) and len(grant.refreshes) > 1:
            grant.refreshes[-2].retry_closed = True

    def withdraw(self, subject: str = PEOPLE[0], client_id: str | None = None) -> None:
        """Have a person take back what they authorized, for one client or for all: their grants end."""
        self.session.drive(self.session.server.applications.withdraw(subject, client_id))
        for grant in self.grants:
            if grant.subject == subject and client_id in {None, self.session.client.client_id}:
                grant.ended = True

    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    def purge(self, limit: int) -> None:
        """Purge: it must never be noticed."""
        if self.storage.purge(self.now, limit) > limit:
            raise AssertionError("a purge took more than its limit")

    def check(self) -> None:
        """Ask about every token that was ever handed out, and compare it with the model."""
        for grant in self.grants:
            alive = grant.is_live(self.now)
            for access in grant.accesses:
                expected = alive and not access.revoked and self.now < access.expires_at
                description = self._described(access.value, "an access token", grant, expected)
                is_as_granted = description is None or description.get("scope") == access.scope
                if not is_as_granted:
                    raise AssertionError("an access token is for another scope now")
                audience = None if description is None else description.get("aud")
                expected_audience = None if description is None else list(access.audience)
                if audience != expected_audience:
                    raise AssertionError(f"an access token for {expected_audience} is for {audience}")
            for number, token in enumerate(grant.refreshes):
                expected = alive and number == len(grant.refreshes) - 1 and self.now < token.expires_at
                self._described(token.value, "a refresh token", grant, expected)

    def _described(self, token: str, what: str, grant: GrantModel, expected: bool) -> dict[str, Any] | None:
        """Ask about a token: it has to be live or dead, and whose it is."""
        description = described(self.session.handle(self.session.inspection(token)), what)
        if (description is not None) is not expected:
            raise AssertionError(_life_in_words(what, expected, grant))
        if description is not None:
            whose = description.get("sub"), description.get("client_id")
            mine = grant.subject, self.session.client.client_id
            if whose != mine:
                raise AssertionError(f"{what} of {mine[0]}'s for {mine[1]} is {whose[0]}'s for {whose[1]}")
        return description

    def _play(self, act: Act) -> None:
        match act.name:
            case "authorize":
                self.authorize(act.scope or SCOPES[1], act.subject, act.resources)
            case "ask":
                self.ask(act.scope or SCOPES[1], act.subject, act.resources)
            case "ask_wrongly":
                self.ask_wrongly(act.resources)
            case "approve" if self.waiting:
                self.approve(self.waiting[act.which % len(self.waiting)])
            case "wait":
                self.wait(act.seconds)
            case "withdraw":
                self.withdraw(act.subject)
            case "redeem" if self.codes:
                self.redeem(self.codes[act.which % len(self.codes)], act.resources)
            case "redeem_wrongly" if self.codes:
                self.redeem_wrongly(self.codes[act.which % len(self.codes)], act.how)
            case "refresh" if self.refreshes:
                self.refresh(self.refreshes[act.which % len(self.refreshes)], act.scope, act.resources)
            case "refresh_wrongly" if self.refreshes and act.how in REFRESHED_WRONGLY:
                self.refresh_wrongly(self.refreshes[act.which % len(self.refreshes)], act.how)
            case "revoke_refresh" if self.refreshes:
                self.revoke_refresh(self.refreshes[act.which % len(self.refreshes)])
            case "revoke_access" if self.refreshes:
                self.revoke_access(self.refreshes[act.which % len(self.refreshes)].grant)
            case _:
                pass

    def _in_window(self, token: RefreshModel) -> bool:
        window = self.lifetimes.refresh_retry_lifetime
        return token.rotated_at is not None and self.now < token.rotated_at + window and not token.retry_closed

    def _given(
        self, grant: GrantModel, answer: dict[str, Any], audience: tuple[str, ...], wanted: set[str] | None = None
    ) -> RefreshModel:
        scope = set(words(answer.get("scope")))
        if not scope.issubset(words(grant.scope)):
            raise AssertionError(f"{scope} was given on a grant for {grant.scope}: scope has grown")
        expected = understood(wanted or words(grant.scope), grant.resources and audience)
        if scope != expected:
            raise AssertionError(f"{scope} was given where {expected} was asked for, at {' '.join(audience)}")
        refresh_until = min(self.now + self.lifetimes.refresh_token_lifetime, grant.over_at)
        token = RefreshModel(str(answer["refresh_token"]), grant, refresh_until)
        access_until = min(self.now + self.lifetimes.access_token_lifetime, grant.over_at)
        granted_scope = str(answer.get("scope", grant.scope))
        grant.accesses.append(AccessModel(str(answer["access_token"]), grant, access_until, granted_scope, audience))
        if answer["expires_in"] != access_until - self.now:
            raise AssertionError("expires_in is not when the token expires")
        grant.refreshes.append(token)
        self.refreshes.append(token)
        return token

    def _is_same(self, token: RefreshModel, answer: dict[str, Any]) -> None:
        assert token.answer is not None
        for name in ("access_token", "refresh_token", "scope"):
            if answer[name] != token.answer[name]:
                raise AssertionError(f"an honest retry got another {name}")


def understood(scope: Iterable[str], resources: tuple[str, ...]) -> set[str]:
    """Return what is left of a scope at resources: at the one that understands a part alone, that part."""
    return {*scope} & MAIL_SCOPE if resources == (MAIL,) else {*scope}


def _checked_handle(handle: Any) -> Handle:
    """Return what an adapter gave; raises `TypeError` for nothing, which would else be passed by, and for no answer."""
    if not callable(handle):
        raise TypeError(f"the adapter gave {worded(handle)}: it has to give a function from a Request to a Response")

    def checked(request: Request) -> Response:
        """Ask, and look at the sort of the answer."""
        response = handle(request)
        if not isinstance(response, Response):
            kind = type(response)
            raise TypeError(f"the adapter answered with a {kind.__module__}.{kind.__qualname__}: make a Response of it")
        return response

    return checked


def _life_in_words(what: str, expected: bool, grant: GrantModel) -> str:
    ended = "an ended" if grant.ended else "a"
    return (
        f"{what} of {ended} grant is {'dead' if expected else 'live'}, and should be {'live' if expected else 'dead'}"
    )
