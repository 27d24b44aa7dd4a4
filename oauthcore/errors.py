"""The error tree: each class is a registered error code, and raising one is a refusal that changes nothing.

There are separate texts for the peer and the operator. The peer gets `code` and the fixed `description`; the log gets
`reason`, which may say what exactly was wrong. Neither ever contains a secret. `retry_after` is in seconds.

Users read `description`, on a page and in their language. Client developers read `error_description`, which is the same
unless the error was made by `with_description`: then it says what is wrong with the request. Programs also read the
`headers` of the response.

`setting` names the setting that decided, if there is one. In developer mode (`clients/developer_mode.py`) the error has
an `explanation`, and only then do the reason and the setting leave the server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Self

import attrs

# RFC 9110 sections 5.6.2 and 5.5, in ASCII: a value without white space around it and without a line end, which would
# allow an attacker to inject headers, or a response.
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE = re.compile(r"[\x21-\x7E](?:[\x20-\x7E]*[\x21-\x7E])?")
# Headers that the response sets itself: a second one would make readers disagree (RFC 9112 section 6.3).
_OWN_FIELD = re.compile(
    "cache-control|connection|content-length|content-type|pragma|transfer-encoding", re.ASCII | re.IGNORECASE
)


@attrs.frozen
class Explanation:
    """Hold why a request was refused, for the developer of the client: the setting that decided, and what it is set to.

    `setting` and `value` are None where no setting decided, or where its value is nothing to show.
    """

    reason: str
    setting: str | None = None
    value: str | None = None


class OAuthError(Exception):
    """Refuse a request with a registered error code (RFC 6749 sections 4.1.2.1 and 5.2, and the IANA registry)."""

    code: ClassVar[str]
    status: ClassVar[int] = 400
    description: ClassVar[str]
    retry_after: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    setting: str | None = None
    explanation: Explanation | None = None

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.error_description = self.description

    @classmethod
    def with_description(cls, text: str, reason: str | None = None) -> Self:
        """Refuse with a text for the peer: about nothing but what it sent, or what it has proved to know.

        The text is a fixed one, without values of the request, and with the characters that error_description may have
        (RFC 6749 section 5.2). The log has the `reason`, which may say more.
        """
        error = cls(text if reason is None else reason)
        error.error_description = f"{text}."
        return error

    def by_setting(self, setting: str) -> Self:
        """Name the setting that decided, as in `client.redirect_uris`, and return the error, to be raised."""
        self.setting = setting
        return self

    def with_header(self, name: str, value: str) -> Self:
        """Add a header to the response, and return the error, to be raised: a `DPoP-Nonce` (RFC 9449 section 8), say.

        Only a response with JSON has it, not a page or a redirect. A `WWW-Authenticate` replaces the default challenge;
        several are several challenges (RFC 9110 section 11.6.1). Raises `ValueError` for an invalid header, and for one
        that the response sets itself.
        """
        if not _FIELD_NAME.fullmatch(name) or _OWN_FIELD.fullmatch(name):
            raise ValueError(f"an error can't have a header of this name: {name!r}")
        if not _FIELD_VALUE.fullmatch(value):
            raise ValueError(f"the header {name} can't have this value: use printable ASCII, without spaces around it")
        self.headers = (*self.headers, (name, value))
        return self


class InvalidRequest(OAuthError):
    """Refuse what can't be read: something is missing, repeated or malformed (RFC 6749 section 5.2)."""

    code = "invalid_request"
    description = "The request lacks a required parameter, repeats one, or is malformed."


class RepeatedParameter(InvalidRequest):
    """Refuse a parameter that came twice (RFC 6749 section 3.1)."""

    description = "The request has a parameter twice."


class UnreadableRequest(InvalidRequest):
    """Refuse what is no form or query that can be read (RFC 6749 appendix B)."""

    description = "The request can't be read: it is too long, or not encoded as a form is."


# Errors that are shown on a page, since there is no verified redirect URI. Users can do nothing about most of them, but
# the developer of the client reads them (RFC 6749 section 4.1.2.1, OIDC RP-Initiated Logout section 4).


