"""The database: tables, sessions and migrations. SQL is the truth; every index is derived from it."""

from bot.store.database import Database, open_database

__all__ = ["Database", "open_database"]
