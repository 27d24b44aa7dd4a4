"""A profile as a value: its rules, what a server that has it does by default, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Self, get_args

import attrs

from oauthcore.dpop.settings import Dpop
from oauthcore.errors import ConfigurationError, InvalidClientMetadata, InvalidRequest, UnauthorizedClient
from oauthcore.given import are_strings, as_strings
from oauthcore.policy import Policy
from oauthcore.profiles.fapi2_message_signing import MAX_OBJECT_LIFETIME, PARTS, RULES_OF_PART
from oauthcore.profiles.fapi2_security import DPOP_ALGORITHMS, FAPI2_SECURITY, FAPI_POLICY
from oauthcore.profiles.mcp import MCP
from oauthcore.profiles.oauth21 import OAUTH21
from oauthcore.profiles.oidc_basic import OIDC_BASIC
from oauthcore.profiles.rfc9700 import RFC9700
from oauthcore.profiles.rule import AuthorizationTraits, Deployment, Problem, Rule, State, TokenTraits
from oauthcore.pushed_requests import PushedRequests
from oauthcore.records.client import Client
from oauthcore.request_objects import RequestObjects

ProfileName = Literal["oauth21", "rfc9700", "oidc_basic", "mcp", "fapi2_security", "fapi2_message_signing"]
PROFILE_NAMES: tuple[ProfileName, ...] = get_args(ProfileName)

TITLES: dict[ProfileName, str] = {
    "oauth21": "OAuth 2.1",
    "rfc9700": "Best Current Practice for OAuth 2.0 Security",
    "oidc_basic": "OpenID Connect Basic",
    "mcp": "Model Context Protocol",
    "fapi2_security": "FAPI 2.0 Security Profile",
    "fapi2_message_signing": "FAPI 2.0 Message Signing",
}

_RULES: dict[ProfileName, tuple[Rule, ...]] = {
    "oauth21": OAUTH21,
    "rfc9700": RFC9700,
    "oidc_basic": OIDC_BASIC,
    "mcp": MCP,
    "fapi2_security": FAPI2_SECURITY,
    # Its parts are added, each only where it is named.
    "fapi2_message_signing": FAPI2_SECURITY,
}


def _as_rules(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    return tuple(rules)


@attrs.frozen
class RuleState:
    """Say how a rule stands in a deployment; `problem` is what does not obey it, if something does not."""

    rule: Rule
    state: State
    problem: Problem | None


@attrs.frozen(kw_only=True)
class Profile:
    """Hold a server to a set of rules: `AuthorizationServer(profile=Profile.fapi2_security())`.

    What the host leaves out of the server's settings is then set as the rules demand. A setting that breaks a rule is a
    `ConfigurationError`, and so is a client that does; requests that break one are refused. With `report_only` nothing
    is set or refused: each request that would be refused is answered, with an event for each rule that it breaks, as in
    `profile:pushed_requests`. So the clients that a profile would lock out are known before it is switched on.

    `parts` are those of FAPI 2.0 Message Signing, which stand each on its own: requests, responses, introspection.
    `further` are rules of the host's own.
    """

    name: ProfileName
    report_only: bool = False
    parts: tuple[str, ...] = attrs.field(default=(), converter=as_strings, validator=are_strings)
    further: tuple[Rule, ...] = attrs.field(default=(), converter=_as_rules)
    rules: tuple[Rule, ...] = attrs.field(init=False, eq=False, repr=False)

    @rules.default
    def _all_rules(self) -> tuple[Rule, ...]:
        of_parts = (rule for part in PARTS if part in self.parts for rule in RULES_OF_PART[part])
        return (*_RULES.get(self.name, ()), *of_parts, *self.further)

    def __attrs_post_init__(self) -> None:
        if self.name not in PROFILE_NAMES:
            raise ConfigurationError("profile.name", self.name, f"use one of {', '.join(PROFILE_NAMES)}")
        for part in self.parts:
            if part not in PARTS or self.name != "fapi2_message_signing":
                remedy = f"use some of {', '.join(PARTS)}, with the profile fapi2_message_signing alone"
                raise ConfigurationError("profile.parts", part, remedy)
        if self.name == "fapi2_message_signing" and not self.parts:
            remedy = f"name what has to be signed: some of {', '.join(PARTS)}"
            raise ConfigurationError("profile.parts", (), remedy)

    @classmethod
    def oauth21(cls, *, report_only: bool = False) -> Self:
        """Return the rules of OAuth 2.1 (draft-ietf-oauth-v2-1)."""
        return cls(name="oauth21", report_only=report_only)

    @classmethod
    def rfc9700(cls, *, report_only: bool = False) -> Self:
        """Return the rules of RFC 9700 for authorization servers."""
        return cls(name="rfc9700", report_only=report_only)

    @classmethod
    def oidc_basic(cls, *, report_only: bool = False) -> Self:
        """Return the rules for OpenID Providers whose clients use the code flow (OIDC Core sections 3.1 and 15.1)."""
        return cls(name="oidc_basic", report_only=report_only)

    @classmethod
    def mcp(cls, *, report_only: bool = False) -> Self:
        """Return the rules of the Model Context Protocol's section on authorization, revision 2025-11-25."""
        return cls(name="mcp", report_only=report_only)

    @classmethod
    def fapi2_security(cls, *, report_only: bool = False) -> Self:
        """Return the rules of the FAPI 2.0 Security Profile for authorization servers."""
        return cls(name="fapi2_security", report_only=report_only)

    @classmethod
    def fapi2_message_signing(
        cls,
        *,
        requests: bool = True,
        responses: bool = True,
        introspection: bool = True,
        report_only: bool = False,
    ) -> Self:
        """Return the rules of FAPI 2.0 Message Signing, with those of the Security Profile, on which it is built."""
        wanted = dict(zip(PARTS, (requests, responses, introspection), strict=True))
        parts = tuple(part for part, is_wanted in wanted.items() if is_wanted)
        return cls(name="fapi2_message_signing", parts=parts, report_only=report_only)

    @property
    def title(self) -> str:
        """Return the standard's title."""
        return TITLES[self.name]

    @property
    def is_fapi(self) -> bool:
        """Return whether it is one of the two profiles of FAPI 2.0."""
        return self.name in {"fapi2_security", "fapi2_message_signing"}

    @property
    def default_policy(self) -> Policy | None:
        """Return the policy that obeys the rules; None if the server's own default does."""
        return FAPI_POLICY if self.is_fapi and not self.report_only else None

    @property
    def default_pushed_requests(self) -> PushedRequests | None:
        """Return the settings of pushed requests that obey the rules; None if there are no rules of them."""
        return PushedRequests(required=True) if self.is_fapi and not self.report_only else None

    @property
    def default_request_objects(self) -> RequestObjects | None:
        """Return what the rules demand of request objects; None if nothing."""
        is_demanded = "requests" in self.parts and not self.report_only
        return RequestObjects(required=True, max_lifetime=MAX_OBJECT_LIFETIME) if is_demanded else None

    @property
    def default_dpop(self) -> Dpop | None:
        """Return the settings of DPoP for a server without mutual TLS; None if no rule has tokens bound to keys."""
        return Dpop(required=True, algorithms=DPOP_ALGORITHMS) if self.is_fapi and not self.report_only else None

    @property
    def default_algorithms(self) -> tuple[str, ...]:
        """Return the algorithms for the server's keys; none if its own default obeys the rules."""
        return ("PS256", "ES256") if self.is_fapi and not self.report_only else ()

    def states(self, deployment: Deployment) -> tuple[RuleState, ...]:
        """Return how each rule stands in a deployment."""
        return tuple(RuleState(rule, *rule.state_in(deployment)) for rule in self.rules)

    def check_deployment(self, deployment: Deployment) -> None:
        """Raise `ConfigurationError` for a setting that breaks a rule, unless that is only reported."""
        if self.report_only:
            return
        for one in self.states(deployment):
            if one.problem is not None:
                raise self._broken(one.rule, one.problem)

    def check_client(self, client: Client) -> None:
        """Raise `ConfigurationError` for a client that breaks a rule, unless that is only reported."""
        if self.report_only:
            return
        for rule, problem in self.broken_by_client(client):
            raise self._broken(rule, problem)

    def refuse_metadata(self, client: Client) -> None:
        """Raise `InvalidClientMetadata` for the first rule that a client breaks which describes itself.

        Unlike a `ConfigurationError`, which is the operator's, it says the rule to the client.
        """
        for rule, problem in () if self.report_only else self.broken_by_client(client):
            raise InvalidClientMetadata.with_description(
                f"a rule of this server is broken: {rule.requirement}",
                f"a rule of {self.title} is broken by {problem.setting}: {rule.requirement} ({rule.source})",
            )

    def broken_by_client(self, client: Client) -> tuple[tuple[Rule, Problem], ...]:
        """Return the rules that a client breaks, and by what; a client that is never issued anything breaks none."""
        # A resource server that only introspects is a client by name alone.
        if not client.grant_types:
            return ()
        found = ((rule, rule.client(client)) for rule in self.rules if rule.client is not None)
        return tuple((rule, problem) for rule, problem in found if problem is not None)

    def broken_by_authorization(self, traits: AuthorizationTraits) -> tuple[Rule, ...]:
        """Return the rules that an authorization request breaks, those of its client first."""
        of_client = tuple(rule for rule, _ in self.broken_by_client(traits.client))
        own = (rule for rule in self.rules if rule.authorization is not None and not rule.authorization(traits))
        return (*of_client, *own)

    def broken_by_token_request(self, traits: TokenTraits) -> tuple[Rule, ...]:
        """Return the rules that a token request breaks, those of its client first."""
        of_client = tuple(rule for rule, _ in self.broken_by_client(traits.client))
        own = (rule for rule in self.rules if rule.token is not None and not rule.token(traits))
        return (*of_client, *own)

    def refuse(self, broken: tuple[Rule, ...]) -> None:
        """Raise the error for the first of the rules that a request breaks, unless that is only reported."""
        if self.report_only or not broken:
            return
        rule = broken[0]
        # A client that was registered before the server had this profile.
        kind = InvalidRequest if rule.client is None else UnauthorizedClient
        raise kind.with_description(
            f"a rule of this server is broken: {rule.requirement}",
            f"a rule of {self.title} is broken: {rule.requirement} ({rule.source})",
        ).by_setting(rule.setting or "profile")

    def _broken(self, rule: Rule, problem: Problem) -> ConfigurationError:
        remedy = f"{problem.remedy}, or leave the profile out: {rule.requirement} ({rule.source})"
        return ConfigurationError(problem.setting, problem.value, remedy)
