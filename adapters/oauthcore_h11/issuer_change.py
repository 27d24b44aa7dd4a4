"""Another issuer with the same storage: what survives that, what ends, and when the server must not start.

Almost everything that a server issues is digested for its issuer, so a typo in that one setting would silently end all
of it. The storage therefore records its issuer. Clients' secrets survive a change, except those that an earlier version
stored; with such clients the change is refused, and they are named.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from oauthcore import Client, ConfigurationError
from oauthcore.flow.outcome import Change, Insert, Replace
from oauthcore_h11.configuration import Configuration
from oauthcore_h11.engines import Listing, engine_of, trouble


@attrs.frozen(kw_only=True)
class StorageIssuer:
    """Remember under which issuer a storage is used."""

    issuer: str
    key: str = "issuer"
    expires_at: int | None = None


def look_at_issuer(configuration: Configuration, *, remember: bool = False) -> tuple[str, ...]:
    """Return what ends with a change of the issuer, for the operator; with `remember` the new issuer is stored.

    Raises `ConfigurationError` if clients would be locked out.
    """
    opened = engine_of(configuration).open(configuration)
    try:
        known = opened.storage.find(StorageIssuer, "issuer")
        if known is not None and known.issuer == configuration.issuer:
            return ()
        warnings = (
            first_warnings(opened.storage)
            if known is None
            else warnings_of_change(known, configuration, opened.storage)
        )
        if remember:
            fresh = StorageIssuer(issuer=configuration.issuer)
            change: Change = Insert(fresh) if known is None else Replace(known, fresh)
            try:
                opened.storage.commit((change,))  # where another worker was first, it remembers the same
            except Exception as failure:  # whatever it is: /readyz says so for as long as it lasts
                reason = trouble(failure) or f"the storage failed: {failure}"
                warnings = (
                    *warnings,
                    f"the issuer is not remembered, as it would be to notice that it changes: {reason}",
                )
        return warnings
    finally:
        opened.close()


def first_warnings(storage: Listing) -> tuple[str, ...]:
    """Return what is to be said of a storage that knows no issuer yet."""
    bound = bound_clients(storage)
    if not bound:
        return ()
    return (
        f"the secrets of {named(bound)} are tied to the issuer under which an earlier version registered them; "
        "change the issuer only after each has authenticated once",
    )


def warnings_of_change(known: StorageIssuer, configuration: Configuration, storage: Listing) -> tuple[str, ...]:
    """Return what ends; raises `ConfigurationError` for secrets that would be taken for wrong ones."""
    bound = bound_clients(storage)
    if bound:
        remedy = (
            f"the secrets of {named(bound)} are tied to {known.issuer}, as earlier versions kept them: set it back and "
            "let each authenticate once, or give each another by oauthcore client rotate-secret"
        )
        raise ConfigurationError("issuer", configuration.issuer, remedy)
    pairwise = [client.client_id for client in storage.every(Client) if client.subject_type == "pairwise"]
    pairwise += [table.client_id for table in configuration.clients if table.subject_type == "pairwise"]
    ends = (
        f"the issuer was {known.issuer}: tokens, codes and consents of then are unknown now, signing keys are made "
        "anew, and people sign in and allow again; clients, their secrets and users stay"
    )
    names = f"{named(pairwise)} will know everybody by another pairwise subject"
    return (ends, names) if pairwise else (ends,)


def bound_clients(storage: Listing) -> list[str]:
    """Return the clients whose secret an earlier version remembered, in a form that depends on the issuer."""
    return [client.client_id for client in storage.every(Client) if client.secrets and not client.secrets[0].portable]


def named(client_ids: Iterable[str]) -> str:
    """Return names for a line: a few of them, and how many there are beside."""
    ids = sorted(client_ids)
    return ", ".join(ids[:5]) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")
