"""What an operator does before the Django example can serve: `python -m tests.hosts.django_host`."""

from __future__ import annotations

import os
from importlib import import_module

from django.core.management import call_command

from tests.hosts.site import REDIRECT


def prepare() -> None:
    """Make the tables, a person and the clients."""
    import_module("django_app")  # which sets Django up
    os.environ |= {"DJANGO_SUPERUSER_PASSWORD": "wonderland", "OAUTH_CLIENT_SECRET": "app-secret"}
    call_command("migrate", verbosity=0)
    call_command("createsuperuser", username="alice", email="alice@a.example", interactive=False, verbosity=0)
    call_command("oauth_client", "app", redirect_uris=[REDIRECT], scope="profile email")
    call_command("oauth_client", "phone", redirect_uris=[REDIRECT], scope="profile email", public=True)


if __name__ == "__main__":
    prepare()
