"""`manage.py oauth_client`: register a client with the project's server, and show its secret only this once."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from oauthcore import Client, ConfigurationError, Secret, run
from oauthcore.jose.strict_json import is_integer
from oauthcore_django.apps import OAuthCoreConfig
from oauthcore_django.views import OAuth


class Command(BaseCommand):
    """Register a client."""

    help = "Registers an OAuth client and shows its secret, or takes the secret from OAUTH_CLIENT_SECRET."

    def add_arguments(self, parser: CommandParser) -> None:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Add the options, which are settings of a client."""
        parser.add_argument("client_id")
        parser.add_argument("--public", action="store_true", help="it can keep no secret, as an app on a phone")
        parser.add_argument("--redirect-uri", action="append", default=[], dest="redirect_uris")
        parser.add_argument("--scope", default="")
        parser.add_argument("--grant-type", action="append", dest="grant_types")
        parser.add_argument("--replace", action="store_true", help="take the place of a client of that identifier")
        parser.add_argument("--issuer", help="which server's, where the project has several")

    def handle(self, *args: object, **options: Any) -> None:  # type: ignore[explicit-override]  # as above
        """Register it."""
        oauth = find_oauth(options["issuer"])
        client = Client(
            client_id=str(options["client_id"]),
            token_endpoint_auth_method="none" if options["public"] else None,
            redirect_uris=options["redirect_uris"],
            scope=options["scope"],
            # As in `oauthcore client add`: many applications read claims only from the ID token.
            id_token_claims="all" if "openid" in str(options["scope"]).split(" ") else "requested",
            grant_types=options["grant_types"] or ["authorization_code", "refresh_token"],
        )
        given = os.environ.get("OAUTH_CLIENT_SECRET")
        secret = Secret(given) if given and not client.is_public else None
        least = getattr(settings, "OAUTHCORE_MINIMUM_SECRET_LENGTH", 16)
        if not is_integer(least):
            raise CommandError(f"OAUTHCORE_MINIMUM_SECRET_LENGTH = {least!r}: use a number of characters")
        if given and secret is not None and len(given) < least:
            remedy = f"use at least {least} characters (OAUTHCORE_MINIMUM_SECRET_LENGTH), or none to have one made"
            raise CommandError(f"OAUTH_CLIENT_SECRET: {remedy}")
        try:
            registered = run(
                oauth.server.clients.register(client, secret, replace=bool(options["replace"])), oauth.world
            )
        except ConfigurationError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"client_id     {client.client_id}")
        if registered.secret is not None and secret is None:
            self.stdout.write(f"client_secret {registered.secret.reveal()}")
        if registered.secret_problem is not None:
            self.stderr.write(f"OAUTH_CLIENT_SECRET: {registered.secret_problem}")


def find_oauth(issuer: object) -> OAuth:
    """Return the project's `OAuth`, by its issuer if there are several."""
    import_module(settings.ROOT_URLCONF)  # creates it, or imports the module that does
    config = apps.get_app_config("oauthcore")
    assert isinstance(config, OAuthCoreConfig)
    found = [oauth for oauth in config.made if issuer in {None, oauth.server.issuer}]
    if len(found) != 1:
        known = ", ".join(oauth.server.issuer for oauth in config.made) or "none"
        raise CommandError(f"name one server by --issuer; the project has {known}")
    return found[0]
