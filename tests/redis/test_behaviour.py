"""The behaviour of the core, over Redis and Valkey: its own tests, each of them again with the records kept there."""

from __future__ import annotations

from itertools import count

import attrs
import pytest
import redis

from oauthcore import Client, run
from oauthcore.outcome import Insert
from oauthcore_redis import RedisStorage
from tests.core.endpoints.test_applications import *  # noqa: F403
from tests.core.endpoints.test_authorization import *  # noqa: F403
from tests.core.endpoints.test_interaction import *  # noqa: F403
from tests.core.endpoints.test_introspection import *  # noqa: F403
from tests.core.endpoints.test_resume import *  # noqa: F403
from tests.core.endpoints.test_revocation import *  # noqa: F403
from tests.core.endpoints.test_token import *  # noqa: F403
from tests.core.grants.test_authorization_code import *  # type: ignore[assignment]  # noqa: F403 - of a name of its own
from tests.core.grants.test_client_credentials import *  # noqa: F403
from tests.core.grants.test_password import *  # noqa: F403
from tests.core.grants.test_refresh_token import *  # noqa: F403
from tests.core.site import CLIENTS, Drive, Site, make_site

_numbers = count()

# These look into the memory that they are over.
for name in (
    "test_one_issuers_token_is_inactive_at_another_over_the_same_storage",
    "test_who_is_asked_again_has_the_time_of_the_interaction",
    "test_consent_that_was_withdrawn_meanwhile_is_asked_for_again",
):
    del globals()[name]


@pytest.fixture
def drive() -> Drive:
    """Give the blocking driver; what an async host awaits is what the contract is kept by, too."""
    return run


@pytest.fixture
def site(client: redis.Redis) -> Site:
    """Give a fresh site whose records are in the server."""
    site = make_site(run)
    storage = RedisStorage(client, prefix=f"site-{next(_numbers)}")
    registered = (site.world.storage.find(Client, client.client_id) for client in CLIENTS)
    assert storage.commit([Insert(record) for record in registered if record is not None])
    site.world = attrs.evolve(site.world, storage=storage)
    return site
