"""Alembic's migrations of the table; what has been released is never changed."""
