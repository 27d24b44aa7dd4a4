"""What clients ask of users who are elsewhere is recorded without secrets, and is decided again by its traces alone."""

from __future__ import annotations

import inspect
import re

import pytest

from oauthcore import AuthorizationServer, Client
from oauthcore.jose.compact import read_claims, read_signed
from oauthcore.records.backchannel import BackchannelRequest
from oauthcore.trace import Trace, replay
from tests.core.ciba.till import PINGED, SIGNING, TILL, TOKEN, Till
from tests.core.site import Drive, members
from tests.core.trace.test_trace import Traced
from tests.core.trace.test_trace_of_tokens import listened

HINT = "alice@wonderland.example"


def traced(till: Till) -> Traced:
    """Have a till's site recorded."""
    site = listened(till.site)
    till.site = site
    return site


def lives(till: Till) -> list[str]:
    """Ask, poll, and get tokens; be denied once; return what opens something."""
    identifier = till.begin(binding_message="W4SCT")
    till.poll(identifier)
    till.poll(identifier)
    till.allow()
    tokens = members(till.poll(identifier))
    till.poll(identifier)
    denied = till.begin()
    till.deny()
    till.poll(denied)
    till.request(scope="email")
    return [TOKEN, identifier, denied, tokens["access_token"]]


@pytest.mark.parametrize("client", [TILL, PINGED])
def test_no_trace_of_a_backchannel_request_holds_what_it_opens(drive: Drive, client: Client) -> None:
    till = Till(drive, client)
    site = traced(till)

    secrets = lives(till)

    assert len(site.traces) == 8
    for trace in site.traces:
        text = trace.dump()
        assert not [secret for secret in secrets if secret in text], trace.request
        assert trace.request["target"] == "/token" or HINT not in text


@pytest.mark.parametrize("client", [TILL, PINGED])
def test_a_backchannel_request_is_decided_again_by_its_traces_alone(drive: Drive, client: Client) -> None:
    till = Till(drive, client)
    site = traced(till)

    lives(till)

    for trace in site.traces:
        assert replay(Trace.load(trace.dump())).differences == ()


def test_what_a_client_in_ping_mode_is_notified_with_has_a_placeholder(drive: Drive) -> None:
    till = Till(drive, PINGED)
    site = traced(till)

    till.begin()

    (stored,) = site.world.storage.find_of(BackchannelRequest, "alice")
    assert stored.notification is not None
    assert stored.notification not in site.traces[0].dump()
    assert [purpose for purpose, _ in site.traces[0].sealed] == ["notification"]


def test_a_hint_in_a_signed_request_is_masked_though_the_user_has_a_claim_like_it(drive: Drive) -> None:
    till = Till(drive, SIGNING)
    site = traced(till)

    answer = till.post("/bc-authorize", request=till.signed())

    assert answer.status == 200
    text = site.traces[0].dump()
    assert any(isinstance(step.effect, dict) and "Claims" in str(step.effect) for step in site.traces[0].steps)
    (sent,) = re.findall("request=([^&]*)", str(site.traces[0].request["body"]))
    assert HINT not in str(read_claims(read_signed(sent).payload))
    assert HINT not in text
    assert replay(Trace.load(text)).differences == ()


def test_a_trace_brings_every_setting_of_a_server_but_secrets_functions_and_keys() -> None:
    """A setting that is left out has its default in a replay, which then comes to another decision."""
    parameters = set(inspect.signature(AuthorizationServer.__init__).parameters) - {"self"}

    brought = set(Till().site.server._settings())

    # Clock, entropy, digests and signatures are recorded as they were used, and code is handed to the replay.
    recorded = {"clock", "entropy", "token_key", "keys", "extra_claims"}
    code = {"grants", "endpoints", "error_page", "client_authentication", "authorization_details"}
    assert parameters - brought == recorded | code
