"""The resource server: verify a bearer token (RFC 6750, RFC 9470), and publish the resource's metadata (RFC 9728).

It gets an object that finds out what a token allows: `StoredTokens` for the authorization server's own storage,
`IntrospectedTokens` for introspection, `JwtTokens` for JWTs. It does not know clients, how grants are made, or how a
framework protects a route.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import attrs

from oauthcore.clock import Clock
from oauthcore.errors import ConfigurationError, InsufficientScope, InvalidDpopProof, InvalidToken, OAuthError
from oauthcore.flow.effects import Flow, pure
from oauthcore.flow.transact import refuse_errors
from oauthcore.given import strings
from oauthcore.resource.access import Access, FindAccess
from oauthcore.resource.bearer import BEARER, SCHEMES, Challenge, is_by_dpop, read_access_token
from oauthcore.resource.dpop import ProofsOfResource, ResourceDpop
from oauthcore.resource.introspected import IntrospectedTokens
from oauthcore.resource.jwt_tokens import JwtTokens
from oauthcore.resource.metadata import metadata_places, resource_metadata
from oauthcore.resource.possession import proves_possession
from oauthcore.resource.requirement import Requirement, required_scope
from oauthcore.resource.stored import StoredTokens
from oauthcore.resource_uri import comparable
from oauthcore.scope import NO_HIERARCHY, Scope
from oauthcore.wire.cors import CORS, preflight
from oauthcore.wire.http import Request, Response

Implies: TypeAlias = Callable[[Scope], Iterable[str]]
_OURS = (StoredTokens, IntrospectedTokens, JwtTokens)


@attrs.frozen
class AnyAudience:
    """Accept tokens for any resource. A server that receives a token for itself could then use it here."""


class ResourceServer:
    """Verify bearer tokens for a resource, and publish its metadata.

    `tokens` finds out what they allow: `server.tokens`, `IntrospectedTokens` or `JwtTokens`. With `server.tokens`, the
    world needs the server's `claims`: without it, tokens of removed users stay valid.

    `resource` is the resource's own URL. With it there is a metadata document at `metadata_paths` (RFC 9728), which
    names the `authorization_servers`, by default the issuer of `tokens`, and `scopes`; each challenge has its URL.
    `metadata_at_root` is for a resource that is alone on its host: clients look there last.

    `audience` is what a token must be meant for, one of these strings: by default the `resource`. Without a resource it
    is the issuer if `tokens` are `server.tokens`, and otherwise not checked. `AnyAudience()` turns the check off.
    `implies` adds implied scopes to a token's: `ScopeHierarchy({"write": ["read"]})`, or a function; the default is
    that of the server's policy if `tokens` are its own. `clock` is needed for `max_age` and `dpop` if `tokens` is a
    function of your own. With `dpop`, tokens that are bound to a key are taken, too, with a proof (RFC 9449).

    Raises `ConfigurationError` for invalid settings.
    """

    def __init__(
        self,
        tokens: FindAccess,
        *,
        resource: str | None = None,
        authorization_servers: Iterable[str] | None = None,
        scopes: Iterable[str] = (),
        name: str | None = None,
        audience: str | Iterable[str] | AnyAudience | None = None,
        realm: str | None = None,
        implies: Implies | None = None,
        metadata_at_root: bool = True,
        clock: Clock | None = None,
        dpop: ResourceDpop | None = None,
    ) -> None:
        self._tokens = tokens
        self.implies = implies or (tokens.implies if isinstance(tokens, StoredTokens) else NO_HIERARCHY)
        self._clock = clock or (tokens.clock if isinstance(tokens, _OURS) else None)
        self._audience = _accepted(audience, resource, tokens)
        if isinstance(tokens, JwtTokens) and audience is None and resource is None:
            # RFC 9068 section 4: only the resource itself can decide that a token is not meant for it.
            raise ConfigurationError(
                "resource", None, "pass resource= or audience=: which tokens does this server accept?"
            )
        self.metadata_paths: tuple[str, ...] = ()
        metadata_url = None
        if resource is not None:
            metadata_url, self.metadata_paths = metadata_places(resource, at_root=metadata_at_root)
            own = (tokens.issuer,) if isinstance(tokens, _OURS) and tokens.issuer is not None else ()
            issuers = own if authorization_servers is None else strings("authorization_servers", authorization_servers)
            self._metadata = resource_metadata(resource, issuers, required_scope(scopes), name, dpop)
        self._proofs = None if dpop is None else ProofsOfResource(dpop, resource)
        if dpop is not None and self._clock is None:
            raise ConfigurationError("clock", None, "pass clock=time.time to the ResourceServer; dpop needs it")
        algs = None if dpop is None else " ".join(dpop.algorithms)
        self._challenge = Challenge(
            realm or resource or "oauthcore", metadata_url, algs, dpop_only=dpop is not None and dpop.required
        )

    @property
    def audience(self) -> frozenset[str] | None:
        """Return the accepted audiences, in the form in which they are compared; None for any."""
        return self._audience

    def protect(
        self, scope: str | Iterable[str] = (), *, acr_values: str | Iterable[str] = (), max_age: int | None = None
    ) -> Protection:
        """Say what a route takes: all of `scope`, and a person who was authenticated in one of the ways `acr_values`,
        not longer than `max_age` seconds ago (RFC 9470).

        Raises `ConfigurationError` for what can't be.
        """
        if max_age is not None and self._clock is None:
            raise ConfigurationError("clock", None, "pass clock=time.time to the ResourceServer; max_age needs it")
        return Protection(self, Requirement.of(scope, acr_values, max_age))

    def verify(
        self,
        request: Request,
        scope: str | Iterable[str] = (),
        *,
        acr_values: str | Iterable[str] = (),
        max_age: int | None = None,
    ) -> Flow[Access | Response]:
        """Find out what a request's token allows, as `protect(…).verify(request)` does."""
        return self.protect(scope, acr_values=acr_values, max_age=max_age).verify(request)

    def find_access(self, request: Request, requirement: Requirement) -> Flow[Access | Response]:
        """Find what a request's token allows, and decide by it; whatever goes wrong is a response."""
        by_dpop = self._proofs is not None and is_by_dpop(request)
        return refuse_errors(
            self._found(request, requirement),
            lambda error, cause: self._challenge.refuse(error, requirement.scope, cause, by_dpop=by_dpop),
        )

    def decide(self, access: Access | None, requirement: Requirement) -> Access | Response:
        """Decide by an access that was found before, None if the request has no token."""
        if access is None:
            return self._challenge.require_token(requirement.scope)
        try:
            return self._decide(access, requirement)
        except OAuthError as error:
            return self._challenge.refuse(error, requirement.scope)

    def owns(self, path: str) -> bool:
        """Return whether a path is one of the metadata's."""
        return path in self.metadata_paths

    def handle(self, request: Request) -> Flow[Response]:
        """Answer a request for the metadata (RFC 9728 section 3)."""
        if not self.owns(request.path):
            return pure(Response(404, (("Content-Type", "text/plain"),), b"There is nothing here.\n"))
        if request.method == "OPTIONS":
            return pure(preflight(request, ("GET", "HEAD")))
        if request.method not in {"GET", "HEAD"}:
            headers = (("Allow", "GET, HEAD, OPTIONS"), ("Content-Type", "text/plain"), *CORS)
            return pure(Response(405, headers, b"Use another method.\n"))
        # RFC 9728 section 3: public, and without a token, since clients read it to find out where to get one.
        return pure(self._metadata)

    def _found(self, request: Request, requirement: Requirement) -> Flow[Access | Response]:
        # RFC 6750 section 2.1: the header only. A token in a URL is in every log on its way (section 5.3).
        proofs = self._proofs
        presented = read_access_token(request, BEARER if proofs is None else SCHEMES)
        if presented is None:
            return self._challenge.require_token(requirement.scope)
        proof = None
        if proofs is not None and presented.scheme == "dpop":
            proof = proofs.verified(request, presented.value, self._now)
        # Only now: a malformed request costs no look-up and no request to another server.
        access = yield from self._tokens(presented.value)
        if access is None:
            raise InvalidToken("the token is unknown, expired or revoked")
        jkt = None if proof is None else proof.jkt
        if proof is not None and (access.cnf is None or access.cnf.get("jkt") != jkt):
            # RFC 9449 section 7.1: the token has to be bound to the key of the proof.
            raise InvalidToken("the token is bound to another key than that of the proof, or to none")
        if access.cnf is not None:
            access = attrs.evolve(access, is_possession_proven=proves_possession(request, access.cnf, jkt))
        decided = self._decide(access, requirement)
        # Last: what is refused for another reason leaves the proof unused, also where an adapter asks once more.
        if proofs is not None and proof is not None and not (yield from proofs.settings.first_use(proof, self._now)):
            raise InvalidDpopProof("the DPoP proof was used before")
        return decided

    @property
    def _now(self) -> int:
        return 0 if self._clock is None else int(self._clock())

    def _decide(self, access: Access, requirement: Requirement) -> Access:
        if self._audience is not None and not self._audience.intersection(map(_compared, access.audience)):
            # RFC 8707 section 3, RFC 9068 section 4: another resource has tokens for itself, and must not use them
            # here.
            raise InvalidToken(f"the token is meant for {access.audience}")
        if access.cnf is not None and not access.is_possession_proven:
            # RFC 9449 section 7.2, RFC 8705 section 3: possession of the token is not enough.
            raise InvalidToken("the token is bound to a key, and came without a proof of it")
        if self._challenge.dpop_only and (access.cnf is None or "jkt" not in access.cnf):
            raise InvalidToken("the token is not bound to a DPoP key, as is required here").by_setting("dpop.required")
        # Before the scope, since this challenge names the scope as well: one new authorization is enough for both.
        requirement.check_authentication(access, 0 if self._clock is None else self._clock())
        # RFC 6750 section 3.1: 403 insufficient_scope, with the scope that is needed, so that a client can step up.
        if not Scope(tuple(self.implies(access.scope))).covers(requirement.scope):
            raise InsufficientScope(f"the token has {access.scope.text}, and this takes {requirement.scope.text}")
        return access


