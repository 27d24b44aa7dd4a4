"""The settings of mutual TLS (RFC 8705): clients that show a certificate in the TLS handshake."""

from __future__ import annotations

import re
from typing import Literal, get_args

import attrs

from oauthcore.errors import ConfigurationError
from oauthcore.given import are_strings, as_strings

CertificateMethod = Literal["tls_client_auth", "self_signed_tls_client_auth"]
METHODS: tuple[CertificateMethod, ...] = get_args(CertificateMethod)
_ORIGIN = re.compile(r"https://[A-Za-z0-9.\[\]:_-]+")


@attrs.frozen(kw_only=True)
class MutualTls:
    """Let clients authenticate by their certificates, and have their tokens bound to these (RFC 8705).

    `methods` are the methods of authentication that are offered; with none of them, certificates still bind tokens.
    Which certificates arrive is the host's: see `Peer` (docs/mutual-tls.md). `endpoint_aliases` is the URL of another
    host or port where clients are asked for certificates, as in `https://mtls.as.example`: the metadata names the
    endpoints that clients call there, so that no browser is asked for one (RFC 8705 section 5).
    """

    methods: tuple[str, ...] = attrs.field(default=METHODS, converter=as_strings, validator=are_strings)
    endpoint_aliases: str | None = None

    def __attrs_post_init__(self) -> None:
        for method in self.methods:
            if method not in METHODS:
                raise ConfigurationError("mutual_tls.methods", method, f"use some of {', '.join(METHODS)}")
        if self.endpoint_aliases is not None and not _ORIGIN.fullmatch(self.endpoint_aliases):
            remedy = "use https and a host, with a port or without, as in https://mtls.as.example"
            raise ConfigurationError("mutual_tls.endpoint_aliases", self.endpoint_aliases, remedy)
