"""A server killed in the middle of a load and started again: what was acknowledged is not lost, nor had twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Semaphore

import httpx
import pytest

from oauthcore_redis import RedisStorage
from tests.core.site import Site, members
from tests.processes import PATIENCE
from tests.redis.engine import DURABLE, Engine, binaries, running
from tests.redis.test_serving import installation_on
from tests.redis.writing import check_pairs_are_whole_and_kept
from tests.storages.crowd import prepare, site_on

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

THREADS = 4
KILLS = 5


@pytest.fixture(params=sorted(binaries()))
def durable(request: pytest.FixtureRequest, folder: Path) -> Iterator[Engine]:
    """Return a server of the test's own, that has on the disk what it acknowledges."""
    with running(binaries()[request.param], folder, *DURABLE) as engine:
        yield engine


def kill_now_and_then(engine: Engine, done: Semaphore, between: int) -> None:
    """Kill the server each time that so much was done, and start it again."""
    for _ in range(KILLS):
        for _ in range(between):
            done.acquire(timeout=60)
        engine.kill()
        engine.start()


def test_a_commit_that_was_acknowledged_is_there_and_none_is_there_by_half(durable: Engine) -> None:
    storage = RedisStorage.from_url(durable.url)

    acknowledged = check_pairs_are_whole_and_kept(storage, lambda done: kill_now_and_then(durable, done, between=100))

    assert acknowledged > KILLS * 100
    storage.close()


def redeemed(site: Site, code: str, statuses: Counter[int], done: Semaphore) -> str | None:
    """Redeem a code, as a client does that tries again after a 503; give the access token, None for a refusal."""
    while True:
        answer = site.redeem(code)
        statuses[answer.status] += 1
        if answer.status == 503:
            continue
        done.release()
        return str(members(answer)["access_token"]) if answer.status == 200 else None


def redeem_all(site: Site, codes: Sequence[str], statuses: Counter[int], done: Semaphore) -> list[str | None]:
    """Redeem codes, one after the other."""
    return [redeemed(site, code, statuses, done) for code in codes]


def test_a_code_that_was_redeemed_stays_so_and_its_tokens_are_good(durable: Engine) -> None:
    opening = partial(RedisStorage.from_url, durable.url)
    codes, _ = prepare(opening, 300)
    statuses: Counter[int] = Counter()
    done = Semaphore(0)

    with ThreadPoolExecutor(THREADS) as pool:
        shares = [(site_on(opening, number + 1), codes[number::THREADS]) for number in range(THREADS)]
        jobs = [pool.submit(redeem_all, site, share, statuses, done) for site, share in shares]
        kill_now_and_then(durable, done, between=50)
        tokens = [token for job in jobs for token in job.result(PATIENCE)]

    site = site_on(opening, 99)
    given = [token for token in tokens if token is not None]
    assert statuses.keys() == {200, 503} or statuses.keys() == {200, 400, 503}
    # A client whose answer was lost with the connection finds its code used: one for each thread and kill at most.
    assert len(given) >= 300 - THREADS * KILLS
    assert all(site.is_active(token) for token in given)
    assert {site.redeem(code).status for code in codes} == {400}


def test_the_reference_server_answers_503_meanwhile_and_is_well_again_by_itself(durable: Engine, folder: Path) -> None:
    installation = installation_on(folder / "as", durable.url)
    app = installation.ask("client", "add", "app", "--grant-type", "client_credentials")
    form, secret = {"grant_type": "client_credentials"}, ("app", app["client_secret"])

    with installation.serving() as server, httpx.Client(base_url=server.url, trust_env=False) as flow:
        before = flow.post("/token", data=form, auth=secret).status_code
        durable.kill()
        meanwhile = {flow.post("/token", data=form, auth=secret).status_code for _ in range(5)}
        ready = flow.get("/readyz").status_code
        durable.start()
        after = [flow.post("/token", data=form, auth=secret).status_code for _ in range(5)]

    assert (before, meanwhile, ready) == (200, {503}, 503)
    # Each pooled connection may have to be found dead, but the server's own look at them finds them first.
    assert after == [200] * 5
