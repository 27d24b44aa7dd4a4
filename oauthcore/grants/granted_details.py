"""Authorization details of a token: all that the grant has, or those that the token request names (RFC 9396)."""

from __future__ import annotations

from oauthcore.context import Context
from oauthcore.errors import InvalidAuthorizationDetails
from oauthcore.grants.token_request import TokenRequest
from oauthcore.records.grant import Grant


def details_within(request: TokenRequest, grant: Grant, context: Context) -> tuple[str, ...]:
    """Return the details of a token on a grant: those that the request names, all of the grant if it names none.

    Details of a type that the server does not know any more, or the client has lost, are left out. Raises
    `InvalidAuthorizationDetails` for one that was not allowed (section 6.1).
    """
    types = context.authorization_details
    if types is None:
        return ()
    allowed = types.still_allowed(grant.details, request.client)
    named = types.parse(request.parameters.get("authorization_details"), request.client)
    if any(not types.is_within(one, allowed) for one in named):
        raise InvalidAuthorizationDetails.with_description("an authorization detail is requested that was not allowed")
    return named or allowed


def check_no_details(request: TokenRequest, context: Context) -> None:
    """Refuse authorization details in a token request without a user who could have allowed them.

    To ignore them would give the client a token that allows something else than it thinks.
    """
    if context.authorization_details is not None and "authorization_details" in request.parameters:
        raise InvalidAuthorizationDetails.with_description(
            "authorization details can't be requested here: none were allowed"
        )
