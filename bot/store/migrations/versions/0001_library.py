"""The library, its audit trail and the record of answers."""

from alembic import op

from bot.store.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "libraries",
    "documents",
    "versions",
    "passages",
    "generations",
    "generation_versions",
    "manifests",
    "vectors",
    "audit",
    "answers",
    "citations",
)

APPEND_ONLY_SQLITE = (
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END",
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END",
    # A version's content never changes; erasing it blanks the text once and for all.
    "CREATE TRIGGER versions_immutable BEFORE UPDATE OF text, blocks, front_matter, content_hash ON versions "
    "WHEN NEW.text <> '' OR NEW.content_hash <> OLD.content_hash "
    "BEGIN SELECT RAISE(ABORT, 'a version is immutable'); END",
)

APPEND_ONLY_POSTGRESQL = (
    "CREATE FUNCTION refuse_change() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; "
    "END $$ LANGUAGE plpgsql",
    "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER versions_immutable BEFORE UPDATE OF text, blocks, front_matter, content_hash ON versions "
    "FOR EACH ROW WHEN (NEW.text <> '' OR NEW.content_hash <> OLD.content_hash) EXECUTE FUNCTION refuse_change()",
)


def upgrade() -> None:
    """Create every table and the triggers that keep history append-only."""
    bind = op.get_bind()
    metadata.create_all(bind, tables=[metadata.tables[name] for name in TABLES])
    statements = APPEND_ONLY_SQLITE if bind.dialect.name == "sqlite" else APPEND_ONLY_POSTGRESQL
    for statement in statements:
        op.execute(statement)
