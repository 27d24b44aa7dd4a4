"""The Django example as the tests serve it: `python -m tests.hosts.django_host` makes what an operator makes first.

Passwords are hashed fast, as Django has it for tests: nearly every one of these signs in.
"""

from __future__ import annotations

import os
from importlib import import_module

from django.conf import settings
from django.core.management import call_command

from tests.hosts.site import REDIRECT

example = import_module("django_app")  # which sets Django up
settings.OAUTHCORE_MINIMUM_SECRET_LENGTH = 1
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
wsgi_app, asgi_app = example.wsgi_app, example.asgi_app


def prepare() -> None:
    """Make the tables, a person and the clients."""
    os.environ |= {"DJANGO_SUPERUSER_PASSWORD": "wonderland", "OAUTH_CLIENT_SECRET": "app-secret"}
    call_command("migrate", verbosity=0)
    call_command("createsuperuser", username="alice", email="alice@a.example", interactive=False, verbosity=0)
    call_command("oauth_client", "app", redirect_uris=[REDIRECT], scope="profile email")
    call_command("oauth_client", "phone", redirect_uris=[REDIRECT], scope="profile email", public=True)


if __name__ == "__main__":
    prepare()
