"""Hand-offs to a person. The table of that name which 0002 made was never written to, and is made anew."""

from alembic import op

from bot.store.handoff_tables import TABLES
from bot.store.tables import metadata

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of hand-offs."""
    op.execute("DROP TABLE IF EXISTS handoffs")
    metadata.create_all(op.get_bind(), tables=list(TABLES))
