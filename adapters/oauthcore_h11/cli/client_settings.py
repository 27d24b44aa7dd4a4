"""The options by which `oauthcore client add` and `client update` set a client's metadata: one field each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import attrs
from cyclopts import Parameter

from oauthcore import Allowance, ConfigurationError, Scope
from oauthcore.errors import OAuthError
from oauthcore.policy import UnknownScopeName
from oauthcore.records.client import AuthenticationMethod
from oauthcore.scope import parse_scope
from oauthcore_h11.declarations import jwks_in

Text = str | None
YesOrNo = bool | None
# An option may have another name than the setting: people write one redirect URI after each `--redirect-uri`.
RedirectUris = Annotated[tuple[str, ...] | None, Parameter(name="--redirect-uri", negative="")]
GrantTypes = Annotated[tuple[str, ...] | None, Parameter(name="--grant-type", negative="")]
ResponseTypes = Annotated[tuple[str, ...] | None, Parameter(name="--response-type", negative="")]
AuthMethod = Annotated[AuthenticationMethod | None, Parameter(name="--auth-method")]
AuthSigningAlg = Annotated[Text, Parameter(name="--auth-signing-alg")]
JwksFile = Annotated[Path | None, Parameter(name="--jwks-file")]
RequestUris = Annotated[tuple[str, ...] | None, Parameter(name="--request-uri", negative="")]
RequestSigningAlg = Annotated[Text, Parameter(name="--request-signing-alg")]
SignedRequest = Annotated[YesOrNo, Parameter(name="--require-signed-request")]
PostLogoutUris = Annotated[tuple[str, ...] | None, Parameter(name="--post-logout-redirect-uri", negative="")]
Allowances = Annotated[tuple[str, ...] | None, Parameter(name="--allow", negative="")]


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class ClientSettings:
    """Hold the options of a command, each named as the field of `Client` that it sets; None for one that is left out.

    Parameters
    ----------
    name
        The name that users see.
    redirect_uris
        Where responses may be sent; repeat the option for several.
    scope
        The scope it may request at most, separated by spaces.
    default_scope
        The scope of a request that names none; all of --scope by default.
    unknown_scope
        What happens to a requested scope that it is not registered for; by default, what the policy says.
    grant_types
        What it may use at the token endpoint; repeat the option for several. By default, authorization_code and
        refresh_token.
    response_types
        What it may request at the authorization endpoint, such as "code id_token"; repeat the option for several. By
        default, what its grant types are used with.
    token_endpoint_auth_method
        How it authenticates at the token endpoint; by default with a secret, in the Authorization header or in the
        form.
    token_endpoint_auth_signing_alg
        The only algorithm it may sign its assertions with; by default, any that its method knows.
    id_token_claims
        Put the claims of the scopes profile, email, address and phone into its ID tokens, too, not only into UserInfo
        responses. This is the default for a new client whose scope has openid; --no-id-token-claims turns it off.
    jwks_uri
        The https URL of its public keys.
    jwks
        A file with its public keys as a JWK set, if it does not publish them.
    request_uris
        The https URLs its request objects may have; repeat the option for several.
    request_object_signing_alg
        The only algorithm it may sign its request objects with; by default, any with a public key.
    require_signed_request_object
        Refuse its authorization requests unless each is a signed request object.
    post_logout_redirect_uris
        Where users may be sent after they sign out; repeat the option for several.
    backchannel_logout_uri
        The https URL at which this server tells the client that a session has ended.
    frontchannel_logout_uri
        The https URL, on the host of a redirect URI, that is opened in the user's browser when a session has ended.
    organization_name
        Who runs it; users see this on the consent page.
    client_uri
        The https URL of its website, which users are shown.
    allow
        Allow this client something that the policy forbids; repeat the option for several.
    introspects_any
        Let it introspect every access token, as a resource server does.
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
    id_token_claims: YesOrNo = None
    jwks_uri: Text = None
    jwks: JwksFile = None
    request_uris: RequestUris = None
    request_object_signing_alg: RequestSigningAlg = None
    require_signed_request_object: SignedRequest = None
    post_logout_redirect_uris: PostLogoutUris = None
    backchannel_logout_uri: Text = None
    frontchannel_logout_uri: Text = None
    organization_name: Text = None
    client_uri: Text = None
    allow: Allowances = None
    introspects_any: YesOrNo = None

    def named(self) -> dict[str, object]:
        """Return the settings that were named, as `Client` takes them; None for one whose option is blank."""
        options = attrs.asdict(self, recurse=False)
        return {setting: setting_of(setting, value) for setting, value in options.items() if value is not None}

    def scope_named(self) -> Scope:
        """Return the scope, which is empty if the command does not name it."""
        return scope_of("--scope", self.scope or "")


NO_SETTINGS = ClientSettings()


def setting_of(setting: str, value: object) -> object:
    """Return what the value of an option stands for."""
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
    """Read a scope; raises `ConfigurationError` naming the option."""
    try:
        return parse_scope(" ".join(words.split())) if words.strip() else Scope()
    except OAuthError:
        raise ConfigurationError(option, words, "use scope tokens with spaces between them") from None


def allowance_of(word: str) -> Allowance:
    """Read an allowance; raises `ConfigurationError` if there is none of this name."""
    names = {allowance.name.lower(): allowance for allowance in Allowance}
    if word not in names:
        raise ConfigurationError("--allow", word, f"use one of {', '.join(names)}")
    return names[word]
