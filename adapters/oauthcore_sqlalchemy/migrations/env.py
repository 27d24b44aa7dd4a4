"""The Alembic environment: migrations run on the given connection, with their own version table.

So they do not interfere with an application's own migrations.
"""

from __future__ import annotations

from alembic import context

from oauthcore_sqlalchemy.schema import VERSION_TABLE
from oauthcore_sqlalchemy.table import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
