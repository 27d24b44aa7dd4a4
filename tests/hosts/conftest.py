"""Every host in turn, started once, and every server in it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import attrs
import pytest
import trustme

from tests.hosts.hosts import BARE, FRAMEWORKS, Host
from tests.hosts.tls_proxy import tls_proxy
from tests.hosts.visitor import ExampleVisitor, Visitor


@attrs.define
class Farm:
    """Run one host at a time: whoever asks for another ends it."""

    factory: pytest.TempPathFactory
    running: Host | None = None
    port: int = 0
    ending: ExitStack = attrs.Factory(ExitStack)

    def run(self, host: Host) -> int:
        """Have a host run; give its port."""
        if self.running is not host:
            self.ending.close()
            self.running = None
            place: Path = self.factory.mktemp(host.name)
            self.port = self.ending.enter_context(host.serving(place))
            self.running = host
        return self.port


@pytest.fixture(scope="session")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """Return what runs hosts."""
    farm = Farm(tmp_path_factory)
    yield farm
    farm.ending.close()


# Where the whole behaviour is shown, beside the h11 server.
BESIDE = {("uvicorn", ""), ("gunicorn", "")}
EVERYWHERE = [(host, prefix) for host in (*BARE, *FRAMEWORKS) for prefix in host.prefixes]
WHOLE = [(host, prefix) for host, prefix in EVERYWHERE if host.name == "h11" or (host.name, prefix) in BESIDE]
ONCE = [(host, prefix) for host, prefix in EVERYWHERE if (host, prefix) in WHOLE or prefix == host.prefixes[0]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Say on which hosts a test is run, by its mark."""
    if "target" in metafunc.fixturenames:
        marks = {mark.name for mark in metafunc.definition.iter_markers()}
        targets = EVERYWHERE if "every_prefix" in marks else ONCE if "every_host" in marks else WHOLE
        ids = [f"{host.name}{prefix or '/'}" for host, prefix in targets]
        metafunc.parametrize("target", targets, ids=ids, indirect=True, scope="session")


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest, farm: Farm) -> Iterator[tuple[Host, str, str, ssl.SSLContext | None]]:
    """Return a server in a host that runs: behind a proxy that ends TLS, if it is the one that is meant to be."""
    host, prefix = request.param
    port = farm.run(host)
    if prefix != "/tls":
        yield host, f"http://127.0.0.1:{port}", prefix, None
        return
    authority = trustme.CA()
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    with tls_proxy(authority, port) as secure:
        yield host, f"https://127.0.0.1:{secure}", prefix, trust


@pytest.fixture
def visitor(target: tuple[Host, str, str, ssl.SSLContext | None]) -> Iterator[Visitor]:
    """Return a browser that has not been there before."""
    host, base, prefix, trust = target
    kind = ExampleVisitor if host in FRAMEWORKS else Visitor
    with kind(base, prefix, trust) as fresh:
        yield fresh
