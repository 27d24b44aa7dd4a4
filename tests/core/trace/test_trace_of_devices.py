"""A device's requests are recorded without the codes that they open, and are decided again by their traces alone."""

from __future__ import annotations

from oauthcore.trace import Trace, replay
from tests.core.devices.device_site import approve, begun, deny, device_site, poll
from tests.core.site import Drive, Site, members
from tests.core.trace.test_trace_of_tokens import listened


def lived(site: Site) -> list[str]:
    """Let two devices be answered; return what opens something."""
    codes = begun(site)
    poll(site, codes["device_code"])
    poll(site, codes["device_code"])
    approve(site, codes)
    tokens = members(poll(site, codes["device_code"]))
    poll(site, codes["device_code"])
    refused = begun(site)
    deny(site, refused)
    poll(site, refused["device_code"])
    secrets = [value for name in ("device_code", "user_code") for value in (codes[name], refused[name])]
    return [*secrets, *(code.replace("-", "") for code in secrets), tokens["access_token"], tokens["refresh_token"]]


def test_no_trace_of_a_device_holds_what_it_opens(drive: Drive) -> None:
    site = listened(device_site(drive))

    secrets = lived(site)

    assert len(site.traces) == 7
    for trace in site.traces:
        text = trace.dump()
        assert not [secret for secret in secrets if secret in text], trace.request


def test_a_device_is_decided_again_by_its_traces_alone(drive: Drive) -> None:
    site = listened(device_site(drive))

    lived(site)

    for trace in site.traces:
        assert replay(Trace.load(trace.dump())).differences == ()