@attrs.frozen
class Protection:
    """Protect one route: a framework's helper calls it with each request."""

    resource_server: ResourceServer
    requirement: Requirement

    def verify(self, request: Request) -> Flow[Access | Response]:
        """Return the `Access` of a request's token, or the response that refuses it.

        401 without a token, with an invalid one, or if the user must be authenticated otherwise; 403 for insufficient
        scope, 400 for a malformed request, 503 if the token could not be looked up.
        """
        return self.resource_server.find_access(request, self.requirement)

    def decide(self, access: Access | None) -> Access | Response:
        """Decide the same for an access that was found before, None if the request has no token."""
        return self.resource_server.decide(access, self.requirement)


def _accepted(
    audience: str | Iterable[str] | AnyAudience | None, resource: str | None, tokens: FindAccess
) -> frozenset[str] | None:
    """Return the audiences that are accepted, None for any."""
    if isinstance(audience, AnyAudience):
        return None
    given: str | Iterable[str] | None = resource if audience is None else audience
    if given is None:
        # In the server's own process, its own tokens; those for an API that it issues tokens for are for that one.
        return frozenset({_compared(tokens.issuer)}) if isinstance(tokens, StoredTokens) else None
    values = (given,) if isinstance(given, str) else strings("audience", given)
    if not values or not all(values):
        raise ConfigurationError("audience", audience, "name the resource, or pass AnyAudience()")
    return frozenset(map(_compared, values))


def _compared(value: str) -> str:
    """Return the form by which an audience is compared, as clients may spell a URL in more than one way."""
    return comparable(value) or value
