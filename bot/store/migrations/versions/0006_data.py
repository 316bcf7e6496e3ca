"""What is kept, and for how long: holds, wishes to be deleted, names of keys; rows that are to be forgotten."""

from alembic import op
from sqlalchemy import Boolean, Column, false, inspect

from bot.store.data_tables import TABLES
from bot.store.tables import metadata

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; mark the inbox's rows. A new database has the mark from 0002 on."""
    bind = op.get_bind()
    metadata.create_all(bind, tables=list(TABLES))
    if "forget" not in {column["name"] for column in inspect(bind).get_columns("inbox")}:
        op.add_column("inbox", Column("forget", Boolean, nullable=False, server_default=false()))
