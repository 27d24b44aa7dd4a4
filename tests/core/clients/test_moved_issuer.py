"""A client's secret is the client's, and not the issuer's: it is good when the server has moved to another URL."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from oauthcore import Client, Secret
from oauthcore.digest import Derivation, Digester
from oauthcore.flow.effects import Flow, commit
from oauthcore.flow.outcome import Replace
from oauthcore.jose.crypto import seal
from oauthcore.records.client import ClientSecret
from oauthcore.testing import Factory, Run
from oauthcore.wire.http import Response
from tests.core.clients.asserting import SECRET, ask, asserting_site, mac
from tests.core.site import ISSUER, SECRETS, TOKEN_KEY, Counted, Site, basic, form, make_site, refused
from tests.core.test_interleavings import Meeting, token_request

MOVED = "https://moved.example"


def moved(site: Site) -> Site:
    """Return another server, at another URL, over the same storage."""
    other = make_site(site.drive, clients=(), issuer=MOVED)
    other.world = site.world
    return other


def stored(site: Site, client_id: str = "confidential") -> Client:
    """Find a client."""
    found = site.drive(site.server.clients.find(client_id), site.world)
    assert isinstance(found, Client)
    return found


def remember_as_before(site: Site, client_id: str, secret: str, sealed: str | None = None) -> Client:
    """Remember a client's secret as an earlier version did: digested for the issuer."""
    client = stored(site, client_id)
    old = ClientSecret(Digester(ISSUER)("client_secret_of_issuer", Secret(secret)), sealed=sealed)
    before = attrs.evolve(client, secrets=(old,))
    assert site.drive(commit([Replace(client, before)]), site.world)
    return before


def test_a_client_secret_is_good_at_another_issuer(site: Site) -> None:
    assert moved(site).token(grant_type="client_credentials").status == 200


def test_what_the_issuer_gave_out_is_unknown_at_another_issuer(site: Site) -> None:
    tokens = site.tokens()

    elsewhere = moved(site)

    assert not elsewhere.is_active(tokens["access_token"])
    assert refused(elsewhere.refresh(tokens["refresh_token"]), "invalid_grant", "unknown")


def test_the_form_of_before_is_the_one_that_databases_hold() -> None:
    """SHA-256 of kind, issuer and secret, with a zero byte between them."""
    digest = Digester("https://as.example")("client_secret_of_issuer", Secret("confidential-secret"))

    assert digest == "8cfddd49bd424ff17b9f26dadfd5170e06d9d22eb34be0ffe116bd4e95e41eb2"


def test_a_secret_in_the_form_of_before_is_good_and_rewritten_in_the_commit_of_its_use(site: Site) -> None:
    remember_as_before(site, "confidential", SECRETS["confidential"])
    counted = Counted(site)

    assert site.token(grant_type="client_credentials").status == 200

    assert (counted.finds, counted.commits) == (1, 1)
    assert [secret.portable for secret in stored(site).secrets] == [True]
    assert moved(site).token(grant_type="client_credentials").status == 200


def test_an_introspection_rewrites_the_form_of_before_too(site: Site) -> None:
    remember_as_before(site, "confidential", SECRETS["confidential"])

    site.introspect("whatever")

    assert stored(site).secrets[0].portable


def test_a_wrong_secret_rewrites_nothing(site: Site) -> None:
    before = remember_as_before(site, "confidential", SECRETS["confidential"])

    answer = site.post("/token", form(grant_type="client_credentials"), basic("confidential", "wrong"))

    assert refused(answer, "invalid_client", "the secret is wrong")
    assert stored(site) == before


def test_a_secret_in_the_form_of_before_is_unknown_at_another_issuer(site: Site) -> None:
    remember_as_before(site, "confidential", SECRETS["confidential"])

    assert refused(moved(site).token(grant_type="client_credentials"), "invalid_client", "the secret is wrong")


def test_a_sealed_secret_is_good_at_another_issuer(site: Site) -> None:
    """`client_secret_jwt` (OIDC Core section 9)."""
    keeping = asserting_site(site.drive)
    elsewhere = moved(keeping)

    answer = ask(elsewhere, mac(aud=MOVED))

    assert answer.status == 200


def test_a_secret_that_was_sealed_before_is_good_and_sealed_anew_in_the_commit_of_its_use(site: Site) -> None:
    keeping = asserting_site(site.drive)
    key = Derivation(ISSUER, TOKEN_KEY).key("client_secret_of_issuer")
    remember_as_before(keeping, "shared", SECRET, seal(SECRET, key))

    assert ask(keeping, mac()).status == 200

    assert stored(keeping, "shared").secrets[0].portable
    assert ask(moved(keeping), mac(aud=MOVED, jti="another")).status == 200


def test_registering_again_with_its_secret_rewrites_the_form_of_before(site: Site) -> None:
    before = remember_as_before(site, "confidential", SECRETS["confidential"])

    made = site.drive(site.server.clients.register(before, Secret(SECRETS["confidential"]), replace=True), site.world)

    assert made.client.secrets[0].portable


@pytest.mark.parametrize("flows", [2, 3])
def test_requests_that_meet_over_the_form_of_before_are_all_answered(kept: Factory, flows: int) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        """Have requests of one client come at once."""
        remember_as_before(site, "confidential", SECRETS["confidential"])
        request = token_request(grant_type="client_credentials")
        return [site.server.handle(request) for _ in range(flows)]

    def check(run: Run[Response]) -> None:
        """Whoever was second has found the other form."""
        assert [answer.status for answer in run.results] == [200] * flows
        found = run.world.storage.find(Client, "confidential")
        assert found is not None and found.secrets[0].portable

    assert Meeting(prepare, flows=flows).explored(check, kept).schedules > 1
