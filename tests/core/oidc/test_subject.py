"""Subjects, public and pairwise (OIDC Core section 8)."""

from __future__ import annotations

import attrs
import pytest

from oauthcore import ConfigurationError
from oauthcore.oidc.subject import sector_of, subject_for
from tests.core.oidc.provider import PAIRWISE, RP, context_of

CONTEXT = context_of()


def test_a_public_subject_is_the_same_for_everybody() -> None:
    assert subject_for(RP, "alice", CONTEXT) == "alice"


def test_a_pairwise_subject_tells_nobody_who_it_is_and_stays_as_it_is() -> None:
    subject = subject_for(PAIRWISE, "alice", CONTEXT)

    assert "alice" not in subject
    assert subject == subject_for(PAIRWISE, "alice", context_of())
    assert subject != subject_for(PAIRWISE, "bob", CONTEXT)


def test_two_clients_of_one_sector_know_a_person_by_one_name() -> None:
    sibling = attrs.evolve(PAIRWISE, client_id="sibling")

    assert subject_for(sibling, "alice", CONTEXT) == subject_for(PAIRWISE, "alice", CONTEXT)


def test_two_sectors_can_not_compare_notes() -> None:
    stranger = attrs.evolve(PAIRWISE, redirect_uris=("https://stranger.example/cb",))

    assert subject_for(stranger, "alice", CONTEXT) != subject_for(PAIRWISE, "alice", CONTEXT)


def test_another_token_key_makes_other_subjects() -> None:
    other = context_of(token_key=bytes(range(1, 33)))

    assert subject_for(PAIRWISE, "alice", other) != subject_for(PAIRWISE, "alice", CONTEXT)


def test_the_sector_is_the_identifier_s_host_where_there_is_one() -> None:
    client = attrs.evolve(
        PAIRWISE,
        redirect_uris=("https://a.example/cb", "https://b.example/cb"),
        sector_identifier_uri="https://sector.example/uris.json",
    )

    assert sector_of(client) == "sector.example"


def test_several_hosts_without_an_identifier_are_no_sector() -> None:
    client = attrs.evolve(PAIRWISE, redirect_uris=("https://a.example/cb", "https://b.example/cb"))

    with pytest.raises(ConfigurationError, match="sector_identifier_uri"):
        sector_of(client)


def test_no_two_pairs_of_sector_and_person_share_a_name() -> None:
    one = attrs.evolve(PAIRWISE, redirect_uris=("https://a.example/cb",))
    other = attrs.evolve(PAIRWISE, redirect_uris=("https://a.example:1/cb",))

    assert subject_for(one, "1 x", CONTEXT) != subject_for(other, "x", CONTEXT)


@pytest.mark.parametrize(
    "uri",
    [
        *("com.example.app:/cb", "com.example.app://bank.example/cb"),
        *("http://127.0.0.1/cb", "http://[::1]/cb", "http://localhost/cb"),
    ],
)
def test_a_redirect_uri_at_nobodys_host_is_no_sector(uri: str) -> None:
    """All native applications would know a person by the same name."""
    client = attrs.evolve(PAIRWISE, redirect_uris=(uri,))

    with pytest.raises(ConfigurationError, match="sector_identifier_uri"):
        sector_of(client)
    assert sector_of(attrs.evolve(client, sector_identifier_uri="https://sector.example/uris.json")) == "sector.example"
