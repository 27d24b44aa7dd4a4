"""Pushed requests are recorded without the URIs that they are used by, and are decided again by their traces alone."""

from __future__ import annotations

from oauthcore.trace import Trace, replay
from tests.core.pushed.pushing import REQUEST_URI, push, pushed, pushing_site, use
from tests.core.site import Drive, Site
from tests.core.trace.test_trace_of_tokens import listened


def pushes(site: Site) -> list[str]:
    """Push and use requests, rightly and wrongly; return what opens something."""
    request_uri = pushed(site)
    other = pushed(site, state="another-state-of-the-client")
    site.approve(use(site, request_uri))
    use(site, request_uri)
    use(site, other, site.alice)
    push(site, redirect_uri="https://evil.example/cb")
    push(site, "public")
    return [uri.removeprefix(REQUEST_URI) for uri in (request_uri, other)]


def test_no_trace_of_a_pushed_request_holds_the_uri_that_it_is_used_by(drive: Drive) -> None:
    site = listened(pushing_site(drive))

    secrets = pushes(site)

    assert len(site.traces) >= 8
    for trace in site.traces:
        text = trace.dump()
        assert not [secret for secret in secrets if secret in text], trace.request


def test_a_pushed_request_is_decided_again_by_its_traces_alone(drive: Drive) -> None:
    site = listened(pushing_site(drive))

    _ = pushes(site)

    for trace in site.traces:
        assert replay(Trace.load(trace.dump())).differences == ()
