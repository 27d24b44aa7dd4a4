"""Durability: whether the server's configuration keeps acknowledged commits, checked when a host starts.

A redeemed code must stay redeemed. Redis by default keeps records in memory and in a snapshot of some minutes ago; what
a crash loses could be redeemed again, or would no longer be revoked. So each setting that may lose something is
reported, with its value and the remedy; the operator decides whether it matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from redis.exceptions import ResponseError

from oauthcore.clock import Clock
from oauthcore.flow.storage import DurabilityWarning
from oauthcore_redis.commands import Command, CommandFlow

# What INFO does not tell.
SETTINGS = ("appendfsync", "no-appendfsync-on-rewrite", "min-replicas-to-write")


@attrs.frozen
class ServerStatus:
    """Hold what a server tells of itself; what it does not tell is not in there."""

    info: Mapping[str, str]
    settings: Mapping[str, str]
    ahead: float
    """For how many seconds its clock is ahead of the host's."""


def check_durability(linger: int, clock: Clock, replicas: int = 0) -> CommandFlow[tuple[DurabilityWarning, ...]]:
    """Ask the server about itself; what it does not let this user ask is a concern, not an error."""
    info = read_info((yield from allowed(Command((b"INFO",), is_safe=True))))
    settings: dict[str, str] = {}
    for name in SETTINGS:
        settings |= read_pairs((yield from allowed(Command((b"CONFIG", b"GET", name.encode()), is_safe=True))))
    before = clock()
    seconds, microseconds = yield Command((b"TIME",), is_safe=True)
    ahead = int(seconds) + int(microseconds) / 1e6 - (before + clock()) / 2
    found = durability_warnings(ServerStatus(info, settings, ahead), linger, replicas)
    return tuple(warning for warning in found if warning is not None)


def allowed(command: Command) -> CommandFlow[Any]:
    """Ask, and be content with nothing where the server does not answer that, or not to this user."""
    try:
        return (yield command)
    except ResponseError:
        return None


def durability_warnings(found: ServerStatus, linger: int, replicas: int) -> tuple[DurabilityWarning | None, ...]:
    """Return what there is to say of a server, where commits wait for so many replicas."""
    return (
        appendonly(found.info),
        appendfsync(found.info, found.settings),
        rewriting(found.info, found.settings),
        eviction(found.info),
        role(found.info),
        cut_off(found.info, found.settings),
        failover(found.info, replicas),
        clocks(found.ahead, linger),
    )


def appendonly(info: Mapping[str, str]) -> DurabilityWarning | None:
    """Say that without the append-only file a restart goes back to the last snapshot."""
    if info.get("aof_enabled") == "1":
        return None
    value = "not to be seen by this user" if "aof_enabled" not in info else "no"
    return DurabilityWarning(
        "appendonly", value, "set it to yes, or what was committed since the last snapshot ends with the server"
    )


def appendfsync(info: Mapping[str, str], settings: Mapping[str, str]) -> DurabilityWarning | None:
    """Say that a file that is not synchronised at every commit loses the last ones with the machine."""
    value = settings.get("appendfsync", "not to be seen by this user")
    if value == "always" or info.get("aof_enabled") == "0":
        return None
    return DurabilityWarning(
        "appendfsync", value, "set it to always, or the last second's commits end with the machine"
    )


def rewriting(info: Mapping[str, str], settings: Mapping[str, str]) -> DurabilityWarning | None:
    """Say that the file may go unsynchronised while it is rewritten."""
    if settings.get("no-appendfsync-on-rewrite") != "yes" or info.get("aof_enabled") == "0":
        return None
    remedy = "set it to no, or commits are not on the disk while the file is rewritten"
    return DurabilityWarning("no-appendfsync-on-rewrite", "yes", remedy)


def eviction(info: Mapping[str, str]) -> DurabilityWarning | None:
    """Say that a full server may throw records away, and with them the memory of what was used and revoked."""
    policy = info.get("maxmemory_policy", "not to be seen by this user")
    if policy == "noeviction" or info.get("maxmemory") == "0":
        return None
    return DurabilityWarning("maxmemory-policy", policy, "set it to noeviction, or a full memory throws records away")


def role(info: Mapping[str, str]) -> DurabilityWarning | None:
    """Say that a replica takes no commits."""
    if info.get("role", "master") == "master":
        return None
    return DurabilityWarning(
        "role", info["role"], "name the primary, as a replica takes no commits and its finds are late"
    )


def cut_off(info: Mapping[str, str], settings: Mapping[str, str]) -> DurabilityWarning | None:
    """Warn that a primary with replicas may keep acknowledging commits that no replica has."""
    if info.get("connected_slaves", "0") == "0" or settings.get("min-replicas-to-write", "0") != "0":
        return None
    remedy = "set it to 1 or more, or a primary that is cut off acknowledges commits that its successor has never seen"
    return DurabilityWarning("min-replicas-to-write", "0", remedy)


def failover(info: Mapping[str, str], replicas: int) -> DurabilityWarning | None:
    """Say that a replica may take the primary's place without having all that was acknowledged."""
    if info.get("connected_slaves", "0") == "0" or replicas:
        return None
    how = "let sentinels watch over it instead of a cluster, where no commit waits for a replica, and set it to 1"
    remedy = how if info.get("cluster_enabled") == "1" else "set it to 1 in the URL"
    lost = "or the commits of the last moment end where a replica takes the primary's place"
    return DurabilityWarning("replicas", "0", f"{remedy}, {lost}")


def clocks(ahead: float, linger: int) -> DurabilityWarning | None:
    """Say that a server whose clock is ahead forgets early; `linger` is for small differences."""
    if ahead < linger / 2:
        return None
    return DurabilityWarning(
        "clock", f"{ahead:.0f} seconds ahead", "set it right, or records are forgotten before they expire"
    )


def read_info(reply: Any) -> dict[str, str]:
    """Return INFO's lines by name; in a cluster redis-py has read them already."""
    if isinstance(reply, dict):
        return {text_of(name): text_of(value) for name, value in reply.items()}
    lines = (reply or b"").decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))


def read_pairs(reply: Any) -> dict[str, str]:
    """Return CONFIG GET's answer by name; it is a list in RESP2, and a map in RESP3 and where redis-py has read it."""
    pairs = reply.items() if isinstance(reply, dict) else zip((reply or ())[::2], (reply or ())[1::2], strict=True)
    return {text_of(name): text_of(value) for name, value in pairs}


def text_of(value: object) -> str:
    """Return a value as text."""
    return value.decode() if isinstance(value, bytes) else str(value)
