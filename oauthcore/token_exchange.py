"""Who may exchange which token for what (RFC 8693): no client by default, else what rules or a host allow.

`TokenExchange` is the setting. Each exchange is described to it in one value, `ExchangeRequest`, after the tokens have
been verified; what it returns says how far the exchange may go. The grant holds itself to that, and to what no policy
changes: tokens are live, refresh tokens and identity assertions are the client's own, chains of actors are bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal, Self, TypeAlias

import attrs

from oauthcore.errors import ConfigurationError, InvalidRequest, InvalidTarget, UnauthorizedClient
from oauthcore.given import are_strings, as_strings, check_callable, check_kind
from oauthcore.named import Named
from oauthcore.records.actor import Actor
from oauthcore.records.client import Client
from oauthcore.records.confirmation import Confirmation
from oauthcore.resource_uri import comparable
from oauthcore.scope import Scope, given_scope

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
"""RFC 8693 section 2.1."""

TOKEN_TYPE = "urn:ietf:params:oauth:token-type:"
"""What all identifiers of token types begin with (RFC 8693 section 3)."""

SubjectTokenType: TypeAlias = Literal["access_token", "refresh_token", "id_token", "jwt"]
RequestedTokenType: TypeAlias = Literal["access_token", "jwt", "id-jag"]
ExchangeMode: TypeAlias = Literal["delegation", "impersonation"]

# Clients that any may be; see `ExchangeRule.subject_client_ids`.
ANY_CLIENT = "*"


class ExchangeAllowance(Named):
    """Name what an exchange does not do by default, and can be allowed to do."""

    OUTLIVE_SUBJECT = "the issued token may expire later than the subject token; never later than its grant"
    BOUND_SUBJECT = "a subject token that is bound to a key is taken without a proof of it, and the binding ends there"
    PUBLIC_CLIENT = "a client without credentials may exchange: whoever gets hold of a token and knows its identifier"
    PUBLIC_SUBJECT = "a client with pairwise subjects is shown, in an ID-JAG, the subject that all others know"


def _allowances(names: Iterable[ExchangeAllowance]) -> frozenset[ExchangeAllowance]:
    remedy = "give a list of allowances, as in [ExchangeAllowance.OUTLIVE_SUBJECT]"
    if isinstance(names, ExchangeAllowance | str):
        raise ConfigurationError("allow", names, remedy)
    found = frozenset(names)
    for name in found:
        check_kind("allow", name, ExchangeAllowance, remedy)
    return found


def _scope(value: str | Iterable[str]) -> Scope:
    return given_scope("scope", value)


def _one_of(*words: str) -> Callable[[object, attrs.Attribute[Any], object], None]:
    def check(_: object, field: attrs.Attribute[Any], value: object) -> None:
        """Refuse all others."""
        values = value if isinstance(value, tuple) else (value,)
        for one in values:
            if one not in words:
                raise ConfigurationError(field.name, one, f"use {' or '.join(map(repr, words))}")
        if not values:
            raise ConfigurationError(field.name, [], "name one at least")

    return check


def _named(_: object, field: attrs.Attribute[Any], value: tuple[str, ...]) -> None:
    if not value:
        raise ConfigurationError(field.name, [], "name one client at least")


def _is_lifetime(_: object, field: attrs.Attribute[Any], value: int | None) -> None:
    if value is not None and value < 1:
        raise ConfigurationError(field.name, value, "use a number of seconds, 1 or more")


@attrs.frozen(kw_only=True)
class VerifiedToken:
    """Describe a token of a token exchange, as verified.

    It is live and this server's, or of type "jwt": then a trusted issuer has made it, `issuer` is that one, and
    `client_id` is blank. Otherwise `client_id` is the client that it was issued to. `subject` is the user here, None
    for a client's own token. `scope` and `audience` are what it is for; of a refresh or ID token, what its grant is
    for. `actors` act with it already, the current one first. `may_act` is that claim, if it has one (RFC 8693 section
    4.4); `claims` are those of a signed token.
    """

    type: SubjectTokenType
    client_id: str
    subject: str | None
    scope: Scope
    audience: tuple[str, ...]
    expires_at: int
    issuer: str
    actors: tuple[Actor, ...] = ()
    confirmation: Confirmation | None = None
    may_act: Mapping[str, object] | None = attrs.field(default=None, repr=False)
    claims: Mapping[str, object] = attrs.field(default=MappingProxyType({}), repr=False)


@attrs.frozen(kw_only=True)
class ExchangeRequest:
    """Describe one token exchange to the policy (RFC 8693 section 2.1).

    `resources` and `audiences` are as the client spells them. `actor` is None without an actor token.
    """

    client: Client
    subject: VerifiedToken
    requested_token_type: RequestedTokenType = "access_token"
    actor: VerifiedToken | None = None
    resources: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    scope: Scope | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """Return everything that the token is requested for, by URI or by name."""
        return (*self.resources, *self.audiences)


@attrs.frozen(kw_only=True)
class AllowedExchange:
    """Say how far an exchange for an access token may go.

    `audience` is what the token will be for. `scope` is what it may have at most; None is what the subject token has,
    which also limits a scope that is given, but for `extra_scope`. With "delegation", `act` says who acts: whose the
    actor token is, or the client. `lifetime` is in seconds; None is the usual one.
    """

    audience: tuple[str, ...] = attrs.field(converter=as_strings, validator=are_strings)
    scope: Scope | None = attrs.field(default=None, converter=attrs.converters.optional(_scope))
    extra_scope: Scope = attrs.field(default=Scope(), converter=_scope)
    mode: ExchangeMode = attrs.field(default="delegation", validator=_one_of("delegation", "impersonation"))
    lifetime: int | None = attrs.field(default=None, validator=_is_lifetime)
    require_may_act: bool = False
    allow: frozenset[ExchangeAllowance] = attrs.field(default=frozenset(), converter=_allowances)


@attrs.frozen(kw_only=True)
class AllowedIdJag:
    """Say what an ID-JAG may say: for which authorization server (`audience`), and as which client it is known there.

    `resources` are those of the request that are granted, `scope` is what may be granted at most. `email` includes the
    user's e-mail address where the user let this client know it. See `IdJagRule` for the others.
    """

    audience: str
    client_id: str
    resources: tuple[str, ...] = attrs.field(default=(), converter=as_strings, validator=are_strings)
    scope: Scope = attrs.field(default=Scope(), converter=_scope)
    lifetime: int = attrs.field(default=300, validator=_is_lifetime)
    email: bool = False
    sector_identifier_uri: str | None = None
    allow: frozenset[ExchangeAllowance] = attrs.field(default=frozenset(), converter=_allowances)


Allowed: TypeAlias = AllowedExchange | AllowedIdJag
DecideExchange: TypeAlias = Callable[[ExchangeRequest], Allowed | None]
"""Return how far an exchange may go, or None to refuse it.

