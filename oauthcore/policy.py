"""Policy as data: what the server offers, what it requires, and its lifetimes.

Everything that weakens the default is an `Allowance`, a name that a reviewer can search for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import attrs

from oauthcore.client_assertions import USUAL_ASSERTIONS, ClientAssertions
from oauthcore.errors import ConfigurationError
from oauthcore.given import check_kind
from oauthcore.named import Named
from oauthcore.scope import NO_HIERARCHY, ScopeHierarchy, as_hierarchy


class Allowance(Named):
    """Name what is forbidden by default and can be allowed, for a server or for one client."""

    CONFIDENTIAL_WITHOUT_PKCE = "confidential clients may leave PKCE out, and a nonce, too (RFC 9700 section 2.1.1)"
    PLAIN_PKCE = "code_challenge_method plain, which proves nothing to who sees the request (RFC 7636 section 7.2)"
    IMPLICIT = "response types with token, which put access tokens into URLs (RFC 9700 section 2.1.2)"
    OFFLINE_WITHOUT_CONSENT = "offline_access without prompt=consent, on remembered consent (OIDC Core section 11)"
    ENDPOINT_AUDIENCE = (
        "client assertions for an endpoint's URL, not the issuer: another server may have asked for them"
    )
    GRANTS_OUTLIVE_SESSION = "grants without offline_access outlive the login session that they were given in"
    PASSWORD = "the password grant, which shows passwords to clients (RFC 9700 section 2.4)"
    ONE_WORD_SCHEME = "redirect URIs as in cursor://, which any other application may claim, too (RFC 8252 section 7.1)"
    UNTRUSTED_REDIRECTS = (
        "errors are sent without a page to sites of clients that nobody has approved (RFC 9700 section 4.11.2)"
    )
    PUSHED_REDIRECT_URIS = (
        "confidential clients may push redirect URIs that they are not registered with (RFC 9126 section 2.4)"
    )
    INSECURE_TRANSPORT = "http where https is demanded: for development, and for a loopback issuer never needed"


class CodeBinding(Named):
    """Name what binds a confidential client's code to the browser that requested it, against code injection.

    Public clients always need PKCE. Only `Allowance.CONFIDENTIAL_WITHOUT_PKCE` removes this requirement.
    """

    # OAuth 2.1 section 7.5.1, RFC 9700 section 2.1.1: PKCE, or the nonce of an OpenID Connect request, which the client
    # compares with the ID token that it gets for the code. A stolen code that is injected into another browser's
    # response yields an ID token with another nonce. The client detects that, so there has to be an ID token.
    PKCE_OR_NONCE = "a code_challenge, or a nonce where an ID token comes with the code's tokens"
    PKCE = "a code_challenge, also beside a nonce: nothing hangs on whether the client looks at it"


class RefreshRotation(Named):
    """Name which refresh tokens are replaced when they are used, so that a second use of one betrays a theft."""

    ALWAYS = "always"
    # FAPI 2.0 Security Profile section 5.3.2.1: no rotation where a stolen token is useless anyway, without credentials
    # and key of the client. It can lock out a client that loses an answer. Public clients' are rotated all the same.
    UNLESS_SENDER_CONSTRAINED = "unless confidential clients have their access tokens bound to a key"


class UnknownScope(Named):
    """Name what happens to a requested scope for which the client is not registered.

    The scope of a token response says what was granted (RFC 6749 section 3.3). If nothing would be left, the request is
    refused in each case.
    """

    REFUSE = "refuse"
    IGNORE = "ignore"
    # OIDC Core section 3.1.2.1 says that unknown scope values SHOULD be ignored; without OpenID, clients expect
    # invalid_scope (RFC 6749 section 4.1.2.1).
    IGNORE_IN_OPENID = "ignore_in_openid"


UnknownScopeName = Literal["refuse", "ignore", "ignore_in_openid"]


# Both are counted from the person's decision: a code redeemed at its last second must give tokens that live.
GRANT_OUTLIVES_CODE = "make it longer than authorization_code_lifetime"


def as_allowances(names: Iterable[Allowance]) -> frozenset[Allowance]:
    """Take allowances in any collection; raises `ConfigurationError` for one alone, and for their names as text."""
    remedy = "give a list of allowances, as in [Allowance.PLAIN_PKCE]"
    if isinstance(names, Allowance | str):
        raise ConfigurationError("allow", names, remedy)
    found = frozenset(names)
    for name in found:
        check_kind("allow", name, Allowance, remedy)
    return found


def _at_least_one(instance: object, attribute: attrs.Attribute[int], value: int) -> None:
    if value < 1:
        raise ConfigurationError(attribute.name, value, "use a number of seconds, 1 or more")


def _not_negative(instance: object, attribute: attrs.Attribute[int], value: int) -> None:
    if value < 0:
        raise ConfigurationError(attribute.name, value, "use a number of seconds, 0 or more")


@attrs.frozen(kw_only=True)
class Lifetimes:
    """Say how long things last, in seconds.

    `refresh_token_lifetime` is the idle one: unused for so long, a refresh token expires; `grant_lifetime` is the
    absolute one. Within `refresh_retry_lifetime` after a rotation the same refresh token gets the same answer again.
    """

    # RFC 6749 section 4.1.2 recommends ten minutes at most; a redirect takes seconds, and a minute forgives slow ones.
    authorization_code_lifetime: int = attrs.field(default=60, validator=_at_least_one)
    access_token_lifetime: int = attrs.field(default=300, validator=_at_least_one)
    # The same as an access token's: a client that wants to know later whether the user is signed in asks again.
    id_token_lifetime: int = attrs.field(default=300, validator=_at_least_one)
    refresh_token_lifetime: int = attrs.field(default=30 * 86_400, validator=_at_least_one)
    grant_lifetime: int = attrs.field(default=180 * 86_400, validator=_at_least_one)
    interaction_lifetime: int = attrs.field(default=3_600, validator=_at_least_one)
    consent_lifetime: int = attrs.field(default=365 * 86_400, validator=_at_least_one)
    # Bursts of honest retries were seen to last 33 to 76 seconds.
    refresh_retry_lifetime: int = attrs.field(default=90, validator=_not_negative)

    def __attrs_post_init__(self) -> None:
        if self.grant_lifetime <= self.authorization_code_lifetime:
            raise ConfigurationError("grant_lifetime", self.grant_lifetime, GRANT_OUTLIVES_CODE)


LIFETIMES = Lifetimes()


@attrs.frozen(kw_only=True)
class Policy:
    """Set what the server offers, to which clients, and what it requires.

    `implies` says which scopes imply others, as in `{"files": ["files:read"]}`: a client that may have the one may have
    the other, and consent to the one includes the other. `client_assertions` are demands on the assertions of clients.
    """

    grant_types: frozenset[str] = frozenset({"authorization_code", "refresh_token", "client_credentials"})
    response_types: frozenset[str] = frozenset({"code", "none"})
    allow: frozenset[Allowance] = attrs.field(default=frozenset(), converter=as_allowances)
    code_binding: CodeBinding = CodeBinding.PKCE_OR_NONCE
    unknown_scope: UnknownScope = attrs.field(default=UnknownScope.IGNORE_IN_OPENID, converter=UnknownScope)
    lifetimes: Lifetimes = LIFETIMES
    client_assertions: ClientAssertions = USUAL_ASSERTIONS
    implies: ScopeHierarchy = attrs.field(default=NO_HIERARCHY, converter=as_hierarchy)
    refresh_rotation: RefreshRotation = RefreshRotation.ALWAYS

    def __attrs_post_init__(self) -> None:
        if "password" in self.grant_types and Allowance.PASSWORD not in self.allow:
            raise ConfigurationError("grant_types", "password", "leave it out, or allow it: Allowance.PASSWORD")
        for response_type in self.response_types:
            if "token" in response_type.split(" ") and Allowance.IMPLICIT not in self.allow:
                remedy = "leave it out, or allow it: Allowance.IMPLICIT"
                raise ConfigurationError("response_types", response_type, remedy)

    @classmethod
    def oauth21(
        cls,
        *,
        allow: Iterable[Allowance] = (),
        code_binding: CodeBinding = CodeBinding.PKCE_OR_NONCE,
        lifetimes: Lifetimes = LIFETIMES,
    ) -> Policy:
        """Offer what OAuth 2.1 leaves: no implicit, no password grant, no code that nothing binds to its browser."""
        return cls(allow=as_allowances(allow), code_binding=code_binding, lifetimes=lifetimes)

    @classmethod
    def oauth20(cls, *, allow: Iterable[Allowance] = (), lifetimes: Lifetimes = LIFETIMES) -> Policy:
        """Offer RFC 6749 whole: also implicit, the password grant, and confidential clients without PKCE."""
        legacy = {Allowance.IMPLICIT, Allowance.PASSWORD, Allowance.CONFIDENTIAL_WITHOUT_PKCE}
        return cls(
            grant_types=frozenset({"authorization_code", "refresh_token", "client_credentials", "password"}),
            response_types=frozenset({"code", "token", "none"}),
            allow=legacy.union(allow),
            lifetimes=lifetimes,
        )

    @classmethod
    def openid(
        cls,
        *,
        allow: Iterable[Allowance] = (),
        code_binding: CodeBinding = CodeBinding.PKCE_OR_NONCE,
        lifetimes: Lifetimes = LIFETIMES,
    ) -> Policy:
        """Offer what OAuth 2.1 leaves, and ID tokens from the authorization endpoint (OIDC Core section 3).

        The response types with an access token in them are there if `Allowance.IMPLICIT` is among `allow`.
        """
        return cls.oauth21(allow=allow, code_binding=code_binding, lifetimes=lifetimes).with_id_tokens()

    def with_id_tokens(self) -> Policy:
        """Offer ID tokens from the authorization endpoint, too; beside access tokens only where those are allowed."""
        types = self.response_types | {"id_token", "code id_token"}
        if Allowance.IMPLICIT in self.allow:
            types |= {"token", "id_token token", "code token", "code id_token token"}
        return attrs.evolve(self, response_types=types)

    def allows(self, allowance: Allowance, client_allow: frozenset[Allowance] = frozenset()) -> bool:
        """Return whether something is opened here, or for this client."""
        return allowance in self.allow or allowance in client_allow
