"""The authorization server: configuration in, a table of endpoints out.

Every public method that needs the storage or the application returns a flow; `run` and `arun` are the only difference
between a blocking and an async host.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Literal, Self, assert_never

from oauthcore.assertions.trusted_issuer import TrustedIssuer, as_trusted_issuers
from oauthcore.authorization.request_object import offered
from oauthcore.authorization_details import AuthorizationDetails
from oauthcore.ciba import GRANT_TYPE as CIBA_GRANT_TYPE
from oauthcore.ciba import Ciba
from oauthcore.client_id_metadata import ClientIdMetadata, MetadataDocuments
from oauthcore.clients.added_methods import check_methods
from oauthcore.clients.dynamic_registration import Registrar, Registration
from oauthcore.clock import Clock
from oauthcore.context import NO_METHODS, Context, Paths, ProveClient
from oauthcore.device_grant import DEVICE_CODE, DeviceGrant
from oauthcore.digest import Derivation, Digester
from oauthcore.dpop.settings import Dpop
from oauthcore.endpoints.endpoint import Endpoint, EndpointRequest, no_endpoint, other_method
from oauthcore.endpoints.metadata import metadata, well_known_paths
from oauthcore.endpoints.table import absent_document, check_endpoints, document_endpoint, own_endpoints
from oauthcore.endpoints.webfinger import WELL_KNOWN as WEBFINGER
from oauthcore.endpoints.webfinger import WebFinger, webfinger_endpoint
from oauthcore.entropy import Entropy, mint
from oauthcore.errors import ConfigurationError, OAuthError
from oauthcore.extra_claims import AddClaims, checked
from oauthcore.facets.applications import Applications
from oauthcore.facets.backchannel import Backchannel
from oauthcore.facets.clients import Clients
from oauthcore.facets.devices import Devices
from oauthcore.facets.grants import Grants
from oauthcore.facets.interactions import Interactions
from oauthcore.facets.keys import SigningKeys
from oauthcore.facets.sessions import Sessions
from oauthcore.flow.effects import Flow, pure
from oauthcore.flow.transact import Refuse, transact
from oauthcore.given import check_callable, check_kind, strings
from oauthcore.grants import GrantFlow
from oauthcore.grants.certificate_bound import prove_certificate
from oauthcore.grants.ciba import ciba as ciba_grant
from oauthcore.grants.device_code import device_code
from oauthcore.grants.dpop import proving_by_dpop
from oauthcore.grants.jwt_bearer import ID_JAG_PROFILE
from oauthcore.handle import Handles
from oauthcore.instruments import Call, Instruments
from oauthcore.issuer import assertion_grants, check_issuer, exchange_grants, offered_grants
from oauthcore.jose import crypto
from oauthcore.jose.jwk import Jwk
from oauthcore.mutual_tls import MutualTls
from oauthcore.openid import OpenID
from oauthcore.options import check_options
from oauthcore.policy import Policy
from oauthcore.possession import ProvePossession
from oauthcore.profiles.profile import Profile, RuleState
from oauthcore.profiles.rule import Deployment
from oauthcore.pushed_requests import PushedRequests
from oauthcore.records.liveness import Admits
from oauthcore.records.login import Login, check_login
from oauthcore.request_objects import NO_DEMANDS, RequestObjects
from oauthcore.resource.bearer import challenge_of, is_by_dpop
from oauthcore.resource.stored import StoredTokens
from oauthcore.resources import Resource, Resources, as_resources
from oauthcore.scope import Scope
from oauthcore.sealing import Sealing
from oauthcore.signing.key_ring import KeyPolicy
from oauthcore.signing.keys import KeySet, StoredKeys, known_in_hints, published
from oauthcore.token_exchange import TokenExchange
from oauthcore.user_policy import EVERYBODY, UserPolicy
from oauthcore.wire.http import Request, Response, with_headers
from oauthcore.wire.refusals import RenderErrorPage, plain_error_page, refuse_as_json, refuse_as_page

# A working day: who leaves a browser open should not be signed in there for ever.
SESSION_LIFETIME = 8 * 3_600

# 256 bits are what a derived token has; 64 bytes are what a key of BLAKE2b can have (RFC 7693 section 2.1).
TOKEN_KEY_LENGTHS = range(32, 65)


class AuthorizationServer:
    """An authorization server for one issuer (RFC 6749, RFC 7009, RFC 7636, RFC 7662, RFC 8414, RFC 9207).

    `issuer` is its URL, kept as the exact string; `clock` and `entropy` may be `time.time` and `secrets.token_bytes`;
    `token_key` is 32 to 64 secret random bytes, the same for every worker and every restart. `grants` adds grant types,
    or replaces built-in ones; `endpoints` adds endpoints, and `client_authentication` methods by which clients
    authenticate (docs/extending.md). `scopes` is what the metadata advertises,
    nothing else. `base` is the issuer's own path, which is in front of all others; `metadata_paths` are where the
    metadata is found, `discovery_paths` are all places where clients look for it, and `endpoint_paths` where everything
    else is. `tokens` finds its access tokens, for a
    `ResourceServer`, whose world needs the `claims` of this server: without it, tokens of removed users stay valid.

    With `openid` it is an OpenID Provider. `keys` are its signing keys: a `KeyPolicy` for keys in storage, which rotate
    automatically, or `GivenKeys`; the default of an OpenID Provider is a `KeyPolicy`. With a `registration`, clients
    can register themselves (RFC 7591); with `client_id_metadata` they need not be registered, but publish their
    metadata, which the world's `fetch` reads (docs/client-id-metadata.md). With `resources` they name the APIs that
    tokens are for (RFC 8707). With `trusted_issuers` clients and workloads get tokens for what other servers have
    signed (RFC 7523, docs/jwt-bearer.md). With `token_exchange` clients may exchange tokens (RFC 8693,
    docs/token-exchange.md). With a `device` grant, devices without a browser get tokens (RFC 8628, docs/device.md).
    `user_policy` says who may use which client (docs/who-may-use-what.md), and `webfinger` answers which issuer
    the accounts of a domain belong to (docs/webfinger.md). With `pushed_requests` clients push their authorization
    requests before they send the browser (RFC 9126, docs/pushed-requests.md). `request_objects` says what is demanded
    of signed requests (RFC 9101, docs/signed-requests.md). With `mutual_tls`, clients can authenticate by their
    certificates, and have tokens bound to them (RFC 8705, docs/mutual-tls.md). With `dpop`, tokens are bound to a key
    of the client where it proves that it has one (RFC 9449, docs/dpop.md).
    `extra_claims` is a function that adds claims to tokens, or a flow (docs/claims.md).
    `authorization_details` are types of what clients may request beside scopes (RFC 9396,
    docs/authorization-details.md).
    With a `profile` its settings, clients and requests have to obey a set of rules, and what is left out is set as they
    demand (docs/profiles.md).

    Raises `ConfigurationError` for invalid settings.
    """

    def __init__(
        self,
        *,
        issuer: str,
        clock: Clock,
        entropy: Entropy,
        token_key: bytes,
        policy: Policy | None = None,
        paths: Paths | None = None,
        grants: Mapping[str, GrantFlow] | None = None,
        endpoints: Iterable[Endpoint] = (),
        scopes: Iterable[str] = (),
        openid: OpenID | None = None,
        error_page: RenderErrorPage = plain_error_page,
        keys: KeySet | KeyPolicy | None = None,
        registration: Registration | None = None,
        resources: Resources | Iterable[Resource] | None = None,
        client_id_metadata: ClientIdMetadata | None = None,
        trusted_issuers: Iterable[TrustedIssuer] = (),
        token_exchange: TokenExchange | None = None,
        device: DeviceGrant | None = None,
        ciba: Ciba | None = None,
        user_policy: UserPolicy | None = None,
        webfinger: WebFinger | None = None,
        pushed_requests: PushedRequests | None = None,
        extra_claims: AddClaims | None = None,
        request_objects: RequestObjects | None = None,
        mutual_tls: MutualTls | None = None,
        client_authentication: Mapping[str, ProveClient] | None = None,
        dpop: Dpop | None = None,
        authorization_details: AuthorizationDetails | None = None,
        profile: Profile | None = None,
    ) -> None:
        check_kind("issuer", issuer, str, "give the issuer's URL as a string")
        check_kind("token_key", token_key, (bytes, bytearray), "give bytes, as secrets.token_bytes(32) makes them")
        check_callable("clock", clock, "give a function, as in clock=time.time")
        check_callable("entropy", entropy, "give a function, as in entropy=secrets.token_bytes")
        check_options(
            authorization_details=authorization_details,
            ciba=ciba,
            client_id_metadata=client_id_metadata,
            device=device,
            dpop=dpop,
            mutual_tls=mutual_tls,
            profile=profile,
            pushed_requests=pushed_requests,
            request_objects=request_objects,
            token_exchange=token_exchange,
            user_policy=user_policy,
            webfinger=webfinger,
        )
        self.profile = profile
        if profile is not None:
            policy = policy or profile.default_policy
            pushed_requests = pushed_requests or profile.default_pushed_requests
            request_objects = request_objects or profile.default_request_objects
            keys = keys or _keys_for(profile, openid)
            dpop = dpop or (profile.default_dpop if mutual_tls is None else None)
        self.authorization_details = authorization_details
        self.issuer = issuer
        self.policy = policy or Policy.oauth21()
        self.paths = paths or Paths()
        self.openid = openid
        self.resources = as_resources(resources)
        self.base = check_issuer(issuer, self.policy)
        self.metadata_paths = well_known_paths(self.base, openid=openid is not None)
        # Wherever clients look for the document, whether it is there or not (RFC 8414 section 3.1 and 5).
        self.discovery_paths = well_known_paths(self.base, openid=True)
        if webfinger is not None:
            if openid is None:
                raise ConfigurationError("webfinger", webfinger.domains, "leave it out, or add openid=OpenID()")
            # It is found at the root of the host, as the metadata is (RFC 7033 section 10.1).
            self.metadata_paths = (*self.metadata_paths, WEBFINGER)
            self.discovery_paths = (*self.discovery_paths, WEBFINGER)
        self.webfinger = webfinger
        if len(token_key) not in TOKEN_KEY_LENGTHS:
            raise ConfigurationError("token_key", f"{len(token_key)} bytes", "use 32 random bytes, or up to 64")
        if extra_claims is not None:
            check_callable("extra_claims", extra_claims, "leave it out, or give a function of a ClaimsTarget")
        derive = Derivation(issuer, token_key)
        instruments = Instruments(
            clock=clock,
            entropy=entropy,
            digest=Digester(issuer),
            derive=derive,
            handles=Handles(issuer, token_key),
            sealing=Sealing(derive),
            keys=self._key_set(keys if openid is None else keys or KeyPolicy(), derive),
            extra_claims=None if extra_claims is None else checked(extra_claims),
        )
        self._error_page = error_page
        self.trusted_issuers = as_trusted_issuers(trusted_issuers)
        if issuer in self.trusted_issuers:
            # Its own tokens would count as another's, which no revocation reaches.
            raise ConfigurationError("trusted_issuers", issuer, "leave the server itself out: it knows its own tokens")
        self.device = device
        self._grants = {
            **offered_grants(self.policy, openid),
            **exchange_grants(token_exchange, self.trusted_issuers),
            **assertion_grants(self.trusted_issuers),
            **({} if device is None else {DEVICE_CODE: device_code}),
            **({} if ciba is None else {CIBA_GRANT_TYPE: ciba_grant}),
            **(grants or {}),
        }
        has_id_jag = any("id-jag" in trusted.uses for trusted in self.trusted_issuers.values())
        if ciba is not None and openid is None:
            raise ConfigurationError("ciba", ciba, "give the server openid=OpenID() as well: it issues ID tokens")
        self.ciba = ciba
        algorithms = () if instruments.keys is None else instruments.keys.algorithms
        self.token_exchange = token_exchange
        if token_exchange is not None:
            trusted = [one.issuer for one in self.trusted_issuers.values() if "token-exchange" in one.uses]
            self.token_exchange = token_exchange.signed_by(
                algorithms, issuer, openid=openid is not None, trusted=trusted
            )
        self._scopes = strings("scopes", scopes)
        self.registration = registration
        self.client_id_metadata = client_id_metadata
        self.user_policy = user_policy or EVERYBODY
        self.pushed_requests = pushed_requests
        self.request_objects = request_objects or NO_DEMANDS
        if self.request_objects.required and not offered(openid)[0]:
            remedy = 'take them: pip install "oauthcore[oidc]", and leave OpenID(request_objects=…) as it is'
            raise ConfigurationError("request_objects.required", True, remedy)
        if mutual_tls is not None and mutual_tls.methods:
            crypto.check_installed()
        self.mutual_tls = mutual_tls
        self._client_methods = check_methods(client_authentication or NO_METHODS)
        if dpop is not None and dpop.required and any("token" in one.split(" ") for one in self.policy.response_types):
            remedy = "leave it out, or leave out response types with token: what goes through the browser is unbound"
            raise ConfigurationError("dpop.required", True, remedy)
        if dpop is not None:
            crypto.check_installed()
        self.dpop = dpop
        by_dpop: tuple[ProvePossession, ...] = () if dpop is None else (proving_by_dpop(dpop),)
        self._possession = by_dpop if mutual_tls is None else (*by_dpop, prove_certificate)
        own = self._own_endpoints(instruments.keys)
        self._added = check_endpoints(own, endpoints, self.paths)
        listed = (*own, *self._added)
        if self.resources is not None:
            self.resources = self.resources.signed_by(algorithms)
        self._metadata = metadata(
            issuer,
            self.policy,
            self._grants,
            self._scopes,
            openid,
            algorithms,
            listed,
            self.resources,
            client_id_metadata=client_id_metadata is not None,
            grant_profiles=(ID_JAG_PROFILE,) if has_id_jag else (),
            id_jag=token_exchange is not None and token_exchange.issues_id_jag,
            ciba=ciba,
            pushed_requests=pushed_requests,
            request_objects=self.request_objects,
            mutual_tls=mutual_tls,
            client_methods=self._client_methods,
            dpop=dpop,
            authorization_details=authorization_details,
        )
        if profile is not None:
            profile.check_deployment(self._deployment(algorithms))
        self._take(instruments)
        self.endpoint_paths = tuple(path for path in self._endpoints if path not in self.discovery_paths)

    @property
    def _admits(self) -> Admits | None:
        return None if self.client_id_metadata is None else self.client_id_metadata.admits

    def rule_states(self, profile: Profile) -> tuple[RuleState, ...]:
        """Return how each rule of a profile stands here: the server's own, or one that it might get."""
        keys = self.instruments.keys
        return profile.states(self._deployment(() if keys is None else keys.algorithms))

    def _deployment(self, algorithms: tuple[str, ...]) -> Deployment:
        return Deployment(
            issuer=self.issuer,
            policy=self.policy,
            openid=self.openid,
            algorithms=algorithms,
            grant_types=frozenset(self._grants),
            pushed_requests=self.pushed_requests,
            request_objects=self.request_objects,
            dpop=self.dpop,
            mutual_tls=self.mutual_tls,
            resources=self.resources,
            has_registration=self.registration is not None,
            has_client_id_metadata=self.client_id_metadata is not None,
        )

    def with_instruments(self, instruments: Instruments) -> Self:
        """Return the same server, which computes with other instruments: `attrs.evolve(server.instruments, …)`."""
        other = copy.copy(self)
        other._take(instruments)
        return other

    def _take(self, instruments: Instruments) -> None:
        """Make everything that depends on the instruments."""
        self.instruments = instruments
        self._latest: Context | None = None
        self._mint = partial(mint, instruments.entropy)
        self.tokens = StoredTokens(
            self.issuer,
            instruments.clock,
            self._own_keys,
            self.policy,
            self._admits,
            self.user_policy,
            instruments.extra_claims,
        )
        record = None if instruments.record is None else self._record
        self.interactions = Interactions(self.context, self._refuse_as_page, record)
        self.sessions = Sessions(self.context, self._refuse_as_page)
        self.devices = Devices(self.context, self.device)
        self.applications = Applications(self.context)
        self.grants = Grants(self.context)
        self.backchannel = Backchannel(self.context)
        self.clients = Clients(self.context, self._grants, instruments.keys)
        self._client_documents = None
        if self.client_id_metadata is not None:
            self._client_documents = MetadataDocuments(
                settings=self.client_id_metadata,
                documents=instruments.client_documents,
                grant_types=frozenset(self._grants),
                check=self.clients.check,
            )
        self._endpoints = self._table(instruments.keys)
        self.keys = SigningKeys(instruments.keys, instruments.clock)

    def handle(
        self, request: Request, login: Login | None = None, error_page: RenderErrorPage | None = None
    ) -> Flow[Response]:
        """Answer a request to any of the endpoints; whatever arrives, a response leaves.

        `login` says who is signed in at the host: the authorization endpoint wants to know. `error_page` is used for
        this request instead of the server's own, by hosts that speak several languages, say.
        """
        if type(request) is not Request:
            check_kind("request", request, Request, "give an oauthcore.Request; each host adapter makes them")
        if login is not None and type(login) is not Login:
            check_login(login)
        if self.instruments.record is not None:
            arguments = {"request": request, "login": login, "error_page": error_page}
            return self._record("handle", arguments, is_known=self.owns(request.path))
        endpoint = self._endpoints.get(request.path)
        if endpoint is None:
            return pure(no_endpoint(request))
        if request.method not in endpoint.methods:
            return pure(other_method(request, endpoint))
        return self._answer(endpoint, request, login, error_page)

    def refuse(self, path: str, error: OAuthError, error_page: RenderErrorPage | None = None) -> Response | None:
        """Return the refusal of a request that can't be handed to `handle`, in the form that its endpoint's peers read.

        For hosts that have not read the body, because it is too large (`ContentTooLarge`). None if no endpoint is at
        that path.
        """
        endpoint = self._endpoints.get(path)
        if endpoint is None:
            return None
        response = self._refusing(endpoint, error_page)(error, None)
        return response if endpoint.cors is None else with_headers(response, endpoint.cors.headers)

    def owns(self, path: str) -> bool:
        """Return whether a path is one of the endpoints', so that a host knows what to leave alone."""
        return path in self._endpoints

    def asks_login(self, path: str) -> bool:
        """Return whether an endpoint needs to know who is signed in; for others a host need not find out."""
        return path in self._endpoints and self._endpoints[path].asks_login

    def _answer(
        self, endpoint: Endpoint, request: Request, login: Login | None, error_page: RenderErrorPage | None = None
    ) -> Flow[Response]:
        context = self.context()
        refuse = self._refusing(endpoint, error_page, request)
        incoming = EndpointRequest(request, login, endpoint.repeatable)
        extra_headers = () if endpoint.cors is None else endpoint.cors.headers
        return transact(partial(endpoint.flow, incoming, context), refuse, extra_headers)

    def _refusing(
        self, endpoint: Endpoint, error_page: RenderErrorPage | None, request: Request | None = None
    ) -> Refuse:
        match endpoint.refuses:
            case "json":
                return self._refuse_as_json
            case "page":
                return self._refuse_as_page(error_page)
            case "challenge":
                dpop = self.dpop if endpoint.takes_proofs else None
                challenge, scope = challenge_of(self.issuer, dpop), endpoint.scope
                by_dpop = dpop is not None and request is not None and is_by_dpop(request)
                return lambda error, cause: challenge.refuse(error, scope, cause, by_dpop=by_dpop)
        assert_never(endpoint.refuses)

    def _table(self, keys: KeySet | None) -> dict[str, Endpoint]:
        own = self._own_endpoints(keys)
        documents = {path: absent_document(path) for path in self.discovery_paths}
        documents |= {path: document_endpoint(path, self._metadata) for path in self.metadata_paths}
        if self.webfinger is not None:
            documents[WEBFINGER] = webfinger_endpoint(self.webfinger)
        return {self.base + endpoint.path: endpoint for endpoint in (*own, *self._added)} | documents

    def _own_endpoints(self, keys: KeySet | None) -> list[Endpoint]:
        registrar = None
        if self.registration is not None:
            # The operator alone gives a client the right to send requests to users: registering must not.
            grants = frozenset(self._grants) - {CIBA_GRANT_TYPE}
            advertised = Scope((*(() if self.openid is None else self.openid.scopes), *self._scopes))
            scope = advertised if self.registration.scope is None else self.registration.scope
            registrar = Registrar(self.registration, grants, scope, lambda client: self.clients.check(client))
        return own_endpoints(
            self.paths, self._grants, self.openid, keys, registrar, self.device, self.ciba, self.pushed_requests
        )

    def _key_set(self, keys: KeySet | KeyPolicy | None, derive: Derivation) -> KeySet | None:
        found = StoredKeys(self.issuer, keys, derive.key("keys")) if isinstance(keys, KeyPolicy) else keys
        # FAPI 2.0 Security Profile section 5.4.1 forbids what OpenID Connect demands.
        is_fapi = self.profile is not None and self.profile.is_fapi and not self.profile.report_only
        if self.openid is not None and found is not None and "RS256" not in found.algorithms and not is_fapi:
            raise ConfigurationError("keys.algorithms", found.algorithms, "add RS256 (OIDC Core section 15.1)")
        return found

    def _own_keys(self) -> Flow[tuple[Jwk, ...]]:
        return published(self.instruments.keys, int(self.instruments.clock()))

    def _hint_keys(self) -> Flow[tuple[Jwk, ...]]:
        return known_in_hints(self.instruments.keys, int(self.instruments.clock()))

    def context(self) -> Context:
        """Return the context of a request that arrives now, for a host that runs flows of its own."""
        # All requests of one second have the same context: it can't change, so a busy server makes one a second instead
        # of one a request. Threads at most make it twice.
        instruments = self.instruments
        now, latest = int(instruments.clock()), self._latest
        if latest is not None and latest.now == now:
            return latest
        self._latest = context = Context(
            issuer=self.issuer,
            base=self.base,
            paths=self.paths,
            policy=self.policy,
            now=now,
            mint=self._mint,
            digest=instruments.digest,
            derive=instruments.derive,
            documents=instruments.documents,
            unverified_documents=instruments.unverified_documents,
            own_keys=self._own_keys,
            hint_keys=self._hint_keys,
            sign=instruments.signing(instruments.keys, now),
            verify=instruments.verify,
            verify_own_key=instruments.verify_own_key,
            handles=instruments.handles,
            sealing=instruments.sealing,
            openid=self.openid,
            resources=self.resources,
            client_id_metadata=self._client_documents,
            admits=self._admits,
            max_from_user=None if self.registration is None else self.registration.max_from_user,
            token_exchange=self.token_exchange,
            user_policy=self.user_policy,
            pushed_requests=self.pushed_requests,
            extra_claims=instruments.extra_claims,
            request_objects=self.request_objects,
            response_algorithms=() if instruments.keys is None else instruments.keys.algorithms,
            possession=self._possession,
            mutual_tls=self.mutual_tls,
            client_methods=self._client_methods,
            dpop=self.dpop,
            profile=self.profile,
            authorization_details=self.authorization_details,
        )
        return context

    def _record(
        self, name: Literal["handle", "finish", "deny"], arguments: Mapping[str, Any], *, is_known: bool = True
    ) -> Flow[Response]:
        """Let a recorder run a call with its own instruments."""

        def answer(instruments: Instruments) -> Flow[Response]:
            """Do the same with other instruments."""
            other = self.with_instruments(instruments)
            flow: Flow[Response] = getattr(other if name == "handle" else other.interactions, name)(**arguments)
            return flow

        assert self.instruments.record is not None
        return self.instruments.record(
            Call(
                name=name,
                arguments=arguments,
                instruments=self.instruments,
                settings=self._settings(),
                metadata=self._metadata.body,
                answer=answer,
                is_known=is_known,
            )
        )

    def _settings(self) -> Mapping[str, object]:
        """Return the values with which it was created, without functions and secrets."""
        return {
            "issuer": self.issuer,
            "openid": self.openid,
            "paths": self.paths,
            "policy": self.policy,
            "resources": self.resources if self.resources is None or self.resources.is_value else None,
            "scopes": self._scopes,
            "client_id_metadata": self._document_settings(),
            "registration": self._registration_settings(),
            "trusted_issuers": self._issuer_settings(),
            "token_exchange": self._exchange_settings(),
            "device": self.device,
            "ciba": self.ciba,
            "pushed_requests": self.pushed_requests,
            "dpop": self.dpop,
            "request_objects": self.request_objects,
            "mutual_tls": self.mutual_tls,
            "webfinger": self.webfinger,
            "profile": None if self.profile is not None and self.profile.further else self.profile,
            "user_policy": self.user_policy if self.user_policy.permits is None else None,
        }

    def _document_settings(self) -> ClientIdMetadata | None:
        """Return what a trace can say of documents: not what the host's functions have said of a client."""
        settings = self.client_id_metadata
        return settings if settings is None or (settings.trust, settings.review) == (None, None) else None

    def _issuer_settings(self) -> tuple[TrustedIssuer, ...]:
        """Return what a trace can say of trusted issuers: nothing if the host's own function finds subjects."""
        issuers = tuple(self.trusted_issuers.values())
        return issuers if all(issuer.is_value for issuer in issuers) else ()

    def _registration_settings(self) -> Registration | None:
        """Return what a trace can say of registration: neither the host's function nor the keys of issuers."""
        settings = self.registration
        return settings if settings is None or (settings.review, settings.software_statements) == (None, ()) else None

    def _exchange_settings(self) -> TokenExchange | None:
        """Return what a trace can say of token exchange: not what a function of the host's has said."""
        settings = self.token_exchange
        return settings if settings is None or settings.decide is None else None

    def _refuse_as_json(self, error: OAuthError, cause: BaseException | None) -> Response:
        return refuse_as_json(error, self.issuer, cause)

    def _refuse_as_page(self, error_page: RenderErrorPage | None) -> Refuse:
        render = error_page or self._error_page
        return lambda error, cause: refuse_as_page(error, render, cause)


def _keys_for(profile: Profile, openid: OpenID | None) -> KeyPolicy | None:
    """Return the keys that a profile demands; None where it demands none, or the server signs nothing."""
    algorithms = profile.default_algorithms
    return KeyPolicy(algorithms=algorithms) if algorithms and (openid is not None or profile.parts) else None
