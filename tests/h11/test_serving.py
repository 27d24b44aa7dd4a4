"""A server as an operator runs it: started, asked, told to reload, told to end; and what it says meanwhile."""

from __future__ import annotations

import errno
import json
import os
import re
import resource
import signal
import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import pytest

from oauthcore.flow.outcome import Insert
from oauthcore_sqlite import SqliteStorage
from tests.h11 import gated
from tests.h11.installation import Installation, Running
from tests.pages.html import Page
from tests.processes import PATIENCE
from tests.sqlite.things import Thing

pytestmark = pytest.mark.slow


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """Return a folder for a server."""
    return Installation(tmp_path)


@pytest.fixture
def running(installation: Installation) -> Iterator[Running]:
    """Return a server with nothing but defaults."""
    installation.configure()
    with installation.serving() as served:
        yield served


def connected(running: Running) -> socket.socket:
    """Connect to a server, as bytes."""
    host, _, port = running.bind.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE)


def all_of(connection: socket.socket) -> bytes:
    """Read until the server closes."""
    received = b""
    while piece := connection.recv(65_536):
        received += piece
    return received


def until(running: Running, sentence: str, count: int = 1) -> str:
    """Wait until the log has a sentence."""
    while running.logged().count(sentence) < count:
        assert running.process.poll() is None, running.logged()
        httpx.get(running.url + "/healthz", trust_env=False)
    return running.logged()


def test_five_minute_tour_works_and_survives_a_restart(installation: Installation) -> None:
    """The commands of the README, in their order."""
    installation.configure()
    app = installation.ask(
        "client", "add", "my_app", "--redirect-uri", "https://app.example/cb", "--grant-type", "client_credentials"
    )
    installation.run("user", "add", "alice", said="wonderland\n")
    form = {"grant_type": "client_credentials"}

    with installation.serving() as first:
        token = httpx.post(first.url + "/token", data=form, auth=("my_app", app["client_secret"]), trust_env=False)
        first.tell(signal.SIGTERM)
        assert first.exit_status() == 0
    with installation.serving() as second:
        asked = {"token": token.json()["access_token"]}
        auth = ("my_app", app["client_secret"])
        known = httpx.post(second.url + "/introspect", data=asked, auth=auth, trust_env=False)

    assert known.json()["active"] is True


def test_health_readiness_and_metrics(running: Running) -> None:
    with httpx.Client(base_url=running.url, trust_env=False) as http:
        assert http.get("/healthz").text == "alive\n"
        assert http.get("/readyz").text == "ready\n"
        assert http.head("/healthz").headers["content-length"] == "6"
        http.get("/authorize?client_id=nobody")
        metrics = http.get("/metrics").text
        refused = http.post("/healthz")

    assert 'oauthcore_requests_total{endpoint="authorization",error="invalid_request",status="400"} 1.0' in metrics
    assert 'oauthcore_request_seconds_count{endpoint="authorization"} 1.0' in metrics
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


def test_storage_that_is_gone_is_not_ready(installation: Installation, running: Running) -> None:
    (installation.folder / "oauthcore.db").write_bytes(b"nonsense" * 4_096)

    response = httpx.get(running.url + "/readyz", trust_env=False)

    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert "the storage does not answer" in running.logged()


def test_a_file_that_was_removed_is_not_ready_and_nobody_is_told_that_it_is_committed(
    installation: Installation,
) -> None:
    installation.configure()
    app = installation.ask("client", "add", "app", "--grant-type", "client_credentials")
    with installation.serving() as running, httpx.Client(base_url=running.url, trust_env=False) as http:
        ask = partial(
            http.post, "/token", data={"grant_type": "client_credentials"}, auth=("app", app["client_secret"])
        )
        before = ask().status_code

        (installation.folder / "oauthcore.db").unlink()

        assert (before, ask().status_code) == (200, 503)
        assert http.get("/readyz").status_code == 503
        assert "oauthcore.db was removed or replaced while it was open" in running.logged()


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="there is no prlimit here")
def test_a_disk_that_is_full_is_not_ready(installation: Installation) -> None:
    """By a limit for the sizes of its files, which fails its writes as a full disk does."""
    installation.configure()
    app = installation.ask("client", "add", "app", "--grant-type", "client_credentials")
    with installation.serving() as running, httpx.Client(base_url=running.url, trust_env=False) as http:
        ask = partial(
            http.post, "/token", data={"grant_type": "client_credentials"}, auth=("app", app["client_secret"])
        )
        assert [ask().status_code for _ in range(5)] == [200] * 5
        size = (installation.folder / "oauthcore.db-wal").stat().st_size

        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        full = ask().status_code, http.get("/readyz").status_code
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

        assert full == (503, 503)
        assert http.get("/readyz").text == "ready\n"


