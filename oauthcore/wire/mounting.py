"""Mounting: which part of the issuer's paths an application sees when it is itself below a prefix.

Requests have the paths of the issuer (RFC 8414 section 2). An application that is mounted at a prefix, or behind a
proxy that strips one, sees only the rest of them. Hosts pass the prefix beside the path (`SCRIPT_NAME` in PEP 3333,
`root_path` in ASGI), and routers match the path without it. So endpoints are routed by every possible rest, and found
by the whole path of the request.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from oauthcore.errors import ConfigurationError


def check_prefix(prefix: str, paths: Collection[str]) -> str:
    """Return a prefix that all endpoints have, without a slash at its end; blank for none.

    Raises `ConfigurationError` if they don't have it: no request could reach an endpoint.
    """
    prefix = prefix.rstrip("/")
    if prefix and not all(path.startswith(prefix + "/") for path in paths):
        remedy = "use what the issuer's path begins with and the application doesn't see, such as /api"
        raise ConfigurationError("prefix", prefix, remedy)
    return prefix


def prefixes_of(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the prefixes that an application with these endpoints may live at, the blank one first."""
    folders = [path.split("/")[:-1] for path in paths]
    shared: list[str] = []
    for parts in zip(*folders, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return tuple("/".join(shared[:length]) for length in range(1, len(shared) + 1)) or ("",)


def seen_below(prefixes: Iterable[str], paths: Iterable[str]) -> tuple[str, ...]:
    """Return the paths at which an application below one of the prefixes is called, each once, the whole ones first."""
    whole = tuple(paths)
    rests = (path.removeprefix(prefix) for prefix in prefixes for path in whole if path.startswith(prefix + "/"))
    return tuple(dict.fromkeys(rests))


def whole_paths(seen: str, root: str, prefix: str) -> Iterator[str]:
    """Return the paths that a client may have sent, the likeliest first.

    `seen` is the path that the application got, `root` the prefix from its host, which some hosts leave in front of the
    path and others don't, and `prefix` the one that the operator has set.
    """
    yield seen
    if root:
        yield root + seen
    if prefix:
        yield prefix + seen
        if root:
            yield prefix + root + seen


def below(path: str, root: str) -> str:
    """Return a path without the prefix that its host has put in front of it, for the metadata at the host's root.

    Some hosts put their configured prefix in front of every path (`uvicorn --root-path`, `FORCE_SCRIPT_NAME`), but the
    metadata of an issuer with a path is not below that path (RFC 8414 section 3.1).
    """
    return path.removeprefix(root) if root else path
