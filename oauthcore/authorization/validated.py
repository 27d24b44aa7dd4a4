"""What the checks make of an authorization request: evidence, which the next step takes as an argument.

What is asked stands apart from how it is answered. A request that is answered by a redirect has both; one that comes
from a device, or from a client whose user is elsewhere, has the first alone.
"""

from __future__ import annotations

from oauthcore.authorization.response_type import ResponseType
from oauthcore.oidc.claims_request import ClaimsRequest
from oauthcore.per_request import per_request
from oauthcore.pkce import CodeChallenge
from oauthcore.records.client import Client
from oauthcore.records.interaction import AuthorizationRequest
from oauthcore.redirect_uri import ResponseMode, ValidatedRedirect
from oauthcore.scope import Scope


@per_request
class Redirectable:
    """Prove that a request came with a known client and one of its redirect URIs: it may be answered there."""

    request: AuthorizationRequest
    client: Client
    redirect: ValidatedRedirect


@per_request
class RequestedAccess:
    """Hold what a client requests.

    `resources` are the registered resources that tokens are requested for; empty for the server itself.
    `claims_beside_scope` are the claims requested by name, which consent to the scope does not cover. `subjects` are
    the acceptable users, any if empty; one of `essential_acr` has to be reached, if there are any. `details` are the
    requested authorization details (RFC 9396).
    """

    request: AuthorizationRequest
    client: Client
    scope: Scope
    resources: tuple[str, ...]
    prompt: frozenset[str]
    max_age: int | None
    claims: ClaimsRequest
    claims_beside_scope: tuple[str, ...]
    subjects: tuple[str, ...]
    essential_acr: tuple[str, ...]
    details: tuple[str, ...] = ()


@per_request
class RequestedResponse:
    """Hold how it is to be answered: where, with what, by which way, and what binds a code to who asked for it.

    With `is_jwt`, the response is one JWT (JARM).
    """

    redirectable: Redirectable
    type: ResponseType
    mode: ResponseMode
    code_challenge: CodeChallenge | None
    is_jwt: bool = False


@per_request
class ValidatedRequest:
    """Prove that a request passed every check."""

    access: RequestedAccess
    response: RequestedResponse
