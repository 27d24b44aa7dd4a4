"""Requests that clients have pushed: how one is found by its `request_uri`, and how it is spent (RFC 9126).

A request is spent by its answer, not by its first appearance: users reload the login page and go back to it, and
browsers fetch links before they are followed (FAPI 2.0 Security Profile section 5.3.2.2). So any number of interactions
may be started with one `request_uri` while it lasts; the first one that is answered at the client spends it, in the
commit that issues the code. All others end there.
"""

from __future__ import annotations

from typing import TypeVar

from oauthcore.context import Context
from oauthcore.digest import Digest, Secret
from oauthcore.errors import InteractionOver, PushedRequestOver
from oauthcore.flow.effects import Flow, find, pure
from oauthcore.flow.outcome import Change, Decision, Insert, Replace
from oauthcore.pushed_requests import LIFETIMES, REQUEST_URI
from oauthcore.records.client import Client
from oauthcore.records.interaction import AuthorizationRequest
from oauthcore.records.lifecycle import PUSHED_REQUEST, PushedRequestInput, PushedRequestState, advance
from oauthcore.records.pushed_request import PushedRequest

T = TypeVar("T")


def names_pushed(received: AuthorizationRequest, context: Context) -> bool:
    """Return whether a request names one that was pushed here; any other `request_uri` is that of a request object."""
    uri = received.request_uri
    return uri is not None and context.pushed_requests is not None and uri.startswith(REQUEST_URI)


def find_named(received: AuthorizationRequest, context: Context) -> Flow[PushedRequest | None]:
    """Find the pushed request that a request names."""
    assert received.request_uri is not None
    handle = Secret(received.request_uri.removeprefix(REQUEST_URI))
    return find(PushedRequest, context.digest("pushed_request", handle))


def find_pushed(request: AuthorizationRequest) -> Flow[PushedRequest | None]:
    """Find the pushed request that a request is; None, and no find, if it was not pushed."""
    return pure(None) if request.pushed is None else find(PushedRequest, request.pushed)


def read_pushed(
    received: AuthorizationRequest, pushed: PushedRequest | None, client: Client | None, context: Context
) -> AuthorizationRequest:
    """Return the request that was pushed; nothing that comes beside its URI has any effect (RFC 9126 section 4).

    Raises `PushedRequestOver`, which is a page: there is no redirect URI that could be trusted.
    """
    if pushed is None or context.now >= pushed.expires_at:
        raise PushedRequestOver("the request_uri is unknown or has expired")
    # RFC 9126 section 4: it is bound to the client that has pushed it. Else a request of one client could be answered
    # in the name of another.
    if pushed.client_id != received.client_id:
        raise PushedRequestOver("the request_uri is another client's")
    if pushed.request is None or is_spent(pushed):
        raise PushedRequestOver("the request was answered before")
    # A client that was removed and registered again is another one.
    if client is not None and client.generation != pushed.client_generation:
        raise PushedRequestOver("the request_uri is that of a client that was registered by this identifier before")
    return pushed.request


def spending(request: AuthorizationRequest, pushed: PushedRequest | None, context: Context) -> tuple[Change, ...]:
    """Return the changes that spend a pushed request with its answer; none for a request that was not pushed.

    Raises `InteractionOver` if another interaction was answered first.
    """
    if request.pushed is None:
        return ()
    # No interaction starts with it from now on, so the last one ends after the lifetime of an interaction. Some minutes
    # more are for a request that has found it just before, and for workers whose clocks differ.
    remembered_until = context.now + context.policy.lifetimes.interaction_lifetime + LIFETIMES.stop
    if pushed is None:
        # The user took longer than the URI lasts, and its record is gone. Of two answers only one can insert it.
        return (Insert(spent_request(request.pushed, request.client_id, remembered_until)),)
    if is_spent(pushed):
        raise InteractionOver("the pushed request was answered in another tab or window")
    return (Replace(pushed, spent_request(pushed.key, pushed.client_id, remembered_until)),)


def is_spent(pushed: PushedRequest | None) -> bool:
    """Return whether a pushed request was answered; None is no pushed request, or one whose record is gone."""
    return pushed is not None and advance(PUSHED_REQUEST, pushed.state, PushedRequestInput.ANSWER) is None


def with_spent(spent: tuple[Change, ...], decision: Decision[T]) -> Decision[T]:
    """Return a decision that answers the client, with the changes that spend its request."""
    return Decision(decision.value, (*spent, *decision.changes), decision.events) if spent else decision


def spent_request(key: Digest, client_id: str, expires_at: int) -> PushedRequest:
    """Return the record of a request that was answered: nothing but that it was."""
    return PushedRequest(
        key=key, client_id=client_id, request=None, expires_at=expires_at, state=PushedRequestState.SPENT
    )