class UnnamedClient(InvalidRequest):
    """Refuse a request that names no client where one is needed."""

    description = "The request does not say which application it comes from."


class UnknownClient(InvalidRequest):
    """Refuse a client that is not registered."""

    description = "The application that the request comes from is not known here."


class DisabledClient(InvalidRequest):
    """Refuse a client that may not be served now."""

    description = "The application that the request comes from may not be used at present."


class InvalidClientDocument(InvalidRequest):
    """The client's metadata document is not one (draft-ietf-oauth-client-id-metadata-document-00 section 4)."""

    description = "What the application publishes about itself is missing or can't be used."


class RefusedClientDocument(InvalidClientDocument):
    """Refuse a client whose metadata document the operator's own review has refused."""


class MissingRedirectUri(InvalidRequest):
    """Refuse a request without a redirect URI of a client that has not exactly one (RFC 6749 section 3.1.2.3)."""

    description = "The request does not say where the application is to be answered."


class UnregisteredRedirectUri(InvalidRequest):
    """Refuse a redirect URI that the client has not registered (RFC 6749 section 3.1.2.4)."""

    description = "The redirect URI is none of those that the application is registered with."


class UnregisteredPostLogoutRedirectUri(InvalidRequest):
    """Refuse to redirect after a logout to a URI that the client has not registered (RP-Initiated Logout section 3)."""

    description = "The page to go to after signing out is none of those that the application is registered with."


class IdTokenOfAnotherClient(InvalidRequest):
    """Refuse an ID token hint that was made for another client than is named (RP-Initiated Logout section 2)."""

    description = "The ID token that came with the request was made for another application than it names."


class ContentTooLarge(InvalidRequest):
    """Refuse a request whose body is longer than anything honest (RFC 9110 section 15.5.14)."""

    status = 413
    description = "The request is larger than this server reads."


class InteractionOver(InvalidRequest):
    """Refuse an interaction that waits for nothing, or for nothing any more."""

    description = "This was answered already, or has waited for too long: go back to the application and start again."


class OtherBrowser(InvalidRequest):
    """Refuse to continue in another browser than the one that started it (RFC 9700 section 4.7)."""

    description = "This was started or answered in another browser: go back to the application and start again."


class AnsweredByAnother(InvalidRequest):
    """Refuse a second, different answer to an interaction."""

    description = "Somebody else has answered this already: go back to the application and start again."


class InvalidClient(OAuthError):
    """Refuse a client that could not be authenticated (RFC 6749 section 5.2)."""

    code = "invalid_client"
    status = 401
    description = "The client could not be authenticated."


class InvalidGrant(OAuthError):
    """Refuse a grant that is unknown, used, expired, revoked or another client's (RFC 6749 section 5.2)."""

    code = "invalid_grant"
    description = "The grant is invalid, expired, revoked, or was issued to another client."


class InvalidDpopProof(OAuthError):
    """Refuse a DPoP proof that is wrong, or missing where one is needed (RFC 9449 sections 5 and 7.1)."""

    code = "invalid_dpop_proof"
    description = "The DPoP proof is missing, repeated, or not one for this request."


class UseDpopNonce(OAuthError):
    """Ask for a DPoP proof with the nonce that is in the header `DPoP-Nonce` (RFC 9449 sections 8 and 9)."""

    code = "use_dpop_nonce"
    description = "The DPoP proof needs the nonce in the header DPoP-Nonce of this response."


class InvalidRedirectUri(OAuthError):
    """Refuse to register a redirect URI (RFC 7591 section 3.2.2)."""

    code = "invalid_redirect_uri"
    description = "A redirect URI is missing or can't be registered."


class InvalidClientMetadata(OAuthError):
    """Refuse the metadata of a registration (RFC 7591 section 3.2.2)."""

    code = "invalid_client_metadata"
    description = "The client metadata has a value that can't be registered."


class InvalidSoftwareStatement(OAuthError):
    """Refuse a software statement that can't be read or verified (RFC 7591 section 3.2.2)."""

    code = "invalid_software_statement"
    description = "The software statement can't be read or verified, or is not meant for this server."


