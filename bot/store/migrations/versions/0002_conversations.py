"""Conversations: the inbox, history, engaged threads, installations, channel settings, references, feedback, handoffs."""

from alembic import op

from bot.store.conversation_tables import TABLES
from bot.store.tables import metadata

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of conversations."""
    metadata.create_all(op.get_bind(), tables=list(TABLES))
