"""Whatever the core's own tests ask a server, rightly and wrongly, can be recorded and is decided again as it was."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROOMS = ("oidc", "clients", "authorization", "grants", "endpoints", "pushed", "ciba", "dpop")
# The first tampers with its server's own context. The second's acr and amr get one stand-in in the grant and another in
# the answer: to be mended. The others have records, grants or a registration of their own, which no trace brings.
TAMPERING = (
    "test_a_server_without_openid_ignores_its_parameters_and_refuses_its_scope",
    "test_custom_grant",
    "test_a_password_that_was_changed",
    "test_token_terms",
    # How a body is broken that is no JSON is not kept, and the reason says where.
    "test_a_body_that_is_no_json_object_is_refused",
)
# Those that ask the same again and again, or what no two runs ask alike.
NOT_THESE = " and ".join(f"not {name}" for name in (*TAMPERING, "arun", "properties", "interleavings", "whatever"))


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.untraced
@pytest.mark.parametrize("room", ROOMS)
def test_every_decision_of_a_rooms_tests_is_come_to_again(room: str) -> None:
    plugins = [
        "-p",
        "tests.core.trace.replaying",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:cov",
        "-p",
        "no:xdist",
        "--hypothesis-seed=0",
    ]

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, "-k", NOT_THESE, f"tests/core/{room}"],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip

    assert run.returncode == 0, run.stdout[-4_000:]
    said = re.search(r"(\d+) decisions came out the same again", run.stdout)
    assert said is not None
    assert int(said[1]) > 100
    print(said[0])