class UnapprovedSoftwareStatement(OAuthError):
    """Refuse a software statement of an issuer that is not trusted (RFC 7591 section 3.2.2)."""

    code = "unapproved_software_statement"
    description = "The issuer of the software statement is not trusted here."


class InvalidToken(OAuthError):
    """Refuse a bearer token that is unknown, expired, revoked or meant for others (RFC 6750 section 3.1)."""

    code = "invalid_token"
    status = 401
    description = "The access token is unknown, expired, revoked, or not meant for this resource."


class InsufficientScope(OAuthError):
    """Refuse a valid bearer token with insufficient scope (RFC 6750 section 3.1)."""

    code = "insufficient_scope"
    status = 403
    description = "The access token does not have the scope that this takes."


class InsufficientUserAuthentication(OAuthError):
    """Refuse a good token by how, or how long ago, its person was authenticated (RFC 9470 section 3).

    `parameters` are those of the challenge, which say what would do.
    """

    code = "insufficient_user_authentication"
    status = 401
    description = "The person has to be authenticated anew, or in a stronger way."

    def __init__(self, reason: str, parameters: Mapping[str, str]) -> None:
        super().__init__(reason)
        self.parameters = parameters


class UnauthorizedClient(OAuthError):
    """Refuse a client something it is not registered for (RFC 6749 sections 4.1.2.1 and 5.2)."""

    code = "unauthorized_client"
    description = "The client is not allowed to do this."


class UnsupportedGrantType(OAuthError):
    """Refuse a grant type this server does not offer (RFC 6749 section 5.2)."""

    code = "unsupported_grant_type"
    description = "The server does not offer this grant type."


class UnsupportedResponseType(OAuthError):
    """Refuse a response type this server does not offer (RFC 6749 section 4.1.2.1)."""

    code = "unsupported_response_type"
    description = "The server does not offer this response type."


class InvalidScope(OAuthError):
    """Refuse a scope that is malformed or more than was allowed (RFC 6749 section 5.2)."""

    code = "invalid_scope"
    description = "The scope is malformed or more than is allowed."


class InvalidAuthorizationDetails(OAuthError):
    """Refuse authorization details of an unknown type or with wrong members (RFC 9396 section 5)."""

    code = "invalid_authorization_details"
    description = "The authorization details are malformed, of an unknown type, or have wrong members."


class InvalidTarget(OAuthError):
    """Refuse a resource that is malformed, unknown, or not allowed (RFC 8707 section 2)."""

    code = "invalid_target"
    description = "The requested resource is invalid, unknown, or not one that is allowed."


class AccessDenied(OAuthError):
    """Report that the resource owner said no (RFC 6749 section 4.1.2.1)."""

    code = "access_denied"
    status = 403
    description = "The resource owner denied the request."


class AuthorizationPending(OAuthError):
    """Ask a client to go on polling: its user has not answered yet (RFC 8628 section 3.5, CIBA Core section 11)."""

    code = "authorization_pending"
    description = "The user has not answered yet: go on polling."


class SlowDown(OAuthError):
    """Ask a client to poll less often: at intervals that are five seconds longer (RFC 8628 section 3.5)."""

    code = "slow_down"
    description = "The user has not answered yet: go on polling, at intervals that are 5 seconds longer."


class DeniedByUser(OAuthError):
    """Report to a client that polls that its user said no (RFC 8628 section 3.5, CIBA Core section 11)."""

    code = "access_denied"
    description = "The resource owner denied the request."


class ExpiredToken(OAuthError):
    """Report that a user has not answered in time (RFC 8628 section 3.5, CIBA Core section 11)."""

    code = "expired_token"
    description = "The user has not answered in time: start again."


class UnknownUserId(OAuthError):
    """Refuse a hint by which no user is found (CIBA Core section 13)."""

    code = "unknown_user_id"
    description = "There is no user whom the hint means."


class InvalidBindingMessage(OAuthError):
    """Refuse a message that can't be shown as it is (CIBA Core section 13)."""

    code = "invalid_binding_message"
    description = "The binding message is too long, or has characters that can't be shown."