def test_metrics_are_nothing_for_whoever_may_not_read_them(installation: Installation) -> None:
    installation.configure('[metrics]\nallowed_from = ["192.0.2.0/24"]')
    with installation.serving() as running:
        assert httpx.get(running.url + "/metrics", trust_env=False).status_code == 404


def with_expired(installation: Installation, *tables: str, count: int = 25) -> SqliteStorage:
    """Configure a server whose file has so many expired records in it, and one that stays."""
    installation.configure(*tables)
    storage = SqliteStorage(installation.folder / "oauthcore.db")
    storage.commit([*(Insert(Thing(str(number), expires_at=1)) for number in range(count)), Insert(Thing("stays"))])
    return storage


def metric(running: Running, name: str) -> float:
    """Return what a metric shows."""
    (line,) = re.findall(rf"^{name} (.*)$", httpx.get(running.url + "/metrics", trust_env=False).text, re.MULTILINE)
    return float(line)


def test_what_has_expired_is_removed_in_the_background_and_counted(installation: Installation) -> None:
    storage = with_expired(installation, "[purge]\nevery = 0.01\npause = 0.001\nbatch = 10")
    with installation.serving() as running:
        while metric(running, "oauthcore_purged_records_total") < 25:
            assert running.process.poll() is None
        assert storage.expired(2) == 0
        with closing(sqlite3.connect(installation.folder / "oauthcore.db")) as somebody:
            somebody.execute("DROP TABLE record")
        while metric(running, "oauthcore_failed_purges_total") < 2:
            assert running.process.poll() is None

        assert metric(running, "oauthcore_purged_records_total") == 25
        assert "purging failed" in running.logged()
        storage.close()


def test_nothing_is_removed_where_the_operator_wants_it_so(installation: Installation) -> None:
    storage = with_expired(installation, "[purge]\nenabled = false")
    with installation.serving() as running:
        assert httpx.get(running.url + "/readyz", trust_env=False).status_code == 200
        assert metric(running, "oauthcore_purged_records_total") == 0
        running.tell(signal.SIGTERM)
        assert running.exit_status() == 0

    assert storage.expired(2) == 25
    assert installation.ask("purge") == {"removed": 25}
    storage.close()


def test_a_server_that_is_to_end_leaves_the_rest_to_its_successor(installation: Installation) -> None:
    storage = with_expired(installation, "[purge]\npause = 3_600\nbatch = 10")
    with installation.serving() as running:
        while metric(running, "oauthcore_purged_records_total") < 10:
            assert running.process.poll() is None
        running.tell(signal.SIGTERM)
        assert running.exit_status() == 0

    assert storage.expired(2) == 15
    storage.close()


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/nothing", 404, None),
        ("BREW", "/token", 501, None),
        ("PUT", "/token", 405, "POST, OPTIONS"),
        ("DELETE", "/account", 405, "GET, HEAD, POST"),
        ("HEAD", "/login", 200, None),
    ],
)
def test_what_can_not_be_has_a_status_of_its_own(
    running: Running, method: str, path: str, status: int, allow: str | None
) -> None:
    response = httpx.request(method, running.url + path, trust_env=False)

    assert (response.status_code, response.headers.get("allow")) == (status, allow)


def test_root_leads_to_the_account(running: Running) -> None:
    assert httpx.get(running.url + "/", trust_env=False).headers["location"] == "/account"


