"""Records in a SQL database, by SQLAlchemy Core: PostgreSQL, MySQL and MariaDB, SQLite; blocking and async."""

from oauthcore_sqlalchemy.engines import async_engine_of, engine_of
from oauthcore_sqlalchemy.storage import AsyncSqlAlchemyStorage, SqlAlchemyStorage
from oauthcore_sqlalchemy.table import metadata

__all__ = ["AsyncSqlAlchemyStorage", "SqlAlchemyStorage", "async_engine_of", "engine_of", "metadata"]
