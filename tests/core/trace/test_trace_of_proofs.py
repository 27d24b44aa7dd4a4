"""DPoP proofs are recorded without what they open something by, and are decided again by their traces alone."""

from __future__ import annotations

from oauthcore import Dpop, Request
from oauthcore.trace import Trace, replay
from tests.core.dpop.proving import ath, key, proof
from tests.core.dpop.test_userinfo import redemption
from tests.core.oidc.provider import SECRETS, provider
from tests.core.site import ISSUER, Drive, Site, basic, members
from tests.core.trace.test_trace import Traced
from tests.core.trace.test_trace_of_tokens import listened


def proves(site: Site) -> list[str]:
    """Prove, rightly and wrongly, at both endpoints; return what opens something, or is the hash of it."""
    refused = site.post("/token", redemption(site), basic("rp", SECRETS["rp"]), ("DPoP", proof(site.now)))
    nonce = refused.header("dpop-nonce")
    assert nonce is not None
    first = proof(site.now, nonce=nonce)
    token = members(site.post("/token", redemption(site), basic("rp", SECRETS["rp"]), ("DPoP", first)))["access_token"]
    secrets = [nonce, token, ath(token), first.rpartition(".")[2]]
    for claims in ({}, {"ath": ath("u" * 43)}, {"htm": "POST"}):
        known = {"htm": "GET", "htu": f"{ISSUER}/userinfo", "ath": ath(token), "nonce": nonce, **claims}
        shown = proof(site.now, **known)  # type: ignore[arg-type]  # claims
        site.handle(Request("GET", "/userinfo", (("DPoP", shown), ("Authorization", f"DPoP {token}"))))
        secrets.append(shown.rpartition(".")[2])
    wrong = proof(site.now, key(1), nonce=nonce, header={"jwk": key().members})
    assert site.post("/token", b"", ("DPoP", wrong)).status == 400
    return [*secrets, str(key().members["d"])]


def recorded(drive: Drive) -> Traced:
    """Return a provider that is recorded, and wants nonces."""
    return listened(provider(drive, dpop=Dpop(require_nonce=True)))


def test_no_trace_of_a_proof_holds_what_opens_something(drive: Drive) -> None:
    site = recorded(drive)

    secrets = proves(site)

    assert len(site.traces) >= 6
    for trace in site.traces:
        text = trace.dump()
        assert not [secret for secret in secrets if secret in text], trace.request


def test_a_proof_is_decided_again_by_its_traces_alone(drive: Drive) -> None:
    site = recorded(drive)

    _ = proves(site)

    statuses = [trace.response["status"] for trace in site.traces if trace.request["target"] == "/userinfo"]
    assert statuses == [200, 401, 401]
    for trace in site.traces:
        assert replay(Trace.load(trace.dump())).differences == ()
