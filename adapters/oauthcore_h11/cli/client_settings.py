"""The options of `oauthcore client add` and `client update` for the metadata of a client: one field each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import attrs
from cyclopts import Parameter

from oauthcore import Allowance, ConfigurationError, Scope
from oauthcore.errors import OAuthError
from oauthcore.policy import UnknownScopeName
from oauthcore.records.client import AuthenticationMethod, DeliveryMode, IdTokenClaims
from oauthcore.scope import parse_scope
from oauthcore_h11.declarations import jwks_in

Text = str | None
YesOrNo = bool | None
# The option may differ from the field's name: `--redirect-uri` is repeated once for each redirect URI.
RedirectUris = Annotated[tuple[str, ...] | None, Parameter(name="--redirect-uri", negative="")]
GrantTypes = Annotated[tuple[str, ...] | None, Parameter(name="--grant-type", negative="")]
ResponseTypes = Annotated[tuple[str, ...] | None, Parameter(name="--response-type", negative="")]
AuthMethod = Annotated[AuthenticationMethod | None, Parameter(name="--auth-method")]
AuthSigningAlg = Annotated[Text, Parameter(name="--auth-signing-alg")]
TlsSubject = Annotated[Text, Parameter(name="--tls-subject-dn")]
TlsDns = Annotated[Text, Parameter(name="--tls-san-dns")]
TlsUri = Annotated[Text, Parameter(name="--tls-san-uri")]
TlsIp = Annotated[Text, Parameter(name="--tls-san-ip")]
TlsEmail = Annotated[Text, Parameter(name="--tls-san-email")]
CertificateBound = Annotated[YesOrNo, Parameter(name="--tls-bound")]
JwksFile = Annotated[Path | None, Parameter(name="--jwks-file")]
RequestUris = Annotated[tuple[str, ...] | None, Parameter(name="--request-uri", negative="")]
RequestSigningAlg = Annotated[Text, Parameter(name="--request-signing-alg")]
SignedRequest = Annotated[YesOrNo, Parameter(name="--require-signed-request")]
PushedRequest = Annotated[YesOrNo, Parameter(name="--require-pushed")]
DetailsTypes = Annotated[tuple[str, ...] | None, Parameter(name="--details-type", negative="")]
DpopBound = Annotated[YesOrNo, Parameter(name="--dpop-bound")]
PostLogoutUris = Annotated[tuple[str, ...] | None, Parameter(name="--post-logout-redirect-uri", negative="")]
Delivery = Annotated[DeliveryMode | Literal[""] | None, Parameter(name="--ciba-delivery-mode")]
NotificationUri = Annotated[Text, Parameter(name="--ciba-notification-uri")]
CibaSigningAlg = Annotated[Text, Parameter(name="--ciba-signing-alg")]
Requirements = Annotated[tuple[str, ...] | None, Parameter(name="--require", negative="")]
Allowances = Annotated[tuple[str, ...] | None, Parameter(name="--allow", negative="")]


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class ClientSettings:
    """Hold the options of a command, each named like the field of `Client` that it sets; None if it is left out.

    Parameters
    ----------
    name
        The name that users see.
    redirect_uris
        Where responses may be sent; repeat for more than one.
    scope
        The scope that it may request, tokens separated by spaces.
    default_scope
        The scope of a request without one; all of --scope by default.
    unknown_scope
        What to do about a requested scope that it is not registered for; by default, what the policy says.
    grant_types
        The grant types it may use at the token endpoint; repeat for more than one. By default, authorization_code and
        refresh_token.
    response_types
        The response types it may request, such as "code id_token"; repeat for more than one. By default, those of its
        grant types.
    token_endpoint_auth_method
        How it authenticates at the token endpoint; by default with a secret, in the Authorization header or in the
        form.
    token_endpoint_auth_signing_alg
        The only algorithm it may sign its assertions with; by default, any of its authentication method.
    tls_client_auth_subject_dn
        The subject of its certificate, as in "CN=app,O=Example": for --auth-method tls_client_auth.
    tls_client_auth_san_dns
        A host name in its certificate, instead of the subject.
    tls_client_auth_san_uri
        A URI in its certificate, instead of the subject.
    tls_client_auth_san_ip
        An IP address in its certificate, instead of the subject.
    tls_client_auth_san_email
        An e-mail address in its certificate, instead of the subject.
    tls_client_certificate_bound_access_tokens
        Refuse its token requests without a certificate, to which its tokens are bound (RFC 8705).
    id_token_claims
        Which claims of users its ID tokens have: "all" of its scopes, such as email and profile, or only those that
        it has "requested" by name. A new client whose scope has openid gets all by default.
    jwks_uri
        The https URL of its JWK set.
    jwks
        A file with its JWK set, if it does not publish one.
    request_uris
        The https URLs from which its request objects may be fetched; repeat for more than one.
    request_object_signing_alg
        The only algorithm it may sign its request objects with; by default, any with a public key.
    require_signed_request_object
        Refuse its authorization requests unless each is a signed request object.
    require_pushed_authorization_requests
        Refuse its authorization requests unless it has pushed each (RFC 9126).
    dpop_bound_access_tokens
        Refuse its token requests unless each has a DPoP proof, by which its tokens are bound to its key (RFC 9449).
    authorization_details_types
        A type of authorization details that it may request (RFC 9396); repeat for more than one.
    post_logout_redirect_uris
        Where users may be sent after they sign out; repeat for more than one.
    backchannel_logout_uri
        The https URL to which logout tokens are sent when a session ends.
    frontchannel_logout_uri
        The https URL, on the host of a redirect URI, that the user's browser loads when a session ends.
    backchannel_token_delivery_mode
        How it learns that a user has answered what it asked in the background (CIBA): it polls, or gets a ping.
    backchannel_client_notification_endpoint
        The https URL to which these pings are sent.
    backchannel_authentication_request_signing_alg
        The only algorithm it may sign what it asks in the background with; it has to sign all of it then.
    organization_name
        The organization that runs it, shown on the consent page.
    client_uri
        The https URL of its website, shown on the consent page.
    allow
        Allow this client something that the policy forbids; repeat for more than one.
    introspects_any
        Allow it to introspect every access token, as resource servers do.
    require
        Who may use it: users in this group, as in group:staff, or in one of several, as in "group:staff|group:board".
        Repeat the option if users have to be in a group of each.
    """

    name: Text = None
    redirect_uris: RedirectUris = None
    scope: Text = None
    default_scope: Text = None
    unknown_scope: UnknownScopeName | Literal[""] | None = None
    grant_types: GrantTypes = None
    response_types: ResponseTypes = None
    token_endpoint_auth_method: AuthMethod = None
    token_endpoint_auth_signing_alg: AuthSigningAlg = None
    tls_client_auth_subject_dn: TlsSubject = None
    tls_client_auth_san_dns: TlsDns = None
    tls_client_auth_san_uri: TlsUri = None
    tls_client_auth_san_ip: TlsIp = None
    tls_client_auth_san_email: TlsEmail = None
    tls_client_certificate_bound_access_tokens: CertificateBound = None
    id_token_claims: IdTokenClaims | None = None
    jwks_uri: Text = None
    jwks: JwksFile = None
    request_uris: RequestUris = None
    request_object_signing_alg: RequestSigningAlg = None
    require_signed_request_object: SignedRequest = None
    require_pushed_authorization_requests: PushedRequest = None
    dpop_bound_access_tokens: DpopBound = None
    authorization_details_types: DetailsTypes = None
    post_logout_redirect_uris: PostLogoutUris = None
    backchannel_logout_uri: Text = None
    frontchannel_logout_uri: Text = None
    backchannel_token_delivery_mode: Delivery = None
    backchannel_client_notification_endpoint: NotificationUri = None
    backchannel_authentication_request_signing_alg: CibaSigningAlg = None
    organization_name: Text = None
    client_uri: Text = None
    allow: Allowances = None
    introspects_any: YesOrNo = None
    require: Requirements = None

    def named(self) -> dict[str, object]:
        """Return the settings of the options that were given, as `Client` takes them; None for a blank one."""
        options = attrs.asdict(self, recurse=False)
        return {setting: setting_of(setting, value) for setting, value in options.items() if value is not None}

    def scope_named(self) -> Scope:
        """Return the scope; empty if it was not given."""
        return scope_of("--scope", self.scope or "")


NO_SETTINGS = ClientSettings()


def setting_of(setting: str, value: object) -> object:
    """Return the value of a setting from that of its option."""
    match setting, value:
        case "scope", str():
            return scope_of("--scope", value)
        case _, "":
            return None
        case "default_scope", str():
            return scope_of("--default-scope", value)
        case "allow", tuple():
            return [allowance_of(word) for word in value if word]
        case "jwks", Path():
            return jwks_in("--jwks-file", value)
        case _, tuple():
            return tuple(text for text in value if text)
    return value


def scope_of(option: str, words: str) -> Scope:
    """Parse a scope; raises `ConfigurationError` with the name of the option."""
    try:
        return parse_scope(" ".join(words.split())) if words.strip() else Scope()
    except OAuthError:
        raise ConfigurationError(option, words, "use scope tokens with spaces between them") from None


def allowance_of(word: str) -> Allowance:
    """Return the allowance of that name; raises `ConfigurationError` if there is none."""
    names = {allowance.name.lower(): allowance for allowance in Allowance}
    if word not in names:
        raise ConfigurationError("--allow", word, f"use one of {', '.join(names)}")
    return names[word]
