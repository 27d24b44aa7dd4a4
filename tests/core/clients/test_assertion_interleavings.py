"""Two or three requests with one assertion, in every order that they can meet in: exactly one is answered."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from oauthcore import Request, Response
from oauthcore.flow.effects import Flow
from oauthcore.testing import Exploration, Factory, Run, interleave
from tests.core.clients.asserting import REDIRECT, asserting_site, assertion, body, mac
from tests.core.scene import SetInMemory
from tests.core.site import FORM, VERIFIER, Site, members

Record = Callable[[str, object], None]


def sent(site: Site, text: str, path: str, **values: str) -> Flow[Response]:
    """Return the flow that answers a request with an assertion."""
    return site.server.handle(Request("POST", path, (FORM,), body(text, **values)))


def explored(record: Record, kept: Factory, text: str, *paths: str, redeeming: bool = False) -> Exploration:
    """Let requests with one assertion meet: one is answered, the others are told that it was used before."""

    def begin(drive: Callable[[Flow[Any]], Any]) -> list[Flow[Response]]:
        scene = SetInMemory()
        site = asserting_site(scene.drive)
        values = {"token": "unknown"}
        if redeeming:
            code = site.code(client_id="keyed", redirect_uri=REDIRECT)
            values = {"grant_type": "authorization_code", "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
            values["code"] = code
        scene.move(drive)
        return [sent(site, text, path, **values) for path in paths]

    def check(run: Run[Response]) -> None:
        assert sorted(response.status for response in run.results) == [200] + [401] * (len(paths) - 1)
        refused = [response for response in run.results if response.status == 401]
        assert all(members(response)["error"] == "invalid_client" for response in refused)
        assert all(r.refusal is not None and "used before" in r.refusal.reason for r in refused)

    flows = [partial(_numbered, number) for number in range(len(paths))]
    result = interleave(*flows, prepare=begin, check=check, storage=kept)
    record("schedules", f"{result.schedules} schedules, standing for {result.orders} orders of steps")
    assert result.schedules > 1
    return result


def _numbered(number: int, prepared: list[Flow[Response]]) -> Flow[Response]:
    return prepared[number]


@pytest.mark.parametrize("text", [assertion(), mac()], ids=["private_key_jwt", "client_secret_jwt"])
@pytest.mark.parametrize("second", ["/token", "/introspect", "/revoke"])
@pytest.mark.parametrize("first", ["/token", "/introspect", "/revoke"])
def test_two_requests_with_one_assertion_are_answered_once(
    record_property: Record, kept: Factory, first: str, second: str, text: str
) -> None:
    explored(record_property, kept, text, first, second)


def test_three_requests_with_one_assertion_are_answered_once(record_property: Record, kept: Factory) -> None:
    explored(record_property, kept, assertion(), "/token", "/introspect", "/revoke")


def test_a_code_that_is_sent_twice_with_one_assertion_is_no_replay(record_property: Record, kept: Factory) -> None:
    """Who copied the whole request can't have the grant revoked: without a new assertion they are nobody."""
    explored(record_property, kept, assertion(), "/token", "/token", redeeming=True)
