"""Sixteen processes that want the same codes and tokens of one server at once."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from oauthcore_redis import RedisStorage
from tests.redis.engine import VOLATILE, binaries, running
from tests.storages.crowd import check_redeeming, check_refreshing, gathered, prepare


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.untraced
def test_each_code_and_each_token_is_had_by_one_of_sixteen_processes(folder: Path) -> None:
    with running(binaries()["redis"], folder, *VOLATILE) as engine:
        opening = partial(RedisStorage.from_url, engine.url)
        codes, tokens = prepare(opening)

        with gathered() as crowd:
            check_redeeming(crowd(opening, "redeem", codes))
            check_refreshing(crowd(opening, "refresh", tokens))
