"""What we say unasked: waiting messages, people's time zones, runs of background jobs."""

from alembic import op

from bot.store.outbox_tables import TABLES
from bot.store.tables import metadata

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of the outbox and the schedule."""
    metadata.create_all(op.get_bind(), tables=list(TABLES))