It is called again if a decision has to be made again, and has to return the same at once: no I/O. It may raise
`InvalidTarget`, `InvalidScope` or `UnauthorizedClient` to say why.
"""


@attrs.frozen(kw_only=True)
class ExchangeRule:
    """Let clients exchange tokens for access tokens.

    `client_ids` may exchange tokens of `subject_token_types` that were issued to `subject_client_ids`: only their own
    if it is left out, everybody's with "*". Access tokens have to be for one of `subject_audience`, if that is given:
    for a gateway, what is sent to it. With the type "jwt", tokens of `subject_issuers` are taken, which have to be
    trusted issuers of the server, for the use "token-exchange". The new token is for `audience`, or for what the
    subject token is for if that is left out. It has at most `scope` of what the subject token allows, and `extra_scope`
    beside that. With "delegation", `act` says who acts. It expires no later than the subject token. `allow` opens what
    is shut.

    Raises `ConfigurationError` for invalid settings.
    """

    client_ids: tuple[str, ...] = attrs.field(converter=as_strings, validator=[are_strings, _named])
    subject_token_types: tuple[SubjectTokenType, ...] = attrs.field(
        default=("access_token",),
        converter=as_strings,
        validator=[are_strings, _one_of("access_token", "refresh_token", "id_token", "jwt")],
    )
    subject_issuers: tuple[str, ...] = attrs.field(default=(), converter=as_strings, validator=are_strings)
    subject_client_ids: tuple[str, ...] = attrs.field(default=(), converter=as_strings, validator=are_strings)
    subject_audience: tuple[str, ...] = attrs.field(default=(), converter=as_strings, validator=are_strings)
    audience: tuple[str, ...] = attrs.field(default=(), converter=as_strings, validator=are_strings)
    requested_token_types: tuple[Literal["access_token", "jwt"], ...] = attrs.field(
        default=("access_token", "jwt"),
        converter=as_strings,
        validator=[are_strings, _one_of("access_token", "jwt")],
    )
    mode: ExchangeMode = attrs.field(default="delegation", validator=_one_of("delegation", "impersonation"))
    scope: Scope | None = attrs.field(default=None, converter=attrs.converters.optional(_scope))
    extra_scope: Scope = attrs.field(default=Scope(), converter=_scope)
    lifetime: int | None = attrs.field(default=None, validator=_is_lifetime)
    require_may_act: bool = False
    allow: frozenset[ExchangeAllowance] = attrs.field(default=frozenset(), converter=_allowances)

    def __attrs_post_init__(self) -> None:
        # RFC 8693 section 5: otherwise a client that was sent a token for something else could go on with it.
        if ANY_CLIENT in self.subject_client_ids and not self.subject_audience:
            remedy = "name the clients, or name in subject_audience what their tokens have to be for"
            raise ConfigurationError("subject_client_ids", list(self.subject_client_ids), remedy)
        # Refresh and ID tokens stand for all that their grant allows, so the audience would not limit them.
        if self.subject_audience and self.subject_token_types != ("access_token",):
            remedy = 'leave it out, or take access tokens only: subject_token_types = ["access_token"]'
            raise ConfigurationError("subject_audience", list(self.subject_audience), remedy)
        # Without issuers no token of others could match, and with issuers alone the rule would match none of them.
        if ("jwt" in self.subject_token_types) != bool(self.subject_issuers):
            remedy = (
                'name the trusted issuers whose tokens are taken, and "jwt" in subject_token_types; both or neither'
            )
            raise ConfigurationError("subject_issuers", list(self.subject_issuers), remedy)
        # RFC 6749 section 10.4: a refresh token is bound to its client. Another client that has it has stolen it.
        if "refresh_token" in self.subject_token_types and self.subject_client_ids:
            remedy = "leave it out: a refresh token is good for the client that it was issued to, and for no other"
            raise ConfigurationError("subject_client_ids", list(self.subject_client_ids), remedy)

    def takes(self, subject_token_type: SubjectTokenType, requested: RequestedTokenType) -> bool:
        """Return whether the rule is about tokens of these types, whichever they are."""
        return subject_token_type in self.subject_token_types and requested in self.requested_token_types

    def admits(self, request: ExchangeRequest) -> bool:
        """Return whether the rule is about such an exchange, whatever it is for."""
        subject, client_id = request.subject, request.client.client_id
        clients = self.subject_client_ids or (client_id,)
        if subject.type == "jwt":
            is_of_origin = subject.issuer in self.subject_issuers
        else:
            is_of_origin = subject.client_id in clients or ANY_CLIENT in clients
        return (
            client_id in self.client_ids
            and self.takes(subject.type, request.requested_token_type)
            and is_of_origin
            and (not self.subject_audience or bool(among(subject.audience, self.subject_audience)))
        )

    def allowed(self, request: ExchangeRequest) -> AllowedExchange | None:
        """Return how far the exchange may go, None if it is for something else than the rule is."""
        audience = self._audience_for(request)
        if audience is None:
            return None
        return AllowedExchange(
            audience=audience,
            scope=self.scope,
            extra_scope=self.extra_scope,
            mode=self.mode,
            lifetime=self.lifetime,
            require_may_act=self.require_may_act,
            allow=self.allow,
        )

    def _audience_for(self, request: ExchangeRequest) -> tuple[str, ...] | None:
        possible = self.audience or request.subject.audience
        if not request.targets:
            # What a token is for that names nothing has to be clear: all of a list would be more than anybody needs.
            return possible if len(possible) == 1 or not self.audience else None
        found = among(possible, request.targets)
        return found if len(among(request.targets, found)) == len(request.targets) else None


@attrs.frozen(kw_only=True)
class IdJagRule:
    """Let clients have ID-JAGs: assertions of who their user is, for another authorization server to issue tokens by.

    (draft-ietf-oauth-identity-assertion-authz-grant.) `audience` is that server's issuer. `client_id_there` is how a
    client is called there; it may be left out for clients whose identifier is an https URL, which is the same
    everywhere. `resources` are the APIs there that may be named, `scope` is what may be asked for. If that server signs
    users in here as a client with pairwise subjects, `sector_identifier_uri` is that client's: the assertion has to
    name the user as an ID token for it would. `email` includes the user's e-mail address where the user has let the
    client know it. `lifetime` is in seconds.

    Raises `ConfigurationError` for invalid settings.
    """

    client_ids: tuple[str, ...] = attrs.field(converter=as_strings, validator=[are_strings, _named])
    audience: str
    client_id_there: str | None = None
    subject_token_types: tuple[Literal["id_token", "refresh_token"], ...] = attrs.field(
        default=("id_token",), converter=as_strings, validator=[are_strings, _one_of("id_token", "refresh_token")]
    )
    resources: tuple[str, ...] = attrs.field(default=(), converter=as_strings, validator=are_strings)
    scope: Scope = attrs.field(default=Scope(), converter=_scope)
    lifetime: int = attrs.field(default=300, validator=_is_lifetime)
    email: bool = False
    sector_identifier_uri: str | None = None
    allow: frozenset[ExchangeAllowance] = attrs.field(default=frozenset(), converter=_allowances)

    def __attrs_post_init__(self) -> None:
        if not (comparable(self.audience) or "").startswith(("https://", "http://")):
            raise ConfigurationError("audience", self.audience, "use the issuer of the other authorization server")
        if self.client_id_there is None:
            for client_id in self.client_ids:
                # The client of that name there could present the assertion: it may be another one than here.
                if not client_id.startswith("https://"):
                    raise ConfigurationError("client_id_there", None, f"say how {client_id} is called at the audience")
        elif len(self.client_ids) > 1:
            remedy = "write a rule for each client: each is called otherwise there"
            raise ConfigurationError("client_ids", list(self.client_ids), remedy)
        for uri in self.resources:
            if comparable(uri) is None:
                raise ConfigurationError("resources", uri, "use absolute URIs, as in https://api.example/mcp")

    def takes(self, subject_token_type: SubjectTokenType, requested: RequestedTokenType) -> bool:
        """Return whether the rule is about tokens of these types, whichever they are."""
        return subject_token_type in self.subject_token_types and requested == "id-jag"

    def admits(self, request: ExchangeRequest) -> bool:
        """Return whether the rule is about such an exchange, whatever it is for."""
        is_named = request.client.client_id in self.client_ids
        return is_named and self.takes(request.subject.type, request.requested_token_type)

    def allowed(self, request: ExchangeRequest) -> AllowedIdJag | None:
        """Return what the assertion may say, None if it is for another server or for other resources."""
        # A URL is compared as a string: what is trusted is an issuer, which nothing normalises (RFC 8414 section 3.3).
        if request.audiences != (self.audience,):
            return None
        # A request that names none is for those of the rule: an assertion without any would be good for all there are.
        resources = among(self.resources, request.resources) if request.resources else self.resources
        if len(among(request.resources, resources)) != len(request.resources):
            return None
        return AllowedIdJag(
            audience=self.audience,
            client_id=self.client_id_there or request.client.client_id,
            resources=resources,
            scope=self.scope,
            lifetime=self.lifetime,
            email=self.email,
            sector_identifier_uri=self.sector_identifier_uri,
            allow=self.allow,
        )


def unacceptable_subject(reason: str) -> InvalidRequest:
    """Return the error for a subject token that is not taken, with one text for all reasons but the log's.

    RFC 8693 section 2.2.2: one that is unacceptable based on policy is an invalid_request. It must not differ from one
    that does not exist: a thief could find out which tokens are worth keeping.
    """
    return InvalidRequest.with_description("the subject_token is invalid", reason)


def among(these: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """Return those that are also among others: the same string, or URIs that name the same resource."""
    forms = {comparable(other) or other for other in others}
    return tuple(one for one in these if (comparable(one) or one) in forms)


ExchangeRules: TypeAlias = tuple[ExchangeRule | IdJagRule, ...]


def _rules(given: Iterable[ExchangeRule | IdJagRule]) -> ExchangeRules:
    remedy = "give a list of rules, as in [ExchangeRule(…)]"
    if isinstance(given, ExchangeRule | IdJagRule | str):
        raise ConfigurationError("rules", type(given).__name__, remedy)
    rules = tuple(given)
    for rule in rules:
        check_kind("rules", rule, (ExchangeRule, IdJagRule), remedy)
    return rules


@attrs.frozen(kw_only=True)
class TokenExchange:
    """Offer token exchange (RFC 8693): by `rules`, of which the first that fits counts, or as `decide` says.

    With `decide`, say whether it allows ID-JAGs (`id_jag`): the metadata then names them. `algorithms` are those that
    the server has keys for, and set by it.

    Raises `ConfigurationError` for invalid settings.
    """

    rules: ExchangeRules = attrs.field(default=(), converter=_rules)
    decide: DecideExchange | None = None
    id_jag: bool = False
    algorithms: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.decide is not None:
            check_callable("decide", self.decide, "give a function of an ExchangeRequest")
        if (self.decide is None) == (not self.rules):
            raise ConfigurationError("rules", list(self.rules), "give rules, or a function: decide=…; one of the two")

    @property
    def issues_id_jag(self) -> bool:
        """Return whether ID-JAGs may be issued."""
        return self.id_jag or any(isinstance(rule, IdJagRule) for rule in self.rules)

    @property
    def takes_id_tokens(self) -> bool:
        """Return whether ID tokens may be exchanged: they then say which grant they were issued on."""
        return self.decide is not None or any("id_token" in rule.subject_token_types for rule in self.rules)

    @property
    def alg(self) -> str | None:
        """Return what tokens are signed with, None without keys; RS256 is what all readers know."""
        return "RS256" if "RS256" in self.algorithms else next(iter(self.algorithms), None)

    def signed_by(
        self, algorithms: tuple[str, ...], issuer: str, *, openid: bool, trusted: Collection[str] = ()
    ) -> Self:
        """Return it for a server of that issuer that signs by these algorithms, as an OpenID Provider or not.

        `trusted` are the issuers whose tokens it takes.

        Raises `ConfigurationError` for what such a server can't do.
        """
        if self.issues_id_jag and not algorithms:
            raise ConfigurationError(
                "token_exchange", "an ID-JAG", "give the server keys to sign with: keys=KeyPolicy()"
            )
        for rule in self.rules:
            if "id_token" in rule.subject_token_types and not openid:
                remedy = "leave it out, or offer ID tokens: openid=OpenID()"
                raise ConfigurationError("subject_token_types", "id_token", remedy)
            for named in rule.subject_issuers if isinstance(rule, ExchangeRule) else ():
                if named not in trusted:
                    remedy = 'trust it: TrustedIssuer(issuer=…, uses=["token-exchange"])'
                    raise ConfigurationError("subject_issuers", named, remedy)
            # Section 8.3 of the draft: no server issues tokens by its own assertions, which would widen what they say.
            if isinstance(rule, IdJagRule) and comparable(rule.audience) == comparable(issuer):
                raise ConfigurationError("audience", rule.audience, "name another authorization server than this one")
        return attrs.evolve(self, algorithms=algorithms)

    def check_possible(self, client: Client, subject: SubjectTokenType, requested: RequestedTokenType) -> None:
        """Refuse what is not allowed whatever the tokens are; raises `UnauthorizedClient` and `InvalidRequest`.

        It is called before any token is looked for: a client that may exchange none of them is not to find out by an
        exchange which of them live.
        """
        # Section 8.1 of the draft: only for confidential clients. A public one can send its user there to be asked.
        if requested == "id-jag" and client.is_public:
            raise UnauthorizedClient("a public client has no ID-JAG")
        # Section 4.3 of the draft: an access token says nothing to its client about a user.
        if requested == "id-jag" and subject not in {"id_token", "refresh_token"}:
            raise InvalidRequest.with_description("an ID-JAG is issued for an ID token or a refresh token")
        if self.decide is not None:
            return
        rules = [rule for rule in self.rules if client.client_id in rule.client_ids]
        if not rules:
            raise UnauthorizedClient("no rule lets the client exchange tokens")
        fitting = [rule for rule in rules if rule.takes(subject, requested)]
        if not fitting:
            raise InvalidRequest.with_description(
                "the token exchange is not allowed: not for a subject_token of this type, "
                "or not for this requested_token_type"
            )
        if client.is_public and not any(ExchangeAllowance.PUBLIC_CLIENT in rule.allow for rule in fitting):
            raise UnauthorizedClient("a public client may not exchange tokens")

    def allowed(self, request: ExchangeRequest) -> Allowed:
        """Return how far an exchange may go; raises an `OAuthError` to refuse it."""
        if self.decide is not None:
            decided = self.decide(request)
            if decided is None:
                raise unacceptable_subject("the host's policy does not allow the exchange")
            check_kind("decide", decided, (AllowedExchange, AllowedIdJag), "return one of these, or None")
            return decided
        fitting = [rule for rule in self.rules if rule.admits(request)]
        if not fitting:
            raise unacceptable_subject("the exchange is not allowed: no rule is about a token of this origin")
        found: Allowed | None = None
        for rule in fitting:
            found = found or rule.allowed(request)
        # RFC 8693 section 2.2.2: invalid_target, for a service that the server is unwilling to issue a token for.
        if found is None:
            raise InvalidTarget.with_description(
                "a resource or audience is requested that this client may not have a token for, or none is named"
            )
        return found
