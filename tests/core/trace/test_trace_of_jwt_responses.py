"""Responses that are JWTs (JARM) are recorded without the code in them, and are decided again by their traces alone."""

from __future__ import annotations

from oauthcore.signing.keys import GivenKeys
from oauthcore.trace import Trace, replay
from tests.core.authorization.test_jwt_response import sent
from tests.core.signing_keys import key_for
from tests.core.site import Drive, make_site
from tests.core.trace.test_trace_of_tokens import listened


def test_no_trace_of_a_signed_response_holds_what_is_in_it(drive: Drive) -> None:
    site = listened(make_site(drive, keys=GivenKeys([key_for("RS256")])))

    texts = [
        sent(site.approve(site.authorize(None, response_mode=mode)))[1]["response"] for mode in ("jwt", "form_post.jwt")
    ]
    _ = site.authorize(None, response_mode="jwt", scope="root")

    for trace in site.traces:
        written = trace.dump()
        # The signature, and what is signed, which has the code.
        assert not [part for text in texts for part in text.split(".")[1:] if part in written], trace.request
        assert replay(Trace.load(written)).differences == ()
