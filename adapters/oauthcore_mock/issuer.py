"""One issuer for tests: an authorization server in memory whose users sign in without a page.

Relying parties meet the core: every check and response is that of `AuthorizationServer`. Added before it are faults and
the choice of the user; after it, the recording of requests and the flaws of tokens.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from secrets import token_bytes
from typing import Any, Protocol

import attrs

from oauthcore import (
    AuthorizationServer,
    ConfigurationError,
    MemoryStorage,
    Paths,
    Policy,
    Request,
    Response,
    Secret,
    World,
    run,
)
from oauthcore.extra_claims import AddClaims
from oauthcore.flow.effects import Flow, Sign
from oauthcore.jose import crypto
from oauthcore.jose.crypto import VerifiedJwt
from oauthcore.jose.jwk import Jwk
from oauthcore.jose.jwt import Jwt
from oauthcore.jose.strict_json import parse_object
from oauthcore.wire.http import Outgoing
from oauthcore_mock import device, settings
from oauthcore_mock.any_client import AnyClient
from oauthcore_mock.back_channel import DeliveredLogout, deliver_logouts
from oauthcore_mock.clients import LearningClients, RegisteredClient, register
from oauthcore_mock.clock import Clock
from oauthcore_mock.faults import EndpointName, Fault, Faults, Flawed, Revoked, Slow, fault_of
from oauthcore_mock.faulty import faulty_response
from oauthcore_mock.flaws import FLAWS, Draft, FlawName, TokenName, stranger
from oauthcore_mock.imitations import Imitation
from oauthcore_mock.keys import IssuerKeys, KeyMaterial
from oauthcore_mock.people import Decision, People, User, decision
from oauthcore_mock.recorder import Recorder, recorded
from oauthcore_mock.sign_in import SignIn
from oauthcore_mock.tokens import Tokens


@attrs.frozen
class Reply:
    """Hold what is answered, and how many seconds later."""

    response: Response
    delay: float = 0.0


class Mounted(Protocol):
    """A protected resource below an issuer, which hands it the requests for its paths."""

    def owns(self, path: str) -> bool:
        """Return whether a path belongs to it."""

    def handle(self, request: Request) -> Flow[Response]:
        """Answer a request for such a path."""


def no_fetch(request: Outgoing) -> Response:
    """Refuse to request anything from other servers."""
    raise ConfigurationError("fetch", None, "give the provider a function that asks other servers: fetch=…")


class Issuer:
    """A provider for tests at one URL, with its own users, clients, keys and faults.

    `provider.issuer()` creates one. With `shows_form`, users see a page on which they choose who they are; without,
    the next user in line signs in and allows everything, without a page in the browser.
    """

    def __init__(
        self,
        url: str,
        material: KeyMaterial,
        clock: Clock,
        *,
        policy: Policy | None = None,
        audience: str | None = None,
        shows_form: bool = False,
        fetch: Callable[[Outgoing], Response] = no_fetch,
        everything: Recorder | None = None,
        takes_any_client: bool = False,
        imitation: Imitation | None = None,
        extra_claims: AddClaims | None = None,
        trusts: Iterable[Issuer] = (),
        paths: Paths | None = None,
        reads_client_documents: bool = False,
    ) -> None:
        self.url = url
        self.imitation = imitation
        # The algorithms of the imitated providers.
        self.default_alg = "ES256" if imitation is None else "RS256"
        self.clock = clock
        self.audience = audience or url
        self.shows_form = shows_form
        self.people = People()
        self.requests = Recorder()
        self.signing_keys = IssuerKeys(material)
        self.faults = Faults()
        self.server = AuthorizationServer(
            issuer=url,
            clock=clock,
            entropy=token_bytes,
            token_key=token_bytes(32),
            policy=policy or settings.lenient_policy(),
            openid=settings.openid(),
            keys=self.signing_keys,
            registration=settings.registration(),
            resources=settings.resources(audience),
            extra_claims=extra_claims,
            device=device.SETTINGS,
            token_exchange=settings.token_exchange(),
            trusted_issuers=[settings.trusted(each.url, each.signing_keys.published.jwks) for each in trusts],
            pushed_requests=settings.pushed_requests(),
            paths=paths,
            client_id_metadata=settings.client_documents() if reads_client_documents else None,
        )
        if imitation is not None:
            instruments = attrs.evolve(self.server.instruments, verify=_verify_imitated)
            self.server = self.server.with_instruments(instruments)
        self.world = World(
            MemoryStorage(), authenticate=self._authenticate, claims=self.people.claims, fetch=fetch, sign=self._sign
        )
        self._material = material
        self._everything = everything
        self._learning = LearningClients(self.server, self.world)
        self._any_client = AnyClient(self.server, self.world, self.client) if takes_any_client else None
        self._sign_in = SignIn(self.server, self.world, self.people)
        self._tokens = Tokens(self)
        self._endpoints = self._endpoint_names()
        self._mounted: list[Mounted] = []

    @property
    def base(self) -> str:
        """Return the path of its URL, which precedes the paths of its endpoints."""
        return self.server.base

    @property
    def metadata(self) -> dict[str, Any]:
        """Return its metadata (OIDC Discovery section 3), as a client reads it."""
        path = f"{self.base}/.well-known/openid-configuration"
        return _members(run(self.server.handle(Request("GET", path)), self.world))

    @property
    def jwks(self) -> dict[str, Any]:
        """Return its JWK set, for a client that is configured with one."""
        return _members(run(self.server.handle(Request("GET", self.base + self.server.paths.jwks)), self.world))

    def client(
        self,
        client_id: str = "test-client",
        *,
        secret: str | None = None,
        redirect_uris: Iterable[str] = (),
        scope: str | None = None,
        public: bool = False,
        alg: str | None = None,
        **settings: Any,
    ) -> RegisteredClient:
        """Register a client, or replace one of the same name; `settings` are further ones of `oauthcore.Client`.

        Without `redirect_uris` it is registered for the first one that it uses, and only that; without a `scope`, for
        whatever it requests. A `public` one has no secret. `alg` is the algorithm of its ID tokens.
        """
        if self.imitation is not None and self.imitation.is_opaque:
            settings = {"access_token_format": "opaque", **settings}
        made = register(
            self.server,
            self.world,
            client_id,
            secret,
            tuple(redirect_uris),
            scope,
            alg or self.default_alg,
            settings,
            is_public=public,
        )
        self._learning.watch(client_id, redirect_uri=not redirect_uris, scope=scope is None)
        return made

    def user(self, sub: str = "alice", **claims: object) -> User:
        """Add a user, or add claims to one: what ID tokens and UserInfo say about them."""
        known = self.people.find(sub)
        return self.people.add(attrs.evolve(known, claims={**known.claims, **claims}))

    def next_login(
        self,
        sub: str | User = "alice",
        claims: Mapping[str, object] | None = None,
        *,
        scope: str | Iterable[str] | None = None,
        acr: str | None = None,
        amr: Iterable[str] = (),
        auth_time: int | None = None,
    ) -> User:
        """Let a user sign in at the next authorization, and allow `scope` or all that is requested.

        `claims` are added to the user's. Further calls are for the authorizations after that one.
        """
        decided = decision(sub, claims, self.people, scope=scope, acr=acr, amr=amr, auth_time=auth_time)
        self.people.queue(decided)
        return decided.user

    def deny_next(self, sub: str | User = "alice") -> None:
        """Let a user deny the next authorization: the client gets `access_denied`."""
        self.people.queue(decision(sub, None, self.people, denies=True))

    def fail_next(self, endpoint: EndpointName | TokenName, fault: str | int | Fault, *, times: int = 1) -> None:
        """Let the next request to an endpoint fail, or the next token have a flaw.

        For an endpoint: an OAuth error code, a status, `"malformed"`, `Slow(seconds)`, or `Body(…)`. For an `id_token`
        or `access_token`: the name of a flaw in `FLAWS`, or `"revoked"` for an access token that is revoked at once.
        Raises `ConfigurationError` for anything else.
        """
        self.faults.add(endpoint, fault_of(endpoint, fault), times)

    def token(
        self,
        sub: str | None = "alice",
        *,
        aud: str | list[str] | None = None,
        scope: str | Iterable[str] = "",
        claims: Mapping[str, object] | None = None,
        expires_in: int = 300,
        client_id: str | None = None,
        alg: str | None = None,
        kid: str | None = None,
        typ: str = "at+jwt",
        opaque: bool = False,
        flaw: FlawName | None = None,
    ) -> str:
        """Create an access token (RFC 9068) as its clients could have got; UserInfo and introspection accept it.

        `aud` is by default the issuer's `audience`; with `sub` None it is a client's own token. `claims` are added or
        replaced; None removes one. With a negative `expires_in` it has expired. `kid` is put into the header. An
        `opaque` token is not a JWT. `flaw` is the name of a flaw to put into it.
        """
        opaque = opaque or (self.imitation is not None and self.imitation.is_opaque)
        signed = self._tokens.access_token(sub, aud, scope, claims, expires_in, client_id, opaque=opaque)
        if isinstance(signed, str):
            return signed
        return self._tokens.spelled(signed, alg or self.default_alg, kid, typ, flaw)

    def id_token(
        self,
        sub: str = "alice",
        *,
        aud: str | None = None,
        nonce: str | None = None,
        claims: Mapping[str, object] | None = None,
        expires_in: int = 300,
        alg: str | None = None,
        kid: str | None = None,
        access_token: str | None = None,
        flaw: FlawName | None = None,
    ) -> str:
        """Create an ID token for the client `aud`; with an `access_token`, it has the hash of that."""
        alg = alg or self.default_alg
        made = self._tokens.id_token(sub, aud, nonce, claims, expires_in, alg, access_token)
        return self._tokens.spelled(made, alg, kid, "JWT", flaw)

    def assertion(
        self,
        sub: str = "alice",
        *,
        aud: str,
        claims: Mapping[str, object] | None = None,
        expires_in: int = 300,
        alg: str | None = None,
        kid: str | None = None,
        typ: str = "JWT",
        flaw: FlawName | None = None,
    ) -> str:
        """Create an assertion for the authorization server `aud` (RFC 7523 section 3), which has to trust this issuer.

        An ID-JAG is one with `typ="oauth-id-jag+jwt"` and the claims `client_id` and `resource`.
        """
        alg = alg or self.default_alg
        return self._tokens.spelled(self._tokens.assertion(sub, aud, claims, expires_in), alg, kid, typ, flaw)

    def logout_token(
        self,
        sub: str | None = "alice",
        *,
        aud: str | None = None,
        sid: str | None = None,
        alg: str | None = None,
        **claims: object,
    ) -> str:
        """Create a logout token for the client `aud` (OIDC Back-Channel Logout section 2.4), to be posted to it."""
        alg = alg or self.default_alg
        return self._tokens.spelled(self._tokens.logout_token(sub, aud, sid, claims), alg, None, "logout+jwt", None)

    def logout(
        self, sub: str = "alice", *, fetch: Callable[[Outgoing], Response] | None = None
    ) -> tuple[DeliveredLogout, ...]:
        """End all login sessions of a user, and post a logout token to each client that requires one.

        Those are the clients with a `backchannel_logout_uri` that got tokens in such a session. Returns what each of
        them answered. `fetch` sends the requests, for an application that is called without a socket.
        """
        _ = run(self.server.sessions.end_all(sub), self.world)
        return self.deliver_logouts(fetch=fetch)

    def deliver_logouts(self, *, fetch: Callable[[Outgoing], Response] | None = None) -> tuple[DeliveredLogout, ...]:
        """Post the logout tokens that are due, after a user has signed out in a browser, say; return the responses."""
        return deliver_logouts(self.server, self.world if fetch is None else attrs.evolve(self.world, fetch=fetch))

    def revoke(self, token: str) -> None:
        """Revoke an access token, and everything else that was issued on its grant."""
        self._tokens.revoke(Secret(token))

    def rotate_keys(self, *, keep_old: bool = True) -> None:
        """Sign with new keys from now on; without `keep_old`, signatures of the old ones can no longer be verified."""
        self.signing_keys.rotate(keep_old=keep_old)

    def draft(self, header: Mapping[str, object], claims: Mapping[str, object], key: Jwk) -> Draft:
        """Return the draft of a token, before it is signed."""
        draft = Draft(header, claims, key, stranger(self._material, key), self.clock.now)
        return draft if self.imitation is None else imitated(draft, self.imitation)

    def mount(self, resource: Mounted) -> None:
        """Serve a protected resource at a path below the issuer's; its requests are recorded as `resource`."""
        self._mounted.append(resource)

    def owns(self, path: str) -> bool:
        """Return whether a path belongs to one of its endpoints, pages or metadata."""
        return path in self.server.metadata_paths or path.startswith(f"{self.base}/")

    def handle(self, request: Request, decided: Decision | None = None) -> Reply:
        """Answer a request; `decided` is what the user of this browser does, by default the next in line."""
        mounted = next((each for each in self._mounted if each.owns(request.path)), None)
        if mounted is not None:
            return self._recorded("resource", request, run(mounted.handle(request), self.world))
        endpoint = self._endpoints.get(request.path, "")
        fault = self.faults.take(endpoint)
        believed = request if self._any_client is None else self._any_client.take(request)
        self._learning.learn(believed)
        response = None if fault is None else faulty_response(fault, endpoint, believed, self.server, self.world)
        if response is None:
            response = self._answer(endpoint, believed, decided)
        return self._recorded(endpoint, request, response, fault.seconds if isinstance(fault, Slow) else 0.0)

    def _recorded(self, endpoint: str, request: Request, response: Response, delay: float = 0.0) -> Reply:
        request_and_response = recorded(endpoint, request, response)
        self.requests.add(request_and_response)
        if self._everything is not None:
            self._everything.add(request_and_response)
        return Reply(response, delay)

    def _answer(self, endpoint: str, request: Request, decided: Decision | None) -> Response:
        response = self._sign_in.answer(request, decided, shows_form=self.shows_form and decided is None)
        if endpoint == "token" and response.status == 200:
            self._revoke_if_wanted(response)
        return self._with_further_claims(response) if endpoint == "userinfo" else response

    def _revoke_if_wanted(self, response: Response) -> None:
        if self.faults.take_if("access_token", Revoked) is not None:
            self.revoke(str(_members(response)["access_token"]))

    def _with_further_claims(self, response: Response) -> Response:
        """Return the UserInfo response, with the claims of a user that belong to no scope."""
        if response.status != 200 or not response.body.startswith(b"{"):
            return response
        members = _members(response)
        further = self.people.find(str(members["sub"])).further_claims
        return attrs.evolve(response, body=json.dumps({**further, **members}).encode())

    def _authenticate(self, username: str, password: Secret) -> str | None:
        """Accept every password except the one that is called wrong."""
        return None if password.reveal() == "wrong" else self.people.find(username).sub

    def _sign(self, effect: Sign) -> tuple[str, ...]:
        return tuple(self._signed(jwt, key) for jwt, key in effect.jwts)

    def _signed(self, jwt: Jwt, key: Jwk) -> str:
        """Sign a token, with the user's claims and the queued flaw."""
        kind = kind_of(jwt)
        if kind is None:
            (token,) = crypto.sign([(jwt, key)])
            return token
        user = self.people.find(str(jwt.claims.get("sub", "")))
        further = user.further_claims if kind == "id_token" else self.access_claims_of(user)
        draft = self.draft({"alg": jwt.alg, "typ": jwt.typ, "kid": key.kid}, {**further, **jwt.claims}, key)
        flaw = self.faults.take_if(kind, Flawed)
        flawed = draft if flaw is None else FLAWS[flaw.flaw].change(draft)
        token = flawed.spell(flawed)
        return token if jwt.encryption is None else crypto.encrypt(token, jwt.encryption)

    def access_claims_of(self, user: User) -> Mapping[str, object]:
        """Return a user's claims for access tokens; the imitated providers put roles there."""
        roles = None if self.imitation is None else user.claims.get("roles")
        return user.access_token_claims if roles is None else {"roles": roles, **user.access_token_claims}

    def _endpoint_names(self) -> dict[str, str]:
        paths = self.server.paths
        names = (
            "authorization",
            "token",
            "userinfo",
            "introspection",
            "revocation",
            "registration",
            "jwks",
            "end_session",
            "device_authorization",
            "pushed_authorization_request",
        )
        own = {self.base + getattr(paths, name): name for name in names}
        return own | dict.fromkeys(self.server.metadata_paths, "metadata")


