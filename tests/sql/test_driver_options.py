"""Options of the driver in a URL: each has a type, and one that can't be is one line with its name and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import make_url

from oauthcore import ConfigurationError
from oauthcore_sqlalchemy import address
from oauthcore_sqlalchemy.driver_options import read_options
from tests.redis.test_serving import installation_on


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("postgresql://h/d?prepare_threshold=x", "storage?prepare_threshold = 'x': use a whole number, or none"),
        ("postgresql://h/d?prepare_threshold=-1", "storage?prepare_threshold = '-1': use a whole number, or none"),
        ("postgresql://h/d?connect_timeout=0", "storage?connect_timeout = '0': use a whole number, 1 or more"),
        ("postgresql://h/d?pool_size=٣", "storage?pool_size = '٣': use a whole number, 1 or more"),
        ("postgresql://h/d?pool_size=3&pool_size=4", "storage?pool_size = '3, 4': name it once"),
        ("postgresql://h/d?prepared_statements=no", "storage?prepared_statements = 'no': use one of on, off"),
        ("postgresql://h/d?ssl_mode=x", "storage?ssl_mode = '…': there is no such option; did you mean sslmode?"),
        ("postgresql://h/d?pasword=hush", "storage?pasword = '…': there is no such option; did you mean password?"),
        ("postgresql+asyncpg://h/d?timeout=soon", "storage?timeout = 'soon': use a number of seconds"),
        ("postgresql+asyncpg://h/d?timeout=nan", "storage?timeout = 'nan': use a number of seconds"),
        ("postgresql+asyncpg://h/d?ssl=yes", "storage?ssl = 'yes': use one of disable, allow"),
        ("postgresql+asyncpg://h/d?statement_cache_size=none", "storage?statement_cache_size = 'none': use a whole"),
        ("postgresql+asyncpg://h/d?server_settings=x", "storage?server_settings = '…': use one of command_timeout"),
        ("mysql://h/d?connect_timeout=1.5", "storage?connect_timeout = '1.5': use a whole number, 1 or more"),
        ("mysql://h/d?autocommit=1", "storage?autocommit = '…': use one of charset"),
        ("mysql://h/d?prepared_statements=off", "storage?prepared_statements = '…': use one of charset"),
        ("mysql+asyncmy://h/d?read_timeout=x", "storage?read_timeout = 'x': use a whole number, 1 or more"),
    ],
)
def test_an_option_that_can_not_be_is_one_line_for_servers_and_commands(url: str, line: str) -> None:
    for make in (address.engine_for_server, address.engine_for_command):
        with pytest.raises(ConfigurationError) as refused:
            make(url)

        assert str(refused.value).startswith(line)
        assert "hush" not in str(refused.value)


@pytest.mark.slow
@pytest.mark.parametrize("command", [("check",), ("serve",), ("client", "list"), ("db", "upgrade")])
def test_every_command_ends_with_that_line_and_2(command: tuple[str, ...], tmp_path: Path) -> None:
    installation = installation_on(tmp_path, "postgresql+asyncpg://me:hush@127.0.0.1:9/d?statement_cache_size=few")

    said = installation.run(*command, status=2)

    assert said == "oauthcore: storage?statement_cache_size = 'few': use a whole number, 0 or more\n"


@pytest.mark.parametrize(
    ("query", "driver", "given"),
    [
        ("prepare_threshold=none", "psycopg", {"prepare_threshold": None}),
        ("prepare_threshold=0", "psycopg_async", {"prepare_threshold": 0}),
        ("prepared_statements=off", "psycopg", {"prepare_threshold": None}),
        ("prepared_statements=on", "asyncpg", {}),
        ("statement_cache_size=0&timeout=2.5", "asyncpg", {"statement_cache_size": 0, "timeout": 2.5}),
        ("connect_timeout=3", "aiomysql", {"connect_timeout": 3}),
    ],
)
def test_an_option_reaches_the_driver_as_what_it_is(query: str, driver: str, given: dict[str, object]) -> None:
    options = read_options(make_url(f"x://h/d?{query}"), driver, driver)

    assert options.driver == given
    assert not options.address.query


def test_asyncpg_gives_its_statements_no_names_where_none_may_be_prepared() -> None:
    options = read_options(make_url("x://h/d?prepared_statements=off"), "asyncpg", "asyncpg").driver

    assert options.pop("prepared_statement_name_func")() == ""  # type: ignore[attr-defined]  # a test's own
    assert options == {"statement_cache_size": 0, "prepared_statement_cache_size": 0}


def test_what_is_text_to_the_driver_stays_in_the_url() -> None:
    url = make_url("x://h/d?sslmode=verify-full&application_name=a&host=one:1&host=two:2")

    assert read_options(url, "psycopg", "psycopg").address.query == url.query


def test_a_command_takes_of_the_options_those_that_its_driver_has() -> None:
    url = make_url("x://h/d?ssl=require&timeout=2.5&statement_cache_size=0&prepared_statements=off&passfile=f")

    options = read_options(url, "asyncpg", "psycopg")

    assert options.driver == {"sslmode": "require", "connect_timeout": 3, "prepare_threshold": None}
    assert options.address.query == {"passfile": "f"}


@pytest.mark.parametrize("query", ["port=x", "host=a&host=b:5432"])
def test_hosts_without_ports_that_can_be_are_one_line(query: str) -> None:
    with pytest.raises(ConfigurationError, match="name each host with its port: "):
        address.engine_for_server(f"postgresql+asyncpg://me@/d?{query}")


def test_a_password_in_the_query_is_not_shown() -> None:
    assert "hush" not in address.shown("postgresql://h/d?user=me&password=hush&sslpassword=hush")
