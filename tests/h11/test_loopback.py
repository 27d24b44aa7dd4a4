"""Loopback: which hosts may be listened on, and which ports can."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import pytest

from oauthcore import ConfigurationError
from oauthcore_h11 import loopback
from oauthcore_h11.loopback import listen, loopback_addresses, port_of


@pytest.fixture
def taken() -> Iterator[int]:
    """Return a port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield port_of(other)


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("localhost", ("127.0.0.1", "::1")),
        ("LocalHost", ("127.0.0.1", "::1")),
        ("127.0.0.1", ("127.0.0.1",)),
        ("127.9.8.7", ("127.9.8.7",)),
        ("::1", ("::1",)),
        ("[::1]", ("::1",)),
    ],
)
def test_loopback_host_is_taken(host: str, addresses: tuple[str, ...]) -> None:
    assert loopback_addresses(host) == addresses


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.1", "example.com", "localhost.example", "", "::ffff:127.0.0.1"]
)
def test_host_that_others_could_reach_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationError, match="loopback only") as caught:
        loopback_addresses(host)

    assert (caught.value.setting, caught.value.value) == ("--host", host)


@pytest.mark.parametrize("port", [-1, 65_536])
def test_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(ConfigurationError, match=r"--port = .* from 1 to 65535"):
        listen("localhost", port)


def test_port_0_is_one_port_for_every_family() -> None:
    sockets = listen("localhost", 0)
    ports = {port_of(opened) for opened in sockets}
    for opened in sockets:
        opened.close()

    assert len(ports) == 1
    assert ports != {0}


def test_port_in_use_is_refused_with_a_remedy(taken: int) -> None:
    with pytest.raises(ConfigurationError, match=f"--port = {taken}: it is in use; choose another"):
        listen("127.0.0.1", taken)


def test_port_in_use_in_one_family_is_in_use(taken: int) -> None:
    with pytest.raises(ConfigurationError, match="in use"):
        listen("localhost", taken)


class Machine:
    """Stand in for the machine's sockets: fail for an address as often as told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, failures: dict[str, list[int]]) -> None:
        self.opened: list[socket.socket] = []
        self._failures = failures
        monkeypatch.setattr(loopback, "_listen_on", self._listen_on)

    def _listen_on(self, address: str, port: int) -> socket.socket:
        if self._failures.get(address):
            raise OSError(self._failures[address].pop(0), "as the test says")
        self.opened.append(socket.create_server(("127.0.0.1", 0)))
        return self.opened[-1]


def test_machine_without_ipv6_listens_on_ipv4_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, {"::1": [errno.EADDRNOTAVAIL]})

    (only,) = listen("localhost", 0)

    with only:
        assert port_of(only)


def test_free_port_that_is_taken_in_the_other_family_is_given_up_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, {"::1": [errno.EADDRINUSE]})

    sockets = listen("localhost", 0)

    given_up, *kept = machine.opened
    assert given_up.fileno() == -1
    assert sockets == kept
    for opened in kept:
        opened.close()


@pytest.mark.parametrize(
    ("number", "setting", "remedy"),
    [
        (errno.EACCES, "--port", "choose one above 1023"),
        (errno.EADDRNOTAVAIL, "--host", "this machine can't listen there"),
    ],
)
def test_failure_to_listen_names_the_setting_and_a_remedy(
    monkeypatch: pytest.MonkeyPatch, number: int, setting: str, remedy: str
) -> None:
    Machine(monkeypatch, {"::1": [number]})

    with pytest.raises(ConfigurationError, match=remedy) as caught:
        listen("::1", 80)

    assert caught.value.setting == setting
