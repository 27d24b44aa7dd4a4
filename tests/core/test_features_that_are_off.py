"""What is off costs nothing: no request calls a function of a feature that its server does not offer.

Calls are counted, not timed, so that the count is the same on every machine.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType

import pytest

from oauthcore.scope import ScopeHierarchy
from tests.core.site import Site, members

# Those of resource indicators, of client ID metadata documents, of developer mode and of mutual TLS.
MODULES = frozenset(
    {
        "oauthcore.grants.audience",
        "oauthcore.resources",
        "oauthcore.resource_uri",
        "oauthcore.clients.document_clients",
        "oauthcore.clients.metadata_document",
        "oauthcore.client_id_metadata",
        "oauthcore.clients.developer_mode",
        "oauthcore.possession",
        "oauthcore.grants.dpop",
        "oauthcore.dpop.proof",
        "oauthcore.clients.added_methods",
        "oauthcore.clients.certificate_binding",
        "oauthcore.clients.self_signed_tls_client_auth",
        "oauthcore.clients.tls_client_auth",
        "oauthcore.grants.certificate_bound",
        "oauthcore.jose.certificate",
        "oauthcore.mutual_tls",
        "oauthcore.resource.possession",
    }
)
FUNCTIONS = frozenset({"check_resource", "as_resources_want", "is_for_resource_of"})


def called_in_vain(act: Callable[[], object]) -> Counter[str]:
    """Return which functions of features that are off an act calls, and how often."""
    calls: Counter[str] = Counter()

    def see(frame: FrameType, event: str, _: object) -> None:
        name, module = frame.f_code.co_name, frame.f_globals.get("__name__", "")
        is_of_hierarchy = isinstance(frame.f_locals.get("self"), ScopeHierarchy)
        if event == "call" and (module in MODULES or name in FUNCTIONS or is_of_hierarchy):
            calls[f"{module}.{name}"] += 1

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        act()
    finally:
        sys.setprofile(before)
    return calls


def authorizing(site: Site) -> Callable[[], object]:
    """Return an authorization request that is answered without a page."""
    site.code()
    return lambda: site.authorize(site.alice, prompt="none")


def redeeming(site: Site) -> Callable[[], object]:
    """Return the redemption of a code."""
    code = site.code()
    return lambda: site.redeem(code)


def refreshing(site: Site) -> Callable[[], object]:
    """Return a refresh."""
    value = site.tokens()["refresh_token"]
    return lambda: site.refresh(value)


def introspecting(site: Site) -> Callable[[], object]:
    """Return an introspection."""
    value = site.tokens()["access_token"]
    return lambda: site.introspect(value, "confidential")


def asking_for_its_own(site: Site) -> Callable[[], object]:
    """Return a request for a token of the client's own."""
    return lambda: members(site.token(grant_type="client_credentials"))["access_token"]


@pytest.mark.parametrize("prepare", [authorizing, redeeming, refreshing, introspecting, asking_for_its_own])
def test_a_request_calls_nothing_of_resources_of_hierarchies_and_of_documents_where_they_are_off(
    prepare: Callable[[Site], Callable[[], object]], site: Site
) -> None:
    act = prepare(site)

    assert called_in_vain(act) == {}
