"""Probes over the network: only to public addresses and hosts that the operator names, without redirects, limited."""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from time import time
from urllib.parse import urlsplit

from oauthcore import Outgoing
from oauthcore.errors import ConfigurationError
from oauthcore_doctor.observations import Exchange, Target, TlsObservation
from oauthcore_doctor.walk import TlsRequest
from oauthcore_fetch import Fetcher, FetchFailed
from oauthcore_fetch.guard import Forbidden, allowed, permitted, resolve


class NetworkPort:
    """Probe real servers, from this machine.

    `allow` names hosts and networks that may be requested although they are not public, or by plain http: those that
    the operator has named. Other hosts in metadata must not lead a walk into the local network. `timeout` is in
    seconds, for each probe; `ca_file` names certificates to trust besides the system's.
    """

    def __init__(
        self,
        allow: Iterable[str] = (),
        *,
        timeout: float = 10.0,
        ca_file: str | Path | None = None,
        clock: Callable[[], float] = time,
    ) -> None:
        allow = tuple(allow)
        self._fetcher = Fetcher(timeout=timeout, allow=allow, ca_file=ca_file)
        self._allow = allowed(allow)
        self._timeout = timeout
        self._clock = clock
        self._trust = ssl.create_default_context()
        if ca_file is not None:
            self._trust.load_verify_locations(ca_file)
        # Created here, since filters of warnings apply to the whole process, and handshakes run on several threads.
        self._old = old_versions()

    def fetch(self, request: Outgoing) -> Exchange:
        """Send a request and return the exchange."""
        try:
            response = self._fetcher.send(request)
        except FetchFailed as failure:
            cause = failure.__cause__
            return Exchange(request, None, self._clock(), str(cause if isinstance(cause, Forbidden) else failure))
        return Exchange(request, response, self._clock())

    def shake_hands(self, request: TlsRequest) -> TlsObservation:
        """Check the certificate, and whether deprecated versions are accepted (RFC 8996)."""
        at = self._clock()
        try:
            expires_at = self._expiry(request)
        except ssl.SSLCertVerificationError as error:
            return TlsObservation(request.host, at, error.verify_message)
        except (OSError, ValueError, Forbidden) as error:
            return TlsObservation(request.host, at, str(error))
        return TlsObservation(request.host, at, None, expires_at, self._old_version(request))

    def _expiry(self, request: TlsRequest) -> float | None:
        with self._connect(request, self._trust) as connection:
            certificate = connection.getpeercert() or {}
        expires = certificate.get("notAfter")
        return ssl.cert_time_to_seconds(expires) if isinstance(expires, str) else None

    def _old_version(self, request: TlsRequest) -> str | None:
        """Return the version that a client with only deprecated ones negotiates; None if the server refuses."""
        try:
            with self._connect(request, self._old) as connection:
                return connection.version()
        except OSError:
            return None

    def _connect(self, request: TlsRequest, context: ssl.SSLContext) -> ssl.SSLSocket:
        # The issuer may come from a resource's metadata, so it is restricted like any URL in metadata.
        address, *_ = permitted(request.host, request.port, True, self._allow, resolve)
        connection = socket.create_connection((address, request.port), self._timeout)
        try:
            return context.wrap_socket(connection, server_hostname=request.host)
        except BaseException:
            connection.close()
            raise


def old_versions() -> ssl.SSLContext:
    """Return a context that offers only TLS 1.0 and 1.1."""
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Nothing is sent over this connection, and the server's certificate was checked by the first one.
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # these versions are used on purpose
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("DEFAULT:@SECLEVEL=0")  # OpenSSL 3 offers these versions at no other level
    return old


def hosts_named_by(target: Target) -> Iterator[str]:
    """Return the hosts that the operator has named by what is examined."""
    for url in (target.issuer, target.resource):
        host = urlsplit(url).hostname if url is not None else None
        if host is not None:
            yield host


def check_ca_file(ca_file: Path | None) -> None:
    """Raise `ConfigurationError` for a file without certificates."""
    if ca_file is None:
        return
    try:
        ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError):
        raise ConfigurationError("--ca-file", str(ca_file), "name a file of PEM certificates") from None
