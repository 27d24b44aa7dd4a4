"""The provider for tests: any number of issuers on one host, each below its own path. It opens no socket."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from oauthcore import ConfigurationError, Paths, Policy, Request, Response
from oauthcore.extra_claims import AddClaims
from oauthcore.wire.http import Outgoing
from oauthcore_mock.clock import Clock
from oauthcore_mock.imitations import IMITATIONS, Imitation, ImitationName
from oauthcore_mock.issuer import Issuer, Reply, no_fetch
from oauthcore_mock.keys import KeyMaterial
from oauthcore_mock.recorder import MANY, Recorder

_TEXT = ("Content-Type", "text/plain; charset=utf-8")


class Provider:
    """Hold issuers below one URL, and pass each request to its issuer.

    `url` is scheme, host and port, as in `http://127.0.0.1:9400`; the server that exposes it calls `handle`. With
    `makes_issuers`, an issuer is created for the first segment of any requested path. `fetch` requests other servers,
    for clients that publish their keys. With `takes_any_client`, an unknown client is registered at its first request,
    with the secret that it sends, or as a public client without one. `begin` is called with each new issuer, for
    clients and users that all of them have.
    """

    def __init__(
        self,
        url: str,
        *,
        makes_issuers: bool = False,
        shows_form: bool = False,
        fetch: Callable[[Outgoing], Response] = no_fetch,
        takes_any_client: bool = False,
        begin: Callable[[Issuer], None] | None = None,
    ) -> None:
        parts = urlsplit(url)
        if not parts.netloc or parts.path:
            raise ConfigurationError("url", url, "use scheme, host and port alone, as in http://127.0.0.1:9400")
        self.url = url
        self.clock = Clock()
        self.material = KeyMaterial()
        self.requests = Recorder(MANY)
        self._makes_issuers = makes_issuers
        self._shows_form = shows_form
        self._fetch = fetch
        self._takes_any_client = takes_any_client
        self._begin = begin
        self._issuers: dict[str, Issuer] = {}
        self._numbers = itertools.count(1)

    def issuer(
        self,
        name: str | None = None,
        *,
        clock: Clock | None = None,
        policy: Policy | None = None,
        audience: str | None = None,
        shows_form: bool | None = None,
        imitates: ImitationName | None = None,
        extra_claims: AddClaims | None = None,
        trusts: str | Iterable[str | Issuer] = (),
        paths: Paths | None = None,
        reads_client_documents: bool = False,
    ) -> Issuer:
        """Return the issuer of that name, which is its path; it is created if it does not exist, or has no name.

        `audience` is that of its access tokens if the client does not name one. `policy` replaces the lenient one,
        `clock` that of the provider. `imitates` is a well-known provider whose tokens, and end of the URL, it imitates.
        It takes the assertions, and for exchanges the tokens, of the issuers that it `trusts`, each given itself or by
        name: those that are signed by their present keys (RFC 7523, RFC 8693).
        `paths` are those of its endpoints, if they are not the usual ones. With `reads_client_documents`, a client may
        have the URL of its metadata document as its identifier, and the provider's `fetch` asks for that.
        `extra_claims` is a server's function that adds claims to tokens (docs/claims.md).
        """
        imitation = _imitation_of(imitates)
        path = ("{name}" if imitation is None else imitation.path).format(
            name=f"t{next(self._numbers)}" if name is None else name
        )
        name = path.strip("/")
        if name in self._issuers:
            return self._issuers[name]
        made = Issuer(
            f"{self.url}/{path}",
            self.material,
            clock or self.clock,
            policy=policy,
            audience=audience,
            shows_form=self._shows_form if shows_form is None else shows_form,
            fetch=self._fetch,
            everything=self.requests,
            takes_any_client=self._takes_any_client,
            imitation=imitation,
            extra_claims=extra_claims,
            trusts=self._issuers_of((trusts,) if isinstance(trusts, str) else trusts),
            paths=paths,
            reads_client_documents=reads_client_documents,
        )
        if self._begin is not None:
            self._begin(made)
        self._issuers[name] = made
        return made

    def forget(self, issuer: Issuer) -> None:
        """Remove an issuer with everything it has stored."""
        self._issuers = {name: known for name, known in self._issuers.items() if known is not issuer}

    @property
    def issuers(self) -> tuple[Issuer, ...]:
        """Return all issuers."""
        return tuple(self._issuers.values())

    def handle(self, request: Request) -> Reply:
        """Answer a request, for any host name, by the issuer that its path belongs to."""
        issuer = self._issuer_of(request.path)
        if issuer is None:
            names = ", ".join(sorted(self._issuers)) or "none"
            text = f"No issuer of this provider for tests is at {request.path}. There are: {names}.\n"
            return Reply(Response(404, (_TEXT,), text.encode()))
        return issuer.handle(request)

    def issuer_at(self, url: str) -> Issuer:
        """Return the issuer that a URL belongs to; raises `ConfigurationError` if there is none."""
        found = self._issuer_of(urlsplit(url).path) if self.owns(url) else None
        if found is None:
            raise ConfigurationError("url", url, f"use a URL of an issuer at {self.url}")
        return found

    def owns(self, url: str) -> bool:
        """Return whether a URL is below the provider's; a path without a host is."""
        parts = urlsplit(url)
        return not parts.netloc or f"{parts.scheme}://{parts.netloc}" == self.url

    def _issuers_of(self, named: Iterable[str | Issuer]) -> list[Issuer]:
        return [each if isinstance(each, Issuer) else self.issuer(each) for each in named]

    def _issuer_of(self, path: str) -> Issuer | None:
        name = _name_in(path, self._issuers)
        if name in self._issuers:
            return self._issuers[name]
        if not self._makes_issuers or not name:
            return None
        # Any path may be requested. One that no issuer can have is not found.
        with suppress(ConfigurationError):
            return self.issuer(name)
        return None


def _name_in(path: str, known: dict[str, Any]) -> str:
    """Return the name of the issuer that a path belongs to: the longest known one, otherwise the first segment.

    The metadata of an issuer with a path is at the root of the host, followed by that path (RFC 8414 section 3.1).
    """
    segments = path.split("/")[1:]
    if segments[:1] == [".well-known"]:
        segments = segments[2:]
    for length in range(len(segments), 0, -1):
        if "/".join(segments[:length]) in known:
            return "/".join(segments[:length])
    return segments[0] if segments else ""


def _imitation_of(name: ImitationName | None) -> Imitation | None:
    if name is not None and name not in IMITATIONS:
        raise ConfigurationError("imitates", name, f"use one of {', '.join(IMITATIONS)}")
    return None if name is None else IMITATIONS[name]
