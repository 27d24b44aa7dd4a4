"""Nothing is found where nothing is wrong."""

from __future__ import annotations

import pytest

from oauthcore_doctor import CHECKS, Probe, Target, troubles
from tests.doctor.deployments import good

KINDS = ("root, openid, mcp", "path, no openid, mcp", "demo", "demo --mcp")


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_server_has_no_error_and_no_warning(kind: str) -> None:
    report = good(kind).examine()

    found = [(finding.check.id, finding.text) for finding in report.findings if finding.check.severity.value != "note"]
    assert found == []


@pytest.mark.parametrize("kind", ["root, openid, mcp", "path, no openid, mcp"])
def test_no_client_that_is_known_fails_at_a_good_server(kind: str) -> None:
    names = {trouble.name for trouble in troubles(good(kind).examine().observations)}

    # MSAL is for Entra, whose issuers all have a path.
    assert names == ({"MSAL for Python"} if kind.startswith("root") else set())


def test_a_server_without_registration_is_noted_to_be_one() -> None:
    assert [finding.check.id for finding in good("demo").examine().findings] == ["registration"]


def test_a_resource_alone_names_its_server() -> None:
    deployment = good("path, no openid, mcp")

    report = deployment.examine(Target(resource=deployment.resource))

    assert report.observations.issuer == deployment.issuer


def test_each_check_has_a_name_of_its_own() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)


def test_nothing_is_posted_to_the_registration_endpoint() -> None:
    exchanges = good("demo --mcp").examine().observations.exchanges

    sent = {exchange.request.method for exchange in exchanges.values() if "register" in exchange.request.url}
    assert Probe.PREFLIGHT_REGISTRATION in exchanges
    assert sent == {"GET", "OPTIONS"}
