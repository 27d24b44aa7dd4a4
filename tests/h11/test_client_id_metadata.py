"""`[client_id_metadata]` in the file, and what the command line says of clients that publish what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from oauthcore import Client, ConfigurationError, LoopbackDocuments
from oauthcore.records.client import MetadataDocument
from oauthcore_h11.assembly import client_id_metadata_of
from oauthcore_h11.cli.clients import registered_by
from oauthcore_h11.outgoing import fetch_of
from tests.h11.test_cautions import KEY, warned
from tests.h11.test_configuration import LEAST, reading

SCOPES = '[scopes]\nemail = "See your address"\nprofile = "See your name"\n'


def test_documents_are_off_where_the_table_is_not_there(tmp_path: Path) -> None:
    assert client_id_metadata_of(reading(tmp_path, LEAST)) is None


def test_the_table_turns_documents_on_for_all_that_the_metadata_names(tmp_path: Path) -> None:
    settings = client_id_metadata_of(reading(tmp_path, f"{LEAST}[client_id_metadata]\n{SCOPES}"))

    assert settings is not None
    assert settings.scope.text == "email profile"
    assert settings.loopback is None
    assert settings.allowed_hosts is None


def test_each_setting_of_the_table_counts(tmp_path: Path) -> None:
    table = (
        '[client_id_metadata]\nscope = "email"\ngrant_types = ["authorization_code"]\nallowed_hosts = ["a.example"]\n'
        'denied_hosts = ["b.example"]\nmin_fresh = 60\nmax_fresh = 120\nnew_per_minute = 5\nloopback = true\n'
    )

    settings = client_id_metadata_of(reading(tmp_path, LEAST + table))

    assert settings is not None
    assert (settings.scope.text, settings.grant_types) == ("email", ("authorization_code",))
    assert (settings.allowed_hosts, settings.denied_hosts) == (("a.example",), ("b.example",))
    assert (settings.min_fresh, settings.max_fresh, settings.new_per_minute) == (60, 120, 5)
    assert settings.loopback == LoopbackDocuments()


@pytest.mark.parametrize(
    ("line", "setting"),
    [
        ('allowed_hosts = ["https://a.example"]', "client_id_metadata.allowed_hosts"),
        ('grant_types = ["client_credentials"]', "client_id_metadata.grant_types"),
        ("max_fresh = 1", "client_id_metadata.min_fresh, max_fresh"),
    ],
)
def test_what_is_wrong_in_the_table_is_named(tmp_path: Path, line: str, setting: str) -> None:
    configuration = reading(tmp_path, f"{LEAST}[client_id_metadata]\n{line}\n")

    with pytest.raises(ConfigurationError) as caught:
        client_id_metadata_of(configuration)

    assert caught.value.setting == setting


def test_f5_the_switch_for_tests_is_warned_of_and_lets_the_fetcher_ask_loopback_alone(tmp_path: Path) -> None:
    table = "[client_id_metadata]\nloopback = true\n"
    (warning,) = warned(tmp_path, f'token_key = "{KEY}"\n{table}', 0o600)
    allowed = fetch_of(reading(tmp_path, LEAST + table))._fetcher._allow

    assert warning.startswith("client_id_metadata.loopback is for tests")
    assert [str(network) for network in allowed.networks] == ["127.0.0.0/8", "::1/128"]
    assert fetch_of(reading(tmp_path, LEAST))._fetcher._allow.networks == ()


@pytest.mark.parametrize(
    ("withdrawn_at", "is_unused", "state"),
    [(None, False, "unverified"), (None, True, "unverified, unused"), (5, False, "unverified, its document is gone")],
)
def test_a_client_is_shown_with_the_host_that_it_is_at(withdrawn_at: int | None, is_unused: bool, state: str) -> None:
    document = MetadataDocument(
        registered_at=1, fetched_at=2, fresh_until=3, check_at=3, withdrawn_at=withdrawn_at, is_unused=is_unused
    )

    said = registered_by(Client(client_id="https://app.example/client.json", document=document), declared=False)

    assert (said["registered_by"], said["state"]) == ("itself, by its document at app.example", state)
