"""What Alembic runs: migrations on the connection that it was given, remembered in a table of their own.

An application that has migrations of its own is not in the way, nor are these in its.
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