class LoginRequired(OAuthError):
    """Refuse `prompt=none` if it is not clear which account to use (OIDC Core section 3.1.2.6)."""

    code = "login_required"
    description = "The person is not signed in, and the request allows no page."


class ConsentRequired(OAuthError):
    """Refuse `prompt=none` if the user has to be asked (OIDC Core section 3.1.2.6)."""

    code = "consent_required"
    description = "The person has to be asked, and the request allows no page."


class InteractionRequired(OAuthError):
    """Refuse `prompt=none` where the person is needed for something else (OIDC Core section 3.1.2.6)."""

    code = "interaction_required"
    description = "The person has to do something, and the request allows no page."


class AccountSelectionRequired(OAuthError):
    """Refuse `prompt=none` where an account would have to be chosen (OIDC Core section 3.1.2.6)."""

    code = "account_selection_required"
    description = "The person has to choose an account, and the request allows no page."


class UnmetAuthenticationRequirements(OAuthError):
    """Refuse where the person can't be authenticated as is essential (Unmet Authentication Requirements 1.0)."""

    code = "unmet_authentication_requirements"
    description = "The person could not be authenticated in the way that the request demands."


class InvalidRequestUri(OAuthError):
    """Refuse a reference to a request object that can't be fetched or is unregistered (OIDC Core section 3.1.2.6)."""

    code = "invalid_request_uri"
    description = "The request_uri is not registered for this client, or what it names can't be used."


class PushedRequestOver(InvalidRequestUri):
    """Refuse a `request_uri` that stands for no pushed request now: unknown, expired, answered, or another client's."""

    description = "This link was used already, or has expired: go back to the application and start again."


class InvalidRequestObject(OAuthError):
    """Refuse an invalid request object (OIDC Core section 3.1.2.6, RFC 9101 section 6)."""

    code = "invalid_request_object"
    description = "The request object can't be read or verified, or contradicts the request."


class RegistrationNotSupported(OAuthError):
    """Refuse clients that bring their registration along (OIDC Core section 3.1.2.6)."""

    code = "registration_not_supported"
    description = "The server does not take registrations with a request."


class RequestNotSupported(OAuthError):
    """Refuse a request object: this server takes plain parameters (OIDC Core section 3.1.2.6)."""

    code = "request_not_supported"
    description = "The server does not take request objects."


class RequestUriNotSupported(OAuthError):
    """Refuse a reference to a request object (OIDC Core section 3.1.2.6)."""

    code = "request_uri_not_supported"
    description = "The server does not take references to request objects."


class ServerError(OAuthError):
    """Own up to a bug (RFC 6749 section 4.1.2.1)."""

    code = "server_error"
    status = 500
    description = "The server met an unexpected condition."


class TemporarilyUnavailable(OAuthError):
    """Ask to try again: storage failed, or too many others were first (RFC 6749 section 4.1.2.1)."""

    code = "temporarily_unavailable"
    status = 503
    description = "The server can't answer now; try again later."
    retry_after = 1


class UnreachableClientDocument(TemporarilyUnavailable):
    """The host of the client's metadata document does not answer."""

    description = "What the application publishes about itself can't be fetched now; try again later."


class TooManyAttempts(TemporarilyUnavailable):
    """Ask to wait before trying the next password (RFC 6585 section 4 for the status)."""

    status = 429
    description = "There were too many attempts; try again later."

    def __init__(self, reason: str, retry_after: int) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class OutdatedLogin(Exception):
    """Report that a record which a login relies on has changed: the host has to authenticate the user again."""


class EffectFailed(Exception):
    """Report that an effect failed; the cause is the exception of the storage or the host.

    A driver throws it into the flow that yielded the effect, so that the traceback shows the flow's own lines.
    """


class Contended(TemporarilyUnavailable, EffectFailed):
    """Report that other requests were first, every time: 503 to a client, and to a host a storage with no answer."""


class ConfigurationError(Exception):
    """Name a setting that can't be, with its value and the remedy, at construction and not at the first request."""

    def __init__(self, setting: str, value: object, remedy: str) -> None:
        super().__init__(f"{setting} = {value!r}: {remedy}")
        self.setting = setting
        self.value = value
        self.remedy = remedy
