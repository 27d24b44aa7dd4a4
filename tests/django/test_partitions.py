"""Partitions of Django's database: several issuers share it, and neither finds what is the other's."""

from __future__ import annotations

import pytest

from oauthcore import ConfigurationError
from oauthcore_django.storage import DjangoStorage
from tests.storages.partitions import check_apart


@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("", "a"), ("a", "")])
def test_partitions_of_one_database_see_nothing_of_each_other(one: str, other: str) -> None:
    check_apart(DjangoStorage(partition=one), DjangoStorage(partition=other))


def test_what_is_no_name_of_a_partition_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="lower-case"):
        DjangoStorage(partition="Tenant")
