"""The readiness check: checks, answers, groups, rounds, moves and what is due."""

from alembic import op

from bot.store.readiness_tables import READINESS
from bot.store.tables import metadata

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of the readiness check."""
    metadata.create_all(op.get_bind(), tables=list(READINESS))