def test_options_for_the_server_as_a_whole(running: Running) -> None:
    with connected(running) as connection:
        connection.sendall(b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")

        assert all_of(connection).startswith(b"HTTP/1.1 204 ")


def test_log_names_each_request_and_shows_no_secret(installation: Installation) -> None:
    installation.configure('[logs]\nformat = "json"')
    app = installation.ask("client", "add", "my_app", "--grant-type", "client_credentials")
    with installation.serving() as running, httpx.Client(base_url=running.url, trust_env=False) as http:
        asked = http.get("/authorize?client_id=nobody&state=hush")
        auth = ("my_app", app["client_secret"])
        granted = http.post("/token", data={"grant_type": "client_credentials"}, auth=auth)
        http.post("/token", data={"grant_type": "client_credentials"}, auth=("my_app", "hush"))
        lines = [json.loads(line) for line in running.logged().splitlines()]

    by_id = [line for line in lines if line.get("request_id") == asked.headers["x-request-id"]]
    (access,) = by_id
    assert (access["message"], access["status"], access["error"]) == ("GET /authorize", 400, "invalid_request")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", access["time"])
    audited = [line for line in lines if line["logger"] == "oauthcore.audit" and line["message"] == "token_issued"]
    assert [line["request_id"] for line in audited] == [granted.headers["x-request-id"]]
    for secret in ("hush", app["client_secret"], granted.json()["access_token"]):
        assert secret not in running.logged()


def opened(gate: Path, waiting: Future[httpx.Response]) -> int:
    """Open a named pipe for writing, once somebody reads it."""
    while not waiting.done():
        try:
            return os.open(gate, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:  # nobody reads it yet
                raise
    raise AssertionError(waiting.result(PATIENCE))


def test_ending_lets_what_runs_finish_and_refuses_what_is_new(installation: Installation) -> None:
    """A password is being checked when the signal comes, for as long as the test says; no other time runs out first."""
    installation.configure("[limits]\ndrain_time = 3_600\nidle_time = 3_600\nwrite_time = 3_600")
    installation.run("user", "add", "alice", said="wonderland\n")
    gate = installation.folder / "gate"
    os.mkfifo(gate)
    serving = installation.serving(environment={"GATE": str(gate)}, program=(str(Path(gated.__file__)),))
    with serving as running, connected(running) as idle, ThreadPoolExecutor(1) as pool:
        with httpx.Client(base_url=running.url, trust_env=False, timeout=PATIENCE) as http:
            form = {**Page.of(http.get("/login").text).form, "username": "alice", "password": "wonderland"}
            signing_in = pool.submit(http.post, "/login", data=form)
            checking = opened(gate, signing_in)

            running.tell(signal.SIGTERM)
            assert all_of(idle) == b""
            with pytest.raises(ConnectionError):
                connected(running)
            os.close(checking)
            answer = signing_in.result(PATIENCE)

        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
        assert answer.headers["connection"] == "close"
        assert running.exit_status() == 0


@pytest.mark.parametrize("arguments", [(), ("--workers", "2")], ids=["alone", "workers"])
def test_ending_refuses_what_is_new_before_anything_is_waited_for(
    installation: Installation, arguments: tuple[str, ...]
) -> None:
    """A purge waits for a database that another process has locked; no other waits for the purge."""
    with_expired(installation, "[purge]\nevery = 0.01").close()
    with installation.serving(*arguments) as running:
        until_it_answers(running)
        with closing(sqlite3.connect(installation.folder / "oauthcore.db", isolation_level=None)) as somebody:
            somebody.execute("BEGIN IMMEDIATE")
            until_it_answers(running)
            running.tell(signal.SIGTERM)
            while is_accepted(running):
                assert running.process.poll() is None
            assert "purging failed" not in running.logged()
        assert running.exit_status() == 0


def until_it_answers(running: Running) -> None:
    """Ask a few times, so that whatever runs in the background has had its turn."""
    for _ in range(20):
        assert httpx.get(running.url + "/healthz", trust_env=False, timeout=PATIENCE).status_code == 200


def is_accepted(running: Running) -> bool:
    """Return whether who connects now is let in, be it into a queue."""
    try:
        connected(running).close()
    except ConnectionError:
        return False
    return True


def test_reload_takes_a_new_client_and_drops_no_connection(installation: Installation) -> None:
    installation.configure()
    with installation.serving() as running, connected(running) as kept:
        client = '[[clients]]\nclient_id = "late"\nsecret = "late-secret"\ngrant_types = ["client_credentials"]\n'
        with installation.config.open("a") as file:
            file.write(client)
        form, auth = {"grant_type": "client_credentials"}, ("late", "late-secret")
        before = httpx.post(running.url + "/token", data=form, auth=auth, trust_env=False)

        running.tell(signal.SIGHUP)
        until(running, "reloaded")
        after = httpx.post(running.url + "/token", data=form, auth=auth, trust_env=False)
        kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")

        assert (before.status_code, after.status_code) == (401, 200)
        assert all_of(kept).endswith(b"alive\n")


def test_reload_takes_no_client_out_while_the_storage_can_not_forget_it(installation: Installation) -> None:
    """Put back before the storage returned it would be taken for the one that it was, with all that was given to it."""
    installation.configure('[[clients]]\nclient_id = "app"\nsecret = "s"\ngrant_types = ["client_credentials"]')
    with installation.serving() as running:
        text = installation.config.read_text()
        with closing(sqlite3.connect(installation.folder / "oauthcore.db", isolation_level=None)) as somebody:
            somebody.execute("BEGIN IMMEDIATE")
            installation.config.write_text(text.partition("[[clients]]\nclient_id")[0])
            running.tell(signal.SIGHUP)
            until(running, "not reloaded: ")
        form = {"grant_type": "client_credentials"}
        served = httpx.post(running.url + "/token", data=form, auth=("app", "s"), trust_env=False)
        running.tell(signal.SIGHUP)
        until(running, "INFO reloaded")
        gone = httpx.post(running.url + "/token", data=form, auth=("app", "s"), trust_env=False)

    assert (served.status_code, gone.status_code) == (200, 401)


def test_reload_of_a_configuration_that_is_wrong_changes_nothing(installation: Installation) -> None:
    installation.configure()
    with installation.serving() as running:
        good = installation.config.read_text()
        installation.config.write_text("isuer = 1\n" + good)
        running.tell(signal.SIGHUP)
        until(running, "not reloaded: oauthcore.toml: isuer")
        installation.config.write_text(good.replace("bind = [", 'bind = ["127.0.0.1:1", '))
        running.tell(signal.SIGHUP)
        until(running, "bind has changed: that takes a restart")
        easy = '[[clients]]\nclient_id = "a"\nsecret = "letmein"\ngrant_types = ["client_credentials"]\n'
        installation.config.write_text(good.replace("minimum_length = 1\n", "") + easy)
        running.tell(signal.SIGHUP)
        until(running, "not reloaded: clients[1].secret = Secret(): use at least 16 characters")

        assert httpx.get(running.url + "/readyz", trust_env=False).status_code == 200


def test_unix_socket_is_served(installation: Installation) -> None:
    installation.configure(bind="unix:oauthcore.sock")
    with installation.serving() as running:
        transport = httpx.HTTPTransport(uds=str(installation.folder / "oauthcore.sock"))
        with httpx.Client(transport=transport, base_url="http://localhost", trust_env=False) as http:
            assert http.get("/readyz").text == "ready\n"
        running.tell(signal.SIGTERM)
        assert running.exit_status() == 0


def test_whoever_comes_by_a_unix_socket_is_not_trusted_for_that(installation: Installation) -> None:
    installation.configure(bind="unix:oauthcore.sock")
    transport = httpx.HTTPTransport(uds=str(installation.folder / "oauthcore.sock"))
    with (
        installation.serving() as running,
        httpx.Client(transport=transport, base_url="http://localhost", trust_env=False) as http,
    ):
        assert http.get("/metrics").status_code == 404
        assert http.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404
        assert "proxies.trusted_unix = false" in running.logged()
    assert "\nwarning: proxies.trusted_unix = false: no client's address is known" in installation.run("check")


def test_proxy_on_a_unix_socket_that_is_named_says_who_may_read_metrics(installation: Installation) -> None:
    installation.configure("[proxies]\ntrusted_unix = true", bind="unix:oauthcore.sock")
    transport = httpx.HTTPTransport(uds=str(installation.folder / "oauthcore.sock"))
    with (
        installation.serving() as running,
        httpx.Client(transport=transport, base_url="http://localhost", trust_env=False) as http,
    ):
        assert http.get("/metrics").status_code == 404
        assert http.get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 404
        assert http.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 200
        assert "proxies" not in running.logged()


def test_proxy_on_this_machine_that_is_not_named_opens_no_metrics(installation: Installation) -> None:
    installation.configure()
    text = installation.config.read_text()
    installation.config.write_text(text.replace("http://localhost:8000", "https://as.example"))
    with installation.serving() as running:
        assert httpx.get(running.url + "/metrics", trust_env=False).status_code == 404
        httpx.get(running.url + "/login", trust_env=False)
        assert "the issuer is https, there is no [tls], and proxies.trusted names no proxy" in running.logged()
        assert " address=" not in running.logged()
    assert "\nwarning: the issuer is https" in installation.run("check")


def test_trusted_proxy_tells_the_address_and_the_scheme(installation: Installation) -> None:
    installation.configure('[proxies]\ntrusted = ["127.0.0.0/8"]')
    headers = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}
    with installation.serving() as running:
        response = httpx.get(running.url + "/login", headers=headers, trust_env=False)

        assert response.headers["strict-transport-security"] == "max-age=31536000"
        assert "address=192.0.2.7" in running.logged()


def test_nobody_else_is_believed_about_his_address(running: Running) -> None:
    headers = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}

    response = httpx.get(running.url + "/login", headers=headers, trust_env=False)

    assert "strict-transport-security" not in response.headers
    assert "192.0.2.7" not in running.logged()


