"""The facts on which an authorization request is decided, apart from the request itself, time and randomness."""

from __future__ import annotations

from oauthcore.clients.first_use import KeptBefore
from oauthcore.find_user import NOT_NEEDED, Permission
from oauthcore.oidc.person import NOBODY, Person
from oauthcore.per_request import per_request
from oauthcore.records.client import Client
from oauthcore.records.grant import Consent, WithdrawalMark
from oauthcore.records.login import Login, LoginSession
from oauthcore.records.pushed_request import PushedRequest


@per_request
class AuthorizationFacts:
    """Hold what was found for an authorization request; None for a record that does not exist.

    `login` is who is signed in, and `session` their login session, if the host has sessions. `consents` are what they
    allowed the client before at the resources of the request, and `mark` is their withdrawal mark. `person` has the
    claims from the application for an ID token that is issued at once. `kept` is what the user has had kept of clients
    that registered themselves, None if this client does not depend on it. `permission` says whether the user may use
    the client. `pushed` is the record of a request that was pushed.
    """

    client: Client | None
    login: Login | None = None
    session: LoginSession | None = None
    consents: tuple[Consent, ...] = ()
    mark: WithdrawalMark | None = None
    person: Person = NOBODY
    kept: KeptBefore | None = None
    permission: Permission = NOT_NEEDED
    pushed: PushedRequest | None = None
