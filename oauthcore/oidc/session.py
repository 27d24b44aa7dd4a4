"""Login sessions, decided: who counts as signed in, and what ends with a session (OIDC Back-Channel Logout 1.0).

A session that merely expires has ended nothing: that is how long a browser is believed, and no wish of the person's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from types import MappingProxyType

import attrs

from oauthcore.context import Context
from oauthcore.flow.effects import Flow, find, find_of
from oauthcore.flow.outcome import Change, Event, Insert, Replace
from oauthcore.oidc.logout_token import queued
from oauthcore.records.client import Client
from oauthcore.records.grant import Grant
from oauthcore.records.lifecycle import SESSION, SessionInput, advance
from oauthcore.records.liveness import is_standing, may_outlive_session
from oauthcore.records.login import Login, LoginSession
from oauthcore.revocation import revoke_grant

Clients = Mapping[str, Client | None]


def session_of(login: Login | None) -> Flow[LoginSession | None]:
    """Find the session of who is signed in; None if the host keeps no sessions."""
    if login is None or login.sid is None:
        return None
    return (yield from find(LoginSession, login.sid))


def still_signed_in(login: Login | None, session: LoginSession | None, now: int) -> Login | None:
    """Return who is signed in; None if the session has ended or is another user's."""
    if login is None or login.sid is None:
        return login
    # The subject is compared too: the host could have kept the sid of the previous user of this browser.
    return login if is_active(session, now) and session is not None and session.subject == login.subject else None


def is_active(session: LoginSession | None, now: int) -> bool:
    """Return whether a user is signed in in that session."""
    return (
        session is not None
        and now < session.expires_at
        and advance(SESSION, session.state, SessionInput.END) is not None
    )


def authorized(session: LoginSession, grant: Grant) -> LoginSession:
    """Return the session of a grant, with the client added if it gets an ID token: it will be notified of its end."""
    generations = generations_in(session)
    # Only a client with an ID token knows the `sid` of the session, by which a logout token names it.
    if "openid" in grant.scope:
        generations[grant.client_id] = grant.client_generation
    return attrs.evolve(
        session,
        state=SESSION[session.state, SessionInput.AUTHORIZE],
        client_ids=tuple(generations),
        client_generations=tuple(generations.values()),
        authorizations=session.authorizations + 1,
    )


# Which registration it was is not known of a client that got its ID token from an earlier version. No generation is it.
ANY_GENERATION = "*"


def generations_in(session: LoginSession) -> dict[str, str]:
    """Return the clients that got an ID token in a session, each with the generation that it had."""
    return dict(zip_longest(session.client_ids, session.client_generations, fillvalue=ANY_GENERATION))


def clients_in(session: LoginSession, clients: Clients) -> Iterator[Client]:
    """Return the clients that got an ID token in a session and still have the same registration.

    A new client with the identifier of a removed one would otherwise learn, by a logout token or by the `sid` in a
    frame, of a user and a session that it has nothing to do with.
    """
    for client_id, generation in generations_in(session).items():
        client = clients.get(client_id)
        if client is not None and generation in {ANY_GENERATION, client.generation}:
            yield client


@attrs.frozen
class SessionsToEnd:
    """Hold sessions of one person with what their end concerns: the person's grants, and the clients by identifier."""

    sessions: Sequence[LoginSession] = ()
    grants: Sequence[Grant] = ()
    clients: Clients = MappingProxyType({})


NO_SESSIONS = SessionsToEnd()


@attrs.frozen
class Ending:
    """Hold what the end of some sessions comes to."""

    changes: tuple[Change, ...]
    events: tuple[Event, ...]


def ending(ends: SessionsToEnd, context: Context) -> Ending:
    """End sessions and their grants, and queue the notifications of their clients, in one commit."""
    clients = ends.clients
    changes: list[Change] = []
    events: list[Event] = []
    for session in ends.sessions:
        # Another request has ended it and queued the notifications: clients are not notified twice.
        if not is_active(session, context.now):
            continue
        # Each grant made in the session replaced this record, so a grant that is made meanwhile makes this commit fail.
        changes.append(Replace(session, attrs.evolve(session, state=SESSION[session.state, SessionInput.END])))
        events.append(Event("session_ended", None, session.subject))
        for grant in ends.grants:
            # Grants of the user's other sessions, in other browsers, are not affected.
            if grant.sid != session.key or not is_standing(grant, context.now):
                continue
            # Back-Channel Logout section 2.7. The mark makes it end if offline access is removed later.
            if may_outlive_session(grant, clients.get(grant.client_id), context.policy):
                changes.append(Replace(grant, attrs.evolve(grant, outlived_session=True)))
                continue
            changes.append(Replace(grant, revoke_grant(grant)))
            events.append(Event("grant_revoked", grant.client_id, grant.subject, grant.key))
        listening = (client for client in clients_in(session, clients) if client.backchannel_logout_uri)
        changes += [Insert(queued(client, session, context)) for client in listening]
    return Ending(tuple(changes), tuple(events))


def sessions_to_end(sessions: Sequence[LoginSession]) -> Flow[SessionsToEnd]:
    """Find what ends with some sessions of one person, and the clients that got something in them."""
    if not sessions:
        return NO_SESSIONS
    grants = yield from find_of(Grant, sessions[0].subject)
    return SessionsToEnd(sessions, grants, (yield from clients_of(sessions, grants)))


def clients_of(sessions: Sequence[LoginSession], grants: Iterable[Grant]) -> Flow[Clients]:
    """Find the clients that got something in some sessions: an ID token, or a grant that may end with it."""
    sids = {session.key for session in sessions}
    in_sessions = (client_id for session in sessions for client_id in session.client_ids)
    granted = (grant.client_id for grant in grants if grant.sid in sids)
    clients: dict[str, Client | None] = {}
    for client_id in dict.fromkeys((*in_sessions, *granted)):
        clients[client_id] = yield from find(Client, client_id)
    return clients
