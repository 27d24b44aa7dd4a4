"""One table for all kinds of records: columns for what is queried, and the codec's JSON for everything else."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Record(models.Model):
    """Hold one record. Equal records have equal bodies, so a change can depend on the body."""

    kind: models.CharField[str, str] = models.CharField(max_length=64)
    key: models.CharField[str, str] = models.CharField(max_length=255)
    body: models.TextField[str, str] = models.TextField()
    subject: models.CharField[str | None, str | None] = models.CharField(max_length=255, null=True)
    expires_at: models.BigIntegerField[int | None, int | None] = models.BigIntegerField(null=True)

    class Meta:
        """Keys are unique within their kind; the two other indexes are for `find_of` and `purge`."""

        app_label = "oauthcore"
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "key"], name="oauthcore_record_key")]
        indexes: ClassVar = [
            models.Index(fields=["kind", "subject"], name="oauthcore_record_subject"),
            models.Index(fields=["expires_at"], name="oauthcore_record_expires_at"),
        ]
