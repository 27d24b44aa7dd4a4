"""A registration is recorded without what it opens: the client's secret, its tokens, and the token that let it in."""

from __future__ import annotations

import hashlib

from oauthcore.trace import Trace, replay
from tests.core.registering import LOOPBACK, OPEN, change, configure, register, use
from tests.core.site import REDIRECT, Drive, make_site, members
from tests.core.trace.test_trace_of_tokens import listened


def test_no_trace_of_a_registration_holds_what_it_opens(drive: Drive) -> None:
    site = listened(make_site(drive, registration=OPEN))
    token = drive(site.server.clients.issue_initial_access_token(lifetime=60), site.world).reveal()

    registered = members(register(site, ("Authorization", f"Bearer {token}"), redirect_uris=[REDIRECT]))
    own = {"redirect_uris": [REDIRECT], "client_secret": registered["client_secret"]}
    changed = members(change(site, registered, **own))
    configure(site, "GET", changed)
    configure(site, "DELETE", registered)
    use(site, members(register(site, redirect_uris=[LOOPBACK])))

    secrets = [token, registered["client_secret"]]
    secrets += [answer["registration_access_token"] for answer in (registered, changed)]
    assert len(site.traces) > 5
    for trace in site.traces:
        text = trace.dump()
        assert not [secret for secret in secrets if secret in text], trace.request


def test_a_registration_is_decided_again_by_its_trace_alone(drive: Drive) -> None:
    site = listened(make_site(drive, registration=OPEN))
    metadata = {
        "redirect_uris": [REDIRECT],
        "client_name": "The application",
        "client_name#de": "Die Anwendung",
        "logo_uri": "https://client.example/logo.png",
        "initiate_login_uri": "https://client.example/start",
    }

    registered = members(register(site, **metadata))
    changed = members(change(site, registered, **metadata, client_secret=registered["client_secret"]))
    configure(site, "GET", changed)
    configure(site, "DELETE", changed)

    assert len(site.traces) == 4
    for trace in site.traces:
        assert replay(Trace.load(trace.dump())).differences == ()


def test_a_trace_keeps_what_a_client_publishes_of_itself_and_what_a_query_opens_it_does_not(drive: Drive) -> None:
    site = listened(make_site(drive, registration=OPEN))
    secret = "s3cr3t-of-the-applications-own"

    register(site, redirect_uris=[REDIRECT], initiate_login_uri=f"https://client.example/start?key={secret}")

    text = site.traces[0].dump()
    assert "https://client.example/start?key=" in text
    assert secret not in text


def test_an_identifier_that_was_drawn_with_a_hyphen_is_decided_again(drive: Drive) -> None:
    draws = iter(range(256))

    def entropy(size: int) -> bytes:
        """Draw what is spelled with two hyphens at the beginning, and differs each time."""
        return b"\xfb\xef" + hashlib.sha256(bytes([next(draws)])).digest()[: size - 2]

    site = listened(make_site(drive, registration=OPEN, entropy=entropy))

    registered = members(register(site, redirect_uris=[REDIRECT]))

    assert not registered["client_id"].startswith("-")
    assert [replay(Trace.load(trace.dump())).differences for trace in site.traces] == [()]
