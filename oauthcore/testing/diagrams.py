"""Diagrams of the lifecycles, generated from their tables by `python -m oauthcore.testing.diagrams`."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from oauthcore.records.lifecycle import (
    BACKCHANNEL,
    CODE,
    DEVICE,
    GRANT,
    INTERACTION,
    KEY,
    PUSHED_REQUEST,
    REFRESH,
    SESSION,
)

_HEAD = """# Lifecycles

Generated from the tables in `oauthcore/records/lifecycle.py` by `python -m oauthcore.testing.diagrams`; a test
compares them. What is not drawn is refused. Each change of state is one `Replace` in one commit, so two requests that
meet can't both make it.
"""

Rows = Sequence[tuple[tuple[Enum, Enum], Enum]]

_TABLES: tuple[tuple[str, str, Rows], ...] = (
    (
        "Authorization code",
        "A second redemption is not in the table: it is a replay, and revokes the grant.",
        tuple(CODE.items()),
    ),
    (
        "Refresh token",
        "Told from the grant, which knows its newest refresh token. Presenting a spent token is reuse, and revokes the "
        "grant.",
        tuple(REFRESH.items()),
    ),
    (
        "Grant",
        "Whatever was issued on a grant is live only while the grant is active and within its lifetime.",
        tuple(GRANT.items()),
    ),
    (
        "Interaction",
        "An authorization request that waits for a person. A completed one is over for good.",
        tuple(INTERACTION.items()),
    ),
    (
        "Pushed request",
        "An authorization request that its client has pushed (RFC 9126). Interactions that were started with it "
        "compete: the first one that is answered spends it.",
        tuple(PUSHED_REQUEST.items()),
    ),
    (
        "Device authorization",
        "A request of a device that waits for its user (RFC 8628). A second redemption is not in the table: it is a "
        "replay, and revokes the grant.",
        tuple(DEVICE.items()),
    ),
    (
        "Backchannel authentication request",
        "A request of a client whose user is elsewhere (CIBA). The first answer counts, and tokens are issued once.",
        tuple(BACKCHANNEL.items()),
    ),
    (
        "Login session",
        "What is bound to a session ends with it: grants without `offline_access`, in the same commit, unless "
        "`Allowance.GRANTS_OUTLIVE_SESSION` says otherwise.",
        tuple(SESSION.items()),
    ),
    (
        "Signing key",
        "All of them are in one record, so that a rotation is one change. The first key of an algorithm is activated "
        "at once, for want of another; the next one when all workers and clients have had the time to see it.",
        tuple(KEY.items()),
    ),
)


def document() -> str:
    """Return the whole page."""
    return _HEAD + "".join(f"\n## {title}\n\n{text}\n\n{diagram(rows)}" for title, text, rows in _TABLES)


def diagram(rows: Rows) -> str:
    """Return one table as a Mermaid state diagram."""
    first = rows[0][0][0]
    lines = [f"    [*] --> {first.value}"]
    lines += [f"    {state.value} --> {target.value}: {event.value}" for (state, event), target in rows]
    return "```mermaid\nstateDiagram-v2\n" + "\n".join(lines) + "\n```\n"


if __name__ == "__main__":
    print(document(), end="")
