"""One table for every kind of record, with what is queried in columns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def name(length: int) -> sa.types.TypeEngine[str]:
    """Make a column's type whose values differ where their bytes do."""
    binary = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    postgresql = sa.String(length, collation="C")
    return sa.String(length).with_variant(binary, "mysql", "mariadb").with_variant(postgresql, "postgresql")


def upgrade() -> None:
    """Make the table and its indexes."""
    body = sa.Text().with_variant(mysql.LONGTEXT(charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb")
    op.create_table(
        "oauthcore_record",
        sa.Column("kind", name(64), primary_key=True),
        sa.Column("key", name(128), primary_key=True),
        sa.Column("subject", name(128)),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("body", body, nullable=False),
    )
    op.create_index("oauthcore_record_by_subject", "oauthcore_record", ["subject", "kind"])
    op.create_index("oauthcore_record_by_expiry", "oauthcore_record", ["expires_at"])


def downgrade() -> None:
    """Remove the table, and everything in it."""
    op.drop_table("oauthcore_record")
