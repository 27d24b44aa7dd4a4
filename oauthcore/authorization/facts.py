"""Facts: what an authorization request is decided by, beside what it says and beside time and chance."""

from __future__ import annotations

from oauthcore.oidc.person import NOBODY, Person
from oauthcore.per_request import per_request
from oauthcore.records.client import Client
from oauthcore.records.grant import Consent, WithdrawalMark
from oauthcore.records.login import Login, LoginSession


@per_request
class AuthorizationFacts:
    """Hold what was found for an authorization request; None for a record that does not exist.

    `login` is who is signed in, and `session` their login session, if the host keeps such. `consents` are what they
    allowed the client before at the resources of the request, `mark` their withdrawal mark. `person` is what the
    application tells of them for an ID token that leaves at once.
    """

    client: Client | None
    login: Login | None = None
    session: LoginSession | None = None
    consents: tuple[Consent, ...] = ()
    mark: WithdrawalMark | None = None
    person: Person = NOBODY