def imitated(draft: Draft, imitation: Imitation) -> Draft:
    """Return a token as the imitated provider would issue it."""
    claims = dict(draft.claims)
    if draft.header.get("typ") == "at+jwt" or ("jti" in claims and draft.header.get("typ") == "JWT"):
        header = {**draft.header, "typ": imitation.typ}
        if imitation.typ is None:
            del header["typ"]
        return attrs.evolve(draft, header=header, claims=_named(imitation.access_token(claims)))
    if draft.header.get("typ") == "JWT":
        return attrs.evolve(draft, claims=_named(imitation.id_token(claims)))
    return draft


def _named(claims: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in claims.items() if value is not None}


def _verify_imitated(token: str, keys: Iterable[Jwk], algorithms: Collection[str]) -> VerifiedJwt:
    """Verify a token; recognise an access token by its `jti` if its header has no type (RFC 9068)."""
    verified = crypto.verify(token, keys, algorithms)
    if verified.header.get("typ") in {None, "JWT"} and "jti" in verified.claims:
        return attrs.evolve(verified, header={**verified.header, "typ": "at+jwt"})
    return verified


def kind_of(jwt: Jwt) -> TokenName | None:
    """Return the kind of a token; None for one without flaws, as a signed UserInfo response, which never expires."""
    if jwt.typ == "at+jwt":
        return "access_token"
    return "id_token" if jwt.typ == "JWT" and "exp" in jwt.claims else None


def _members(response: Response) -> dict[str, Any]:
    return parse_object(response.body)
