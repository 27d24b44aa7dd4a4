"""`manage.py oauth_purge`: remove expired records; run it periodically."""

from __future__ import annotations

import time

from django.core.management.base import BaseCommand, CommandParser

from oauthcore.storage.purging import due
from oauthcore_django.storage import DjangoStorage

BATCH = 500


class Command(BaseCommand):
    """Remove expired records in batches, so that no request waits for long."""

    help = "Removes expired OAuth records."

    def add_arguments(self, parser: CommandParser) -> None:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Add the option for the database."""
        parser.add_argument("--database", default="default", help="the alias of the database they are in")

    def handle(self, *args: object, **options: str) -> None:  # type: ignore[explicit-override]  # as above
        """Remove them."""
        storage, removed, before = DjangoStorage(options["database"]), 0, due(time.time())
        while batch := storage.purge(before, BATCH):
            removed += batch
        self.stdout.write(f"removed {removed}")