def test_session_of_a_user_who_is_gone_is_over(installation: Installation, running: Running) -> None:
    installation.run("user", "add", "alice", said="wonderland\n")
    with httpx.Client(base_url=running.url, trust_env=False) as http:
        form = Page.of(http.get("/login").text).form
        http.post("/login", data={**form, "username": "alice", "password": "wonderland"})
        before = http.get("/account")
        installation.run("user", "remove", "alice")
        after = http.get("/account")

    assert before.status_code == 200
    assert after.headers["location"] == "/login"


def test_what_is_no_request_is_counted_and_logged(running: Running) -> None:
    with connected(running) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        answer = all_of(connection)

    metrics = httpx.get(running.url + "/metrics", trust_env=False).text
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert 'oauthcore_unreadable_requests_total{status="400"} 1.0' in metrics
    assert "unreadable request status=400 address=127.0.0.1" in running.logged()


def worker_pids(running: Running) -> list[int]:
    """Return the processes below a server's."""
    children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children")
    return [int(pid) for pid in children.read_text().split()]


def test_worker_that_dies_is_replaced_and_the_others_go_on(installation: Installation) -> None:
    installation.configure()
    with installation.serving("--workers", "2") as running:
        before = worker_pids(running)
        os.kill(before[0], signal.SIGKILL)
        while len(after := worker_pids(running)) < 2 or before[0] in after:
            assert httpx.get(running.url + "/healthz", trust_env=False).status_code == 200
        running.tell(signal.SIGHUP)
        until(running, "reloaded", 2)
        metrics = httpx.get(running.url + "/metrics", trust_env=False).text
        running.tell(signal.SIGTERM)

        assert running.exit_status() == 0
        assert len(before) == 2
        assert before[1] in after
        assert "worker ended" in running.logged()
        assert "oauthcore_requests_total{" in metrics


