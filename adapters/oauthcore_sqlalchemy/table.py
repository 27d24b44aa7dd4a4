"""The table: what is queried in columns, everything else as the codec's JSON.

One table holds every kind of record. A kind more, or a field more with a default, is no change of the schema.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

KIND_LENGTH = 64
KEY_LENGTH = 128


def _name(length: int) -> TypeEngine[str]:
    """Make a column's type whose values differ where their bytes do, in the order of their bytes."""
    # MySQL's own collation takes `a` for `A`, and PostgreSQL's own makes an index slower than it need be.
    binary = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    postgresql = String(length, collation="C")
    return String(length).with_variant(binary, "mysql", "mariadb").with_variant(postgresql, "postgresql")


# MySQL's TEXT ends at 64 KiB.
_BODY = Text().with_variant(mysql.LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb")

metadata = MetaData()

record = Table(
    "oauthcore_record",
    metadata,
    Column("kind", _name(KIND_LENGTH), primary_key=True),
    Column("key", _name(KEY_LENGTH), primary_key=True),
    Column("subject", _name(KEY_LENGTH)),
    Column("expires_at", BigInteger),
    Column("body", _BODY, nullable=False),
    Index("oauthcore_record_by_subject", "subject", "kind"),
    Index("oauthcore_record_by_expiry", "expires_at"),
)


def indexed(text: str) -> str:
    """Return a text in a form that every database can index and compare exactly: itself, or its SHA-256.

    Keys and subjects may have any length and any characters. One database would refuse some of them, another would
    truncate and a third would fold them, so other texts than the core's keys (a digest is 43 letters) are hashed.
    """
    if 0 < len(text) <= KEY_LENGTH and text.isascii() and text.isprintable() and " " not in text:
        return text
    # The space keeps it apart from every text that stands for itself.
    return "sha256 " + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
