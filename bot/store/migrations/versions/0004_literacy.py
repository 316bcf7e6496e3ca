"""The lessons: learners, their runs, return questions, counts and approvals."""

from alembic import op

from bot.store.literacy_tables import TABLES
from bot.store.tables import metadata

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of the lessons."""
    metadata.create_all(op.get_bind(), tables=list(TABLES))
