"""Django, set up once, on a database in a file: a connection in memory would be one for each thread."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import django
import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from oauthcore_django.apps import OAuthCoreConfig

FOLDER = tempfile.TemporaryDirectory()


settings.configure(
    SECRET_KEY="for tests alone",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="tests.django.urls",
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.sessions",
        "oauthcore_django",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(Path(FOLDER.name) / "db.sqlite3")}},
    USE_TZ=True,
)
django.setup()


@pytest.fixture(scope="session")
def _migrated() -> None:
    call_command("migrate", verbosity=0)
    _ = import_module(settings.ROOT_URLCONF)  # the project's own server is made, before any test makes one


@pytest.fixture(autouse=True)
def _empty(_migrated: None) -> Iterator[None]:
    """Begin with an empty database, and let the project have no server of a test when that is over."""
    config = apps.get_app_config("oauthcore")
    assert isinstance(config, OAuthCoreConfig)
    made = list(config.made)
    call_command("flush", verbosity=0, interactive=False)
    yield
    config.made[:] = made
    connections.close_all()
