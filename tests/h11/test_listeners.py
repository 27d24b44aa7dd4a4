"""Listening: where the operator says, or one line that says why not."""

from __future__ import annotations

import resource
import socket
import stat
from pathlib import Path

import pytest

from oauthcore import ConfigurationError
from oauthcore_h11 import listeners
from oauthcore_h11.listeners import listen, raise_open_files, spelled


def close(sockets: list[socket.socket]) -> list[str]:
    places = [spelled(each) for each in sockets]
    for each in sockets:
        each.close()
    return places


def refused(*binds: str, folder: Path = Path()) -> str:
    with pytest.raises(ConfigurationError) as caught:
        listen(binds, folder)
    return str(caught.value)


def test_addresses_and_unix_sockets_are_listened_on(tmp_path: Path) -> None:
    places = close(listen(["127.0.0.1:0", "unix:a.sock"], tmp_path))

    assert places[0].startswith("127.0.0.1:")
    assert places[1] == f"unix:{tmp_path / 'a.sock'}"


def test_localhost_is_both_families_on_one_port() -> None:
    places = close(listen(["localhost:0"]))

    assert places[0].startswith("127.0.0.1:")
    assert [place for place in places[1:] if place != "[::1]:" + places[0].rpartition(":")[2]] == []


@pytest.mark.parametrize(
    "bind",
    [
        "8000",
        "127.0.0.1",
        "127.0.0.1:http",
        "127.0.0.1:70000",
        "::1:8000",
        "[127.0.0.1]:80",
        "host:80",
        "[::1:80",
        "unix:",
    ],
)
def test_place_that_can_not_be_read_is_named(bind: str) -> None:
    assert refused(bind).startswith(f"bind = {bind!r}: use an address and a port")


def test_port_in_use_is_named_and_nothing_else_is_left_listening(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"

        assert "it is in use" in refused("unix:a.sock", taken, folder=tmp_path)


def test_address_of_another_machine_is_named() -> None:
    assert "this machine can't listen there" in refused("192.0.2.1:0")


def test_port_that_somebody_else_has_on_the_other_family_is_no_half_of_localhost() -> None:
    try:
        other = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("there is no IPv6 here")
    with other:
        assert "it is in use" in refused(f"localhost:{other.getsockname()[1]}")


def test_machine_without_ipv6_listens_on_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    real = listeners.opened

    def opened(bind: str, host: str, port: int) -> socket.socket:
        return real(bind, "192.0.2.1" if host == "::1" else host, port)

    monkeypatch.setattr(listeners, "opened", opened)

    assert len(close(listen(["localhost:0"]))) == 1


@pytest.mark.parametrize("number", [13, 1])
def test_place_that_needs_privileges_is_named(number: int) -> None:
    assert "it needs privileges" in str(listeners.explained("127.0.0.1:80", OSError(number, "no")))


def test_unix_socket_is_for_its_owner_and_group(tmp_path: Path) -> None:
    sockets = listen(["unix:a.sock"], tmp_path)

    assert stat.S_IMODE((tmp_path / "a.sock").stat().st_mode) == 0o660
    close(sockets)


def test_unix_socket_of_a_server_that_is_no_more_is_replaced(tmp_path: Path) -> None:
    close(listen(["unix:a.sock"], tmp_path))

    assert close(listen(["unix:a.sock"], tmp_path)) == [f"unix:{tmp_path / 'a.sock'}"]


def test_unix_socket_of_a_server_that_answers_is_left_alone(tmp_path: Path) -> None:
    sockets = listen(["unix:a.sock"], tmp_path)

    assert "another server answers there" in refused("unix:a.sock", folder=tmp_path)
    close(sockets)


def test_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.sock").write_text("precious")

    assert "is not a socket" in refused("unix:a.sock", folder=tmp_path)
    assert (tmp_path / "a.sock").read_text() == "precious"


def test_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "this machine can't listen there (No such file" in refused("unix:nowhere/a.sock", folder=tmp_path)


def test_unix_socket_that_can_not_be_asked_is_named(tmp_path: Path) -> None:
    other = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    other.bind(str(tmp_path / "a.sock"))

    assert refused("unix:a.sock", folder=tmp_path).startswith("bind = ")
    other.close()


def test_as_many_files_may_be_open_as_the_system_allows() -> None:
    assert raise_open_files() == resource.getrlimit(resource.RLIMIT_NOFILE)[1]
