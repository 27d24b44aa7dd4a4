"""A profile that has clients authenticate has them do so at every grant, also where an assertion identifies them."""

from __future__ import annotations

import attrs

from oauthcore import Profile, Request, SubjectRule, TrustedIssuer
from oauthcore.grants.jwt_bearer import GRANT_TYPE
from oauthcore.jose.jwk import set_of
from tests.core.assertions.trusting import CI, CI_KEY, workflow
from tests.core.dpop.proving import proof
from tests.core.profiles.test_profiles import FAPI_CLIENT, earlier, reported
from tests.core.site import FORM, Drive, Site, form, refused

WORKLOADS = TrustedIssuer(
    issuer=CI,
    keys=set_of([CI_KEY]),
    subjects=[SubjectRule(claims={"repository": "acme/api"}, client_id="keyed")],
)


def site_of(drive: Drive, profile: Profile) -> Site:
    """Return a site whose client is identified by assertions of a trusted issuer, too."""
    site = earlier(drive, profile, trusted_issuers=[WORKLOADS])
    client = attrs.evolve(FAPI_CLIENT, grant_types=["authorization_code", GRANT_TYPE])
    drive(site.server.clients.register(client, replace=True), site.world)
    return site


def test_a_client_of_fapi_is_not_identified_by_the_assertion_of_a_grant(drive: Drive) -> None:
    """FAPI 2.0 Security Profile section 5.3.2.1: by mutual TLS or private_key_jwt."""
    site = site_of(drive, Profile.fapi2_security())

    response = site.post("/token", form(grant_type=GRANT_TYPE, assertion=workflow()), ("DPoP", proof(site.now)))

    assert refused(response, "invalid_request", "the client authenticates in each token request")


def test_that_is_reported_where_nothing_is_refused(drive: Drive) -> None:
    site = site_of(drive, Profile.fapi2_security(report_only=True))
    body = form(grant_type=GRANT_TYPE, assertion=workflow())

    assert site.handle(Request("POST", "/token", (FORM,), body)).status == 200
    assert reported(site) == ["sender_constrained", "authenticated_requests"]
