"""Requests to other servers: for clients' keys and request objects, and for logout notices."""

from __future__ import annotations

from oauthcore import ConfigurationError
from oauthcore_fetch import AsyncFetcher, Fetcher
from oauthcore_h11.configuration import Configuration
from oauthcore_h11.configuration.reading import check_readable


def fetch_of(configuration: Configuration) -> AsyncFetcher:
    """Make what asks other servers; raises `ConfigurationError` for an authority or a host that is none."""
    table = configuration.outgoing
    if table.extra_ca_file is not None:
        check_readable("outgoing.extra_ca_file", table.extra_ca_file)
    documents = configuration.client_id_metadata
    loopback = ("127.0.0.0/8", "::1/128") if documents is not None and documents.loopback else ()
    names = {"ca_file": "outgoing.extra_ca_file", "allow": "outgoing.private_hosts"}
    try:
        return AsyncFetcher(Fetcher(allow=(*table.private_hosts, *loopback), ca_file=table.extra_ca_file))
    except ConfigurationError as error:
        raise ConfigurationError(names[error.setting], error.value, error.remedy) from None
