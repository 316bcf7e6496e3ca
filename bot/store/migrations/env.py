"""Alembic's entry point; the connection comes from ``bot.store.migrate``."""

from alembic import context

from bot.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
