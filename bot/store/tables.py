"""The tables, as SQLAlchemy Core objects. Migrations in ``migrations/versions`` create the same shapes."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

libraries = Table(
    "libraries",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("generation", Integer, nullable=False, default=0),
)

documents = Table(
    "documents",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("library", String(64), ForeignKey("libraries.id"), nullable=False, index=True),
    Column("title", String(500), nullable=False),
    Column("origin", String(20), nullable=False),
    Column("source_name", String(500), nullable=False, default=""),
    Column("created_at", String(32), nullable=False),
    Column("erased_at", String(32)),
)

versions = Table(
    "versions",
    metadata,
    Column("id", String(160), primary_key=True),
    Column("document", String(128), ForeignKey("documents.id"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("front_matter", JSON, nullable=False),
    Column("text", Text, nullable=False),
    Column("blocks", JSON, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("source_sha256", String(64), nullable=False),
    Column("author", String(200), nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("verifier", String(200)),
    Column("verified_on", String(10)),
    Column("review_by", String(10)),
    UniqueConstraint("document", "number"),
)

passages = Table(
    "passages",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("version", String(160), ForeignKey("versions.id"), nullable=False, index=True),
    Column("ordinal", Integer, nullable=False),
    Column("section", String(200), nullable=False),
    Column("heading_path", JSON, nullable=False),
    Column("page", Integer),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("text_hash", String(64), nullable=False),
)

generations = Table(
    "generations",
    metadata,
    Column("library", String(64), ForeignKey("libraries.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("created_at", String(32), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("corpus_hash", String(64), nullable=False),
)

generation_versions = Table(
    "generation_versions",
    metadata,
    Column("library", String(64), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("version", String(160), ForeignKey("versions.id"), primary_key=True),
    ForeignKeyConstraint(["library", "generation"], ["generations.library", "generations.number"]),
)

manifests = Table(
    "manifests",
    metadata,
    Column("library", String(64), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("embedder", String(200), primary_key=True),
    Column("dimension", Integer, nullable=False),
    Column("metric", String(16), nullable=False),
    Column("corpus_hash", String(64), nullable=False),
    Column("built_at", String(32), nullable=False),
)

vectors = Table(
    "vectors",
    metadata,
    Column("embedder", String(200), primary_key=True),
    Column("text_hash", String(64), primary_key=True),
    Column("vector", LargeBinary, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", String(32), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(32), nullable=False),
    Column("subject", String(200), nullable=False, index=True),
    Column("detail", JSON, nullable=False),
    Column("previous_hash", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False, unique=True),
)

answers = Table(
    "answers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("at", String(32), nullable=False),
    Column("organization", String(64)),
    Column("outcome", String(20), nullable=False),
    Column("handling", String(20), nullable=False),
    Column("language", String(8), nullable=False),
    Column("generation", JSON, nullable=False),
    Column("model", String(200)),
    Column("prompt_version", String(64), nullable=False),
    Column("receipt", JSON, nullable=False),
    Column("total_ms", Float, nullable=False),
)

citations = Table(
    "citations",
    metadata,
    Column("answer", String(32), ForeignKey("answers.id"), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("version", String(160), nullable=False, index=True),
    Column("passage", String(200), nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
)
