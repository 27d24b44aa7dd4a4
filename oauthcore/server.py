"""The authorization server: configuration in, a table of endpoints out.

Every public method that asks something of the outside returns a flow; `run` and `arun` are the only difference between
a blocking and an async host.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Self

from oauthcore.authorization.browser import browser_of, form_token
from oauthcore.clients.management import list_clients, remove_client, switch_client, update_client
from oauthcore.clients.openid_registration import check_openid, check_sector
from oauthcore.clients.registration import Registered, check_client, remember, rotate_secret, with_secret
from oauthcore.clock import Clock
from oauthcore.context import Context, Paths
from oauthcore.digest import Derivation, Digester, Secret, same
from oauthcore.endpoints.applications import (
    AuthorizedApplication,
    Withdrawal,
    applications,
    revoke_by_key,
    withdraw,
)
from oauthcore.endpoints.end_session import (
    PendingLogout,
    RenderSignedOut,
    SignOut,
    describe_logout,
    sign_out,
)
from oauthcore.endpoints.interaction import Answer, PendingInteraction, deny, describe_interaction, finish
from oauthcore.endpoints.logout_delivery import Due, deliver, deliver_to, due_by_client
from oauthcore.endpoints.metadata import metadata, well_known_paths
from oauthcore.endpoints.sessions import SignIn, end_session, end_sessions, sessions, signed_in
from oauthcore.endpoints.table import Endpoint, document_endpoint, endpoint_table, other_method
from oauthcore.endpoints.userinfo import OPENID as OPENID_SCOPE
from oauthcore.entropy import Entropy, mint
from oauthcore.errors import ConfigurationError, OAuthError
from oauthcore.flow.effects import Flow, find, pure
from oauthcore.flow.transact import Refuse, commit_until_unchanged, commit_with_retry, total, transact
from oauthcore.given import check_callable, check_kind, strings
from oauthcore.grants import GrantFlow
from oauthcore.handle import Handles
from oauthcore.instruments import Call, Instruments
from oauthcore.issuer import check_issuer, offered_grants
from oauthcore.jose.crypto import import_private
from oauthcore.jose.jwk import Jwk
from oauthcore.oidc.front_channel import plain_signed_out_page
from oauthcore.openid import OpenID
from oauthcore.policy import Policy
from oauthcore.records.client import Client
from oauthcore.records.grant import Grant
from oauthcore.records.key_ring import KeyRing
from oauthcore.records.login import Login, LoginSession, check_login
from oauthcore.records.record import Record
from oauthcore.resource.bearer import Challenge
from oauthcore.resource.stored import StoredTokens
from oauthcore.scope import as_scope
from oauthcore.signing.key_ring import KeyPolicy, check_outlived
from oauthcore.signing.keys import KeySet, StoredKeys, known_in_hints, published
from oauthcore.wire.cors import CORS
from oauthcore.wire.http import Request, Response, with_headers
from oauthcore.wire.refusals import RenderErrorPage, plain_error_page, refuse_as_json, refuse_as_page

# A working day: who leaves a browser open should not be signed in there for ever.
SESSION_LIFETIME = 8 * 3_600

# 256 bits are what a derived token has; 64 bytes are what a key of BLAKE2b can have (RFC 7693 section 2.1).
TOKEN_KEY_LENGTHS = range(32, 65)


class AuthorizationServer:
    """Be an authorization server for one issuer (RFC 6749, RFC 7009, RFC 7636, RFC 7662, RFC 8414, RFC 9207).

    `issuer` is the URL that clients know it by, kept as the exact string; `clock` and `entropy` may be `time.time` and
    `secrets.token_bytes`; `token_key` is 32 to 64 secret random bytes, the same for every worker and every restart.
    `grants` adds grant types, or replaces built-in ones. `scopes` is what the metadata advertises, nothing else. `base`
    is the issuer's own path, which is in front of all others; `metadata_paths` are where the metadata is found, and
    `endpoint_paths` where everything else is. `tokens` finds its access tokens, for a `ResourceServer`, whose world
    needs the `claims` that this server has: without, tokens are good of a person whom the application no longer knows.

    With `openid` it is an OpenID Provider. `keys` are what it signs with: a `KeyPolicy` for keys in storage, which turn
    by themselves, or `GivenKeys`; an OpenID Provider has a `KeyPolicy` unless told otherwise.

    Raises `ConfigurationError` for settings that can't be.
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
        scopes: Iterable[str] = (),
        openid: OpenID | None = None,
        error_page: RenderErrorPage = plain_error_page,
        keys: KeySet | KeyPolicy | None = None,
    ) -> None:
        check_kind("issuer", issuer, str, "give the issuer's URL as a string")
        check_kind("token_key", token_key, (bytes, bytearray), "give bytes, as secrets.token_bytes(32) makes them")
        check_callable("clock", clock, "give a function, as in clock=time.time")
        check_callable("entropy", entropy, "give a function, as in entropy=secrets.token_bytes")
        self.issuer = issuer
        self.policy = policy or Policy.oauth21()
        self.paths = paths or Paths()
        self.openid = openid
        self.base = check_issuer(issuer, self.policy)
        self.metadata_paths = well_known_paths(self.base, openid=openid is not None)
        if len(token_key) not in TOKEN_KEY_LENGTHS:
            raise ConfigurationError("token_key", f"{len(token_key)} bytes", "use 32 random bytes, or up to 64")
        derive = Derivation(issuer, token_key)
        instruments = Instruments(
            clock=clock,
            entropy=entropy,
            digest=Digester(issuer),
            derive=derive,
            handles=Handles(issuer, token_key),
            keys=self._key_set(keys if openid is None else keys or KeyPolicy(), derive),
        )
        self._error_page = error_page
        self._grants = {**offered_grants(self.policy, openid), **(grants or {})}
        algorithms = () if instruments.keys is None else instruments.keys.algorithms
        self._scopes = strings("scopes", scopes)
        self._metadata = metadata(issuer, self.paths, self.policy, self._grants, self._scopes, openid, algorithms)
        self._take(instruments)
        self.endpoint_paths = tuple(path for path in self._endpoints if path not in self.metadata_paths)

    def with_instruments(self, instruments: Instruments) -> Self:
        """Return the same server, which computes with other instruments: `attrs.evolve(server.instruments, …)`."""
        other = copy.copy(self)
        other._take(instruments)
        return other

    def _take(self, instruments: Instruments) -> None:
        """Make everything that depends on the instruments."""
        self.instruments = instruments
        self._endpoints = self._table(instruments.keys)
        self._latest: Context | None = None
        self.tokens = StoredTokens(self.issuer, instruments.clock, self._own_keys, self.policy)

    def handle(
        self, request: Request, login: Login | None = None, error_page: RenderErrorPage | None = None
    ) -> Flow[Response]:
        """Answer a request to any of the endpoints; whatever arrives, a response leaves.

        `login` says who is signed in at the host: the authorization endpoint wants to know. `error_page` is used for
        this request instead of the server's own, by hosts that speak several languages, say.
        """
        check_kind("request", request, Request, "give an oauthcore.Request; each host adapter makes them")
        check_login(login)
        if self.instruments.record is not None:
            arguments = {"request": request, "login": login, "error_page": error_page}
            return self.instruments.record(self._call("handle", arguments, is_known=self.owns(request.path)))
        endpoint = self._endpoints.get(request.path)
        if endpoint is None:
            return pure(Response(404, (("Content-Type", "text/plain"),), b"There is nothing here.\n"))
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
        return with_headers(response, CORS) if endpoint.is_cors else response

    def owns(self, path: str) -> bool:
        """Tell whether a path is one of the endpoints', so that a host knows what to leave alone."""
        return path in self._endpoints

    def asks_login(self, path: str) -> bool:
        """Tell whether an endpoint wants to know who is signed in, so that a host need not find out for the others."""
        return path in self._endpoints and self._endpoints[path].asks_login

    def form_token(self, request: Request, handle: str) -> str:
        """Return what a form about an interaction carries, against cross-site posts (RFC 9700 section 4.7).

        Blank for a browser that the interaction can't have started in: it has nothing to tell it by.
        """
        context = self._context()
        browser = browser_of(request, context)
        return "" if browser is None else form_token(Secret(handle), browser, context).reveal()

    def is_form_token(self, request: Request, handle: str, token: str) -> bool:
        """Tell whether a posted form was shown to this browser, for this interaction."""
        expected = self.form_token(request, handle)
        return bool(expected) and same(expected, token)

    def interaction(self, handle: str, login: Login | None = None) -> Flow[PendingInteraction | None]:
        """Find out what an interaction waits for, None if for nothing. Raises `EffectFailed` if storage fails.

        `login` is who is signed in now; without it, whoever was reported before counts.
        """
        check_login(login)
        return describe_interaction(Secret(handle), login, self._context())

    def finish(
        self,
        handle: str,
        login: Login | str,
        scope: Iterable[str] | None = None,
        *,
        remember: bool = True,
        error_page: RenderErrorPage | None = None,
    ) -> Flow[Response]:
        """Report who is signed in and, where a page asked for it, what they allowed; send the answer to their browser.

        `login` may be a subject alone: it is then who was signed in when the request came, or signed in just now.
        A `scope` of None reports the login alone, and consent is asked for where it is not remembered. It may be less
        than was asked for, never more. `remember` keeps the consent for the next time.
        """
        if not isinstance(login, str):
            check_kind("login", login, Login, "give the subject, or a Login(subject=…, auth_time=…)")
        answer = Answer(Secret(handle), login, None if scope is None else as_scope(scope), remember)
        if self.instruments.record is not None:
            arguments = {"handle": handle, "login": login, "scope": answer.scope, "remember": remember}
            return self.instruments.record(self._call("finish", {**arguments, "error_page": error_page}))
        context = self._context()
        return transact(lambda: finish(answer, context), self._refuse_as_page(error_page))

    def deny(
        self, handle: str, login: Login | str | None, *, error_page: RenderErrorPage | None = None
    ) -> Flow[Response]:
        """Report that the person said no; send the answer to their browser.

        `login` is who is signed in now: what they had allowed of this before is taken back, so that they are asked
        again. With None, where nobody is signed in, the client is told and nothing is taken back.
        """
        if self.instruments.record is not None:
            arguments = {"handle": handle, "login": login, "error_page": error_page}
            return self.instruments.record(self._call("deny", arguments))
        context = self._context()
        return transact(lambda: deny(Secret(handle), login, context), self._refuse_as_page(error_page))

    def applications(self, subject: str) -> Flow[tuple[AuthorizedApplication, ...]]:
        """Find what a person has authorized and what still stands of it, the newest first.

        Raises `EffectFailed` if storage fails.
        """
        return applications(subject, self._context())

    def withdraw(self, subject: str, client_id: str | None = None) -> Flow[int]:
        """Take back what a person authorized, for one client or for all; return how many consents and grants ended.

        Consents are forgotten and grants revoked. When it returns, nothing is left of what was authorized before the
        call, nor of what was just being authorized; who says yes after that has authorized something new. Raises
        `EffectFailed` if storage fails: a part may be done then, and it is to be called again.
        """
        asked, context = Withdrawal(subject, client_id), self._context()
        return total(commit_until_unchanged(lambda again: withdraw(asked, context, again=again)))

    def revoke(self, grant: str) -> Flow[Grant]:
        """Revoke one grant, by its key, and return it as it is then.

        Raises `ConfigurationError` where there is none to revoke, `EffectFailed` if storage fails.
        """
        context = self._context()
        return commit_with_retry(lambda: revoke_by_key(grant, context))

    def sign_in(
        self,
        subject: str,
        *,
        auth_time: int | None = None,
        acr: str | None = None,
        amr: Iterable[str] = (),
        before: str | None = None,
        lifetime: int = SESSION_LIFETIME,
        relying_on: Iterable[Record] = (),
    ) -> Flow[Login]:
        """Begin a login session for who has just signed in, by default now; `lifetime` is in seconds.

        `before` is the `sid` that the browser had until now: their own session goes on, another's is ended. What comes
        back is to be kept in the host's own session, and told to `handle`. Raises `EffectFailed` if storage fails.

        `relying_on` are the records of this storage by which the host knows who this is: the user's, say, as it was
        read before the password was hashed. The session begins only while they are stored so; raises `OutdatedLogin`
        where one has changed or is gone, and the host has to find out anew who it is.
        """
        if lifetime < 1:
            raise ConfigurationError("lifetime", lifetime, "use a number of seconds, 1 or more")
        context = self._context()
        login = Login(subject=subject, auth_time=context.now if auth_time is None else auth_time, acr=acr, amr=amr)
        asked = SignIn(login, context.mint().reveal(), before, lifetime, auth_time is None, tuple(relying_on))
        return signed_in(asked, context)

    def sessions(self, subject: str) -> Flow[tuple[LoginSession, ...]]:
        """Find the login sessions of a person that last, the newest first. Raises `EffectFailed` if storage fails."""
        return sessions(subject, self._context())

    def end_session(self, sid: str, subject: str | None = None) -> Flow[bool]:
        """End a login session and what is bound to it, and have its clients told; with a subject, only if it is theirs.

        Return whether there was one to end. Raises `EffectFailed` if storage fails; nothing is done then.
        """
        context = self._context()
        return commit_with_retry(lambda: end_session(sid, subject, context))

    def end_sessions(self, subject: str) -> Flow[int]:
        """End all login sessions of a person, as when their password has changed; return how many there were.

        When it returns, every session that was there at the call has ended, with all that is bound to it. Raises
        `EffectFailed` if storage fails: a part may be done then, and it is to be called again.
        """
        context = self._context()
        return total(commit_until_unchanged(lambda _: end_sessions(subject, context)))

    def logout(self, handle: str, login: Login | None) -> Flow[PendingLogout | None]:
        """Find out what a client asked that sent a person here to sign out: None for a handle that is none (any more).

        `login` is who is signed in now. Raises `EffectFailed` if storage fails.
        """
        check_login(login)
        return describe_logout(Secret(handle), login, self._context())

    def sign_out(
        self,
        request: Request,
        login: Login | None,
        handle: str | None = None,
        *,
        location: str | None = None,
        signed_out_page: RenderSignedOut = plain_signed_out_page,
        error_page: RenderErrorPage | None = None,
    ) -> Flow[Response]:
        """End the login session of who is signed in, at their wish; return what their browser is shown or sent to.

        With a `handle` it is sent back to the client that asked for it, if that wants so; else to `location`, one of
        the host's own. The host forgets the browser's session itself: a cookie is nothing that is known here.
        """
        check_login(login)
        context = self._context()
        asked = None if handle is None else Secret(handle)
        leaving = SignOut(login, browser_of(request, context), asked, location)
        refuse = self._refuse_as_page(error_page)
        return transact(lambda: sign_out(leaving, signed_out_page, context), refuse)

    def deliver_logouts(self, limit: int = 20) -> Flow[int]:
        """Tell clients of sessions that have ended, as far as that is due; return how many were tried.

        To be called every few seconds by whoever likes to, also by several at once. `limit` is how many are tried at
        most, one after the other; a client that does not answer is asked once. Raises `EffectFailed` if storage fails.
        """
        return deliver(limit, self._context)

    def due_logouts(self, limit: int = 20) -> Flow[tuple[Due, ...]]:
        """Return what `deliver_logouts` would try, each client's apart, for a host that tells several at a time."""
        return due_by_client(limit, self._context().now)

    def deliver_logouts_to(self, due: Due) -> Flow[int]:
        """Tell one client of sessions that have ended; return how many were tried. Raises as `deliver_logouts` does."""
        return deliver_to(due, self._context)

    def register(self, client: Client, secret: Secret | None = None, *, replace: bool = False) -> Flow[Registered]:
        """Remember a client, with that secret or one of 256 random bits; the secret can be seen only in the result.

        With `replace` it takes the place of a registered client of that identifier, for hosts that declare their
        clients in code: to do so again changes nothing. Without a `secret` the one it has stays, and is not in the
        result. What it was given lives on, and a client that was disabled stays so until `enable_client`.

        Raises `ConfigurationError` for a registration that can't be, and for an identifier that is taken.
        """
        _ = self.prepare(client, secret)
        return remember(client, secret, self._context(), replace=replace)

    def prepare(self, client: Client, secret: Secret | None = None) -> Registered:
        """Look a client over and give it its secret, as `register` does, for a host that keeps it elsewhere.

        Nobody is asked, so a `sector_identifier_uri` is taken at its word, which `register` fetches and holds against
        the redirect URIs. Raises `ConfigurationError` for a registration that can't be.
        """
        self._look_over(client)
        return with_secret(client, secret, None, self._context())

    def client(self, client_id: str) -> Flow[Client | None]:
        """Find a client, None if none is registered by that identifier. Raises `EffectFailed` if storage fails."""
        return find(Client, client_id)

    def clients(self) -> Flow[tuple[Client, ...]]:
        """Find every client that was registered, by identifier. Raises `EffectFailed` if storage fails."""
        return list_clients()

    def update_client(self, client_id: str, /, **settings: object) -> Flow[Registered]:
        """Change settings of a client: `update_client("app", scope="email", name="The app")`.

        What is taken out of its registration ends at once, in tokens that were issued before, too. Its secret stays,
        but where it can't serve the changed client, as for another method of authentication: a fresh one is then in the
        result. Raises `ConfigurationError` for a registration that can't be, and where there is no such client.
        """

        def renew(changed: Client, known: Client) -> Registered:
            """Look it over as if it were being registered."""
            self._look_over(changed)
            check_sector(changed, context)
            return with_secret(changed, None, known, context)

        context = self._context()
        return update_client(client_id, settings, renew, context)

    def disable_client(self, client_id: str) -> Flow[Client]:
        """Serve a client no more, and take none of its tokens for good, until it is enabled again.

        Raises `ConfigurationError` where there is no such client.
        """
        return switch_client(client_id, self._context(), enabled=False)

    def enable_client(self, client_id: str) -> Flow[Client]:
        """Serve a client again that was disabled. Raises `ConfigurationError` where there is no such client."""
        return switch_client(client_id, self._context(), enabled=True)

    def remove_client(self, client_id: str) -> Flow[Client]:
        """Remove a client, and with it everything that it was given: a later client of that name inherits nothing.

        Raises `ConfigurationError` where there is no such client.
        """
        return remove_client(client_id)

    def _look_over(self, client: Client) -> None:
        check_client(client, self.policy, frozenset(self._grants), self.policy.response_types)
        if isinstance(self.instruments.keys, StoredKeys):
            check_outlived(client, self.policy.lifetimes, self.instruments.keys.policy)
        if self.openid is not None or client.access_token_format == "jwt":
            check_openid(client, () if self.instruments.keys is None else self.instruments.keys.algorithms, self.policy)

    def rotate_secret(self, client_id: str, *, overlap: int) -> Flow[Secret]:
        """Replace a client's secret; the one before it stays good for `overlap` seconds.

        Raises `ConfigurationError` where there is no such client with a secret.
        """
        return rotate_secret(client_id, overlap, self._context())

    @property
    def keys(self) -> KeySet | None:
        """Return where its signing keys come from; None where it signs nothing."""
        return self.instruments.keys

    def signing_keys(self) -> Flow[KeyRing]:
        """Find the signing keys in storage, first making or turning what is due; for an operator's list, say.

        Raises `ConfigurationError` where there are none in storage.
        """
        return self._stored_keys().ring(int(self.instruments.clock()))

    def rotate_keys(self, alg: str, *, at_once: bool = False) -> Flow[KeyRing]:
        """Publish a successor for the key that signs by an algorithm; it signs in good time, or `at_once`.

        Raises `ConfigurationError` where a successor waits already, or there are no keys in storage.
        """
        return self._stored_keys().rotate(alg, int(self.instruments.clock()), at_once=at_once)

    def import_key(self, text: str | bytes, alg: str | None = None, *, at_once: bool = False) -> Flow[KeyRing]:
        """Publish a private key that was made elsewhere, PEM or JWK; it signs in good time, or `at_once`.

        Raises `ConfigurationError` for what is no such key, as `rotate_keys` does, and for a key that is there already.
        """
        return self._stored_keys().add(import_private(text, alg), int(self.instruments.clock()), at_once=at_once)

    def _stored_keys(self) -> StoredKeys:
        if not isinstance(self.instruments.keys, StoredKeys):
            raise ConfigurationError(
                "keys", type(self.instruments.keys).__name__, "these are not in storage; change them where they are"
            )
        return self.instruments.keys

    def _answer(
        self, endpoint: Endpoint, request: Request, login: Login | None, error_page: RenderErrorPage | None = None
    ) -> Flow[Response]:
        context = self._context()
        refuse = self._refusing(endpoint, error_page)
        also = CORS if endpoint.is_cors else ()
        return transact(lambda: endpoint.decide(request, login, context), refuse, also)

    def _refusing(self, endpoint: Endpoint, error_page: RenderErrorPage | None) -> Refuse:
        if endpoint.is_resource:
            return self._refuse_as_resource
        return self._refuse_as_page(error_page) if endpoint.is_page else self._refuse_as_json

    def _table(self, keys: KeySet | None) -> dict[str, Endpoint]:
        documents = dict.fromkeys(self.metadata_paths, document_endpoint(self._metadata))
        return endpoint_table(self.paths, self.base, self._grants, self.openid, keys) | documents

    def _key_set(self, keys: KeySet | KeyPolicy | None, derive: Derivation) -> KeySet | None:
        found = StoredKeys(self.issuer, keys, derive.key("keys")) if isinstance(keys, KeyPolicy) else keys
        if self.openid is not None and found is not None and "RS256" not in found.algorithms:
            raise ConfigurationError("keys.algorithms", found.algorithms, "add RS256 (OIDC Core section 15.1)")
        return found

    def _own_keys(self) -> Flow[tuple[Jwk, ...]]:
        return published(self.instruments.keys, int(self.instruments.clock()))

    def _hint_keys(self) -> Flow[tuple[Jwk, ...]]:
        return known_in_hints(self.instruments.keys, int(self.instruments.clock()))

    def _context(self) -> Context:
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
            own_keys=self._own_keys,
            hint_keys=self._hint_keys,
            sign=instruments.signing(instruments.keys, now),
            verify=instruments.verify,
            handles=instruments.handles,
            openid=self.openid,
        )
        return context

    def _call(
        self, name: Literal["handle", "finish", "deny"], arguments: Mapping[str, Any], *, is_known: bool = True
    ) -> Call:
        """Describe a call for a recorder, which carries it out with instruments of its own."""

        def answer(instruments: Instruments) -> Flow[Response]:
            """Do the same with other instruments."""
            flow: Flow[Response] = getattr(self.with_instruments(instruments), name)(**arguments)
            return flow

        return Call(
            name=name,
            arguments=arguments,
            instruments=self.instruments,
            settings=self._settings(),
            metadata=self._metadata.body,
            answer=answer,
            is_known=is_known,
        )

    def _settings(self) -> Mapping[str, object]:
        """Return the values that it was made with; functions and secrets are none."""
        return {
            "issuer": self.issuer,
            "openid": self.openid,
            "paths": self.paths,
            "policy": self.policy,
            "scopes": self._scopes,
        }

    def _mint(self) -> Secret:
        return mint(self.instruments.entropy)

    def _refuse_as_json(self, error: OAuthError, cause: BaseException | None) -> Response:
        return refuse_as_json(error, self.issuer, cause)

    def _refuse_as_resource(self, error: OAuthError, cause: BaseException | None) -> Response:
        return Challenge(self.issuer).refuse(error, OPENID_SCOPE, cause)

    def _refuse_as_page(self, error_page: RenderErrorPage | None) -> Refuse:
        render = error_page or self._error_page
        return lambda error, cause: refuse_as_page(error, render, cause)