def test_workers_end_when_their_parent_is_killed(installation: Installation) -> None:
    installation.configure()
    with installation.serving("--workers", "2") as running:
        workers = worker_pids(running)
        running.kill()
        while any(Path(f"/proc/{pid}").exists() and is_running(pid) for pid in workers):
            pass

    assert running.logged().count("the parent process is gone") == 2


def is_running(pid: int) -> bool:
    """Return whether a process is more than an entry that nobody has asked about yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("arguments", [(), ("--workers", "2")], ids=["alone", "workers"])
def test_server_that_can_not_start_says_why_in_one_line(installation: Installation, arguments: tuple[str, ...]) -> None:
    installation.configure()
    database = installation.folder / "oauthcore.db"
    database.write_bytes(b"nonsense" * 1_000)
    database.chmod(0o600)  # one that everybody can read is warned of as well

    complaint = installation.run("serve", *arguments, status=2)

    assert complaint.startswith("oauthcore: storage = ")
    assert complaint.count("\n") == 1


def test_port_that_is_taken_is_named(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        installation.configure(bind=f"127.0.0.1:{port}")

        complaint = installation.run("serve", status=2)

    assert complaint == f"oauthcore: bind = '127.0.0.1:{port}': it is in use; stop who has it, or choose another\n"


def test_number_of_workers_that_can_not_be_is_refused(installation: Installation) -> None:
    assert "--workers = 0: use a number, 1 or more" in installation.run("serve", "--workers", "0", status=2)


DECLARED = """
[[clients]]
client_id = "declared"
secret = "a-secret-of-the-tests-with-32-chars"
grant_types = ["client_credentials"]
introspects_any = true
"""


def test_a_declared_client_keeps_its_tokens_over_restarts_and_has_none_once_it_is_declared_anew(
    installation: Installation,
) -> None:
    auth = ("declared", "a-secret-of-the-tests-with-32-chars")

    def is_active(running: Running, token: str) -> bool:
        asked = httpx.post(running.url + "/introspect", data={"token": token}, auth=auth, trust_env=False)
        return bool(asked.json()["active"])

    def token_of(running: Running) -> str:
        form = {"grant_type": "client_credentials"}
        answer = httpx.post(running.url + "/token", data=form, auth=auth, trust_env=False)
        return str(answer.json()["access_token"])

    installation.configure(DECLARED)
    declared = installation.config.read_text(encoding="utf-8")
    with installation.serving() as first:
        token = token_of(first)
    with installation.serving() as second:
        assert is_active(second, token)
        installation.config.write_text(declared.replace(DECLARED, ""), encoding="utf-8")
        second.tell(signal.SIGHUP)
        until(second, "reloaded")
        installation.config.write_text(declared, encoding="utf-8")
        second.tell(signal.SIGHUP)
        until(second, "reloaded", 2)
        assert not is_active(second, token)
        later = token_of(second)
    with installation.serving() as third:
        assert is_active(third, later)
        assert not is_active(third, token)
