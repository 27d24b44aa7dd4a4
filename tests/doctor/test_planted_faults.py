"""Each fault is found that is planted in a good server by one change."""

from __future__ import annotations

import pytest

from oauthcore_doctor import CHECKS
from tests.doctor.deployments import good
from tests.doctor.faults import FAULTS


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str) -> None:
    fault = FAULTS[name]
    kind = "path, no openid, mcp" if fault.path else "root, openid, mcp"

    report = fault.plant(good(kind)).examine()

    assert fault.check in {finding.check.id for finding in report.findings}


# Those of a client that is lent are in test_lent_client.py; these are in test_other_deployments.py.
ELSEWHERE = {"plain-http", "issuer-known", "no-answer", "discovery-appended", "resource-inserted"}


def test_each_check_has_a_fault_that_it_finds() -> None:
    planted = {fault.check for fault in FAULTS.values()}

    assert {check.id for check in CHECKS if not check.id.startswith("client-")} - planted == ELSEWHERE
