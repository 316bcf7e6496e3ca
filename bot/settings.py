"""Typed settings from ``SIGNPOST_*`` and ``.env``. The only module that reads the environment."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import ConfigurationError


class Settings(BaseSettings):
    """Every setting, its type and its default. Documented one by one in ``docs/settings.md``."""

    model_config = SettingsConfigDict(
        env_prefix="SIGNPOST_", env_file=".env", extra="ignore", populate_by_name=True, env_ignore_empty=True
    )

    env: Literal["development", "production"] = Field(default="development", description="Which rules of care apply.")
    data_dir: Path = Field(default=Path(".signpost"), description="Where the database is kept.")
    database_url: str = Field(default="", description="SQLAlchemy URL; empty means SQLite in the data directory.")
    chroma_url: str = Field(default="", description="http://host:port of a Chroma server; empty means in memory.")
    chroma_token: SecretStr | None = Field(default=None, description="Bearer token of the Chroma server.")
    embedder: str = Field(default="minilm", description="'minilm' or 'openai:MODEL'.")
    organization: str | None = Field(default=None, description="Organization used when a command names none.")
    starter_library: bool = Field(default=True, description="Publish the shipped documents at first use.")
    sample_organization: bool = Field(default=False, description="Also publish the sample organization 'pinecrest'.")
    one_person_publishing: bool = Field(default=False, description="Let an author approve their own document.")
    review_months: int = Field(default=12, ge=1, le=60, description="Months until review when approve names no date.")
    grace_days: int = Field(default=90, ge=0, description="Days past review-by after which text is withheld.")
    contact: str = Field(default="", description="Who to ask when nothing is covered: a name, address or channel.")
    threads: int = Field(default=2, ge=1, le=64, description="Threads of the embedding model.")

    max_file_bytes: int = Field(default=50_000_000, ge=1, description="Largest file taken in.")
    max_unpacked_bytes: int = Field(default=200_000_000, ge=1, description="Largest unpacked size of an office file.")
    max_pages: int = Field(default=1_000, ge=1, description="Most pages or slides of one file.")
    max_text_chars: int = Field(default=3_000_000, ge=1, description="Most characters of text of one file.")
    read_seconds: float = Field(default=60.0, gt=0, description="Time allowed to read one file.")

    openai_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("SIGNPOST_OPENAI_API_KEY", "OPENAI_API_KEY"),
        description="Key of the chat model's server; also read from OPENAI_API_KEY.",
    )
    openai_base_url: str = Field(default="", description="Any OpenAI-compatible server; empty means OpenAI's.")
    model: str = Field(default="gpt-4.1-mini", description="Chat model name.")
    model_provider: str = Field(default="openai", description="LangChain provider of the chat model.")
    model_first_token_seconds: float = Field(default=6.0, gt=0, description="Seconds until the first token of a chat model.")
    model_idle_seconds: float = Field(default=3.0, gt=0, description="Seconds between tokens.")
    model_total_seconds: float = Field(default=12.0, gt=0, description="Seconds for a whole reply, retries included.")
    model_max_tokens: int = Field(default=200, ge=16, le=4_000, description="Most tokens of a reply.")
    model_retries: int = Field(default=1, ge=0, le=5, description="Tries after a failed call.")
    plain_words: bool = Field(default=False, description="Add a checked restatement under the quotes.")

    @field_validator("embedder")
    @classmethod
    def _known_embedder(cls, value: str) -> str:
        if value != "minilm" and not (value.startswith("openai:") and len(value) > len("openai:")):
            raise ValueError("must be 'minilm' or 'openai:MODEL'")
        return value

    @cached_property
    def url(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{self.data_dir.expanduser().resolve() / 'signpost.db'}"

    @property
    def has_model(self) -> bool:
        """Whether a chat model is configured: a key, or a server of one's own."""
        return self.openai_api_key is not None or bool(self.openai_base_url)


def load(**overrides: object) -> Settings:
    """Read the settings once. Raises ConfigurationError naming every problem at once."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = [
            f"SIGNPOST_{'_'.join(str(part) for part in problem['loc']).upper().removeprefix('SIGNPOST_')}: {problem['msg']}"
            for problem in error.errors()
        ]
        raise ConfigurationError("\n".join(lines)) from None
