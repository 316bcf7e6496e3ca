"""Typed settings from ``SIGNPOST_*`` and ``.env``. The only module that reads the environment."""

from __future__ import annotations

import re
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
    jurisdiction: str = Field(
        default="", description="The asker's state or country, for example 'Ohio'; its documents come first."
    )
    starter_library: bool = Field(default=True, description="Publish the shipped documents at first use.")
    sample_organization: bool = Field(default=False, description="Also publish the sample organization 'pinecrest'.")
    one_person_publishing: bool = Field(default=False, description="Let an author approve their own document.")
    review_months: int = Field(default=12, ge=1, le=60, description="Months until review when approve names no date.")
    grace_days: int = Field(default=90, ge=0, description="Days past review-by after which text is withheld.")
    contact: str = Field(default="", description="Who to ask when nothing is covered: a name, address or channel.")
    country: str = Field(
        default="US", pattern="^[A-Z]{2}$", description="Country (ISO 3166) whose crisis lines and number formats apply."
    )
    crisis_contact: str = Field(
        default="", description="Whom to call first when someone may be at risk: a name, number or protocol."
    )
    crisis_notify: str = Field(
        default="",
        description="Who is told at once, without words or names, that a crisis text was shown: people or Slack channels by id, "
        "as in 'slack:T0123:U0456 pinecrest=teams:TENANT:USER'.",
    )
    policy_dir: Path | None = Field(
        default=None,
        description="Folder of what organizations add to the guardrails' policy: pinecrest.yaml, or base.yaml for all.",
    )
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
    model_total_seconds: float = Field(default=12.0, gt=0, description="Seconds for all of one answer's calls, retries included.")
    model_max_tokens: int = Field(
        default=200, ge=16, le=4_000, description="Most tokens of a reply that points; a restatement's quotes bound its own."
    )
    model_retries: int = Field(default=1, ge=0, le=5, description="Tries after a failed call.")
    moderation: Literal["off", "endpoint", "model", "both"] = Field(
        default="off",
        description="What may add to the local rules' decisions where a model is configured: its server's moderation endpoint, a "
        "check by the chat model, or both.",
    )
    moderation_seconds: float = Field(default=2.0, gt=0, le=30, description="Seconds that such a second look may take, in all.")
    plain_words: bool = Field(default=False, description="Add a checked restatement under the quotes.")

    teams_app_id: str = Field(default="", description="Application id of the Teams bot; empty closes the door.")
    teams_app_password: SecretStr | None = Field(default=None, description="Client secret of the Teams bot.")
    teams_tenant_id: str = Field(default="", description="Tenant that owns the Teams bot; empty means the Bot Framework's own.")
    teams_issuer: str = Field(default="https://api.botframework.com", description="Issuer of Teams' tokens in this cloud.")
    teams_openid_metadata_url: str = Field(
        default="https://login.botframework.com/v1/.well-known/openidconfiguration",
        description="Where the keys of Teams' tokens are published.",
    )
    teams_token_url: str = Field(
        default="", description="Where our token for Teams is issued; empty means Entra's for the tenant."
    )
    teams_service_hosts: str = Field(
        default="smba.trafficmanager.net,*.botframework.com,smba.infra.gcc.teams.microsoft.com,"
        "smba.infra.gov.teams.microsoft.us,smba.infra.dod.teams.microsoft.us",
        description="Hosts that may be a Teams service, set apart by commas.",
    )
    teams_anonymous: bool = Field(
        default=False, description="In development without an app id: accept unsigned Teams activities from this machine."
    )
    teams_stream_after_seconds: float = Field(
        default=0.8, ge=0, le=60, description="Seconds of work after which a personal Teams chat shows a stream."
    )

    attempts: int = Field(default=4, ge=1, le=20, description="Tries at one message before an apology; it is then kept for you.")
    answer_seconds: float = Field(default=45.0, gt=0, description="Longest one try at an answer may take before an apology.")
    turns: int = Field(default=4, ge=1, le=64, description="Conversations answered at the same time.")
    drain_seconds: float = Field(default=20.0, ge=0, description="Time to finish accepted messages when the server stops.")
    keep_days: int = Field(default=30, ge=1, description="Days that redacted conversations are kept.")
    keep_incident_days: int = Field(default=30, ge=1, description="Days that a message which could not be answered is kept.")
    keep_feedback_days: int = Field(default=365, ge=1, description="Days that ratings of answers are kept.")
    keep_handoff_days: int = Field(default=180, ge=1, description="Days that questions handed to a person are kept.")
    keep_lesson_days: int = Field(default=365, ge=1, description="Days that a person's lessons are kept after the last step.")
    keep_answer_days: int = Field(
        default=365, ge=1, description="Days that the reasons and sources of an answer are kept, without the question."
    )
    data_key: SecretStr | None = Field(
        default=None,
        description="Seals people's words in the database: a random text of 32 characters or more; several set apart by commas, "
        "the first seals, all open.",
    )
    limit_person: int = Field(default=30, ge=0, description="Messages a minute from one person; 0 for no limit.")
    limit_organization: int = Field(default=1_200, ge=0, description="Messages a minute from one organization; 0 for no limit.")
    web_secret: SecretStr | None = Field(
        default=None, description="Signs links to the web chat, at least 32 characters; without it only this machine may use it."
    )

    secret_key: SecretStr | None = Field(
        default=None, description="A long random text that seals what is secret in the database and signs links."
    )

    slack_bot_token: SecretStr | None = Field(default=None, description="Bot token of the one workspace served (xoxb-...).")
    slack_signing_secret: SecretStr | None = Field(default=None, description="Proves that a request comes from Slack.")
    slack_app_token: SecretStr | None = Field(default=None, description="App-level token (xapp-...); set: Socket Mode.")
    slack_api_url: str = Field(default="https://slack.com/api/", description="Base of Slack's Web API.")
    slack_client_id: str = Field(default="", description="Client id, for installing in many workspaces.")
    slack_client_secret: SecretStr | None = Field(default=None, description="Client secret, for installing in many workspaces.")
    slack_redirect_url: str = Field(default="", description="Public address of /slack/oauth_redirect, where Slack needs it.")
    slack_organizations: str = Field(
        default="", description="Whose documents a workspace sees besides the shared ones: 'T0123=pinecrest T0456=oak'."
    )
    slack_stream_chars: int = Field(
        default=3_000, ge=0, description="Answers in Slack direct messages longer than this are streamed; 0 for never."
    )
    time_zone: str = Field(default="America/New_York", description="Time zone of quiet hours, as in 'America/New_York'.")
    time_zones: str = Field(
        default="", description="Time zones of organizations that keep another: 'pinecrest=America/Chicago oak=America/Denver'."
    )
    quiet_hours: str = Field(default="17:00-08:00", description="Local hours without reminders, HH:MM-HH:MM.")
    nudges_a_week: int = Field(default=2, ge=0, le=2, description="Most reminders a week for one person; 0 for none.")
    handoff_slack_channel: str = Field(
        default="",
        pattern=r"^([ ,]*([TE][A-Z0-9]+/)?[CG][A-Z0-9]+)*[ ,]*$",
        description="Slack channel of the people who help, 'C0123' or 'T0123/C0123'; several set apart by spaces.",
    )
    handoff_teams_channel: str = Field(
        default="",
        pattern=r"^([ ,]*([0-9A-Za-z-]+/)?19:[^\s,/]+)*[ ,]*$",
        description="Teams channel of the people who help, '19:...@thread.tacv2', or with its tenant 'TENANT/19:...'.",
    )
    handoff_name: str = Field(default="", description="What askers are told of the people who help, as in 'the AI help desk'.")
    handoff_reply_time: str = Field(default="", description="How soon they answer, as in 'within one school day'.")
    handoff_remind_hours: float = Field(
        default=4.0, ge=0, description="Hours without an answer before the helpers are reminded, at most twice; 0 for never."
    )
    crisis_line: str = Field(default="", description="Crisis line named in the lesson on care; empty means 988 in the U.S.")

    @field_validator("embedder")
    @classmethod
    def _known_embedder(cls, value: str) -> str:
        if value != "minilm" and not (value.startswith("openai:") and len(value) > len("openai:")):
            raise ValueError("must be 'minilm' or 'openai:MODEL'")
        return value

    readiness_contact: str = Field(
        default="", description="Whom a readiness result suggests for a fuller look: a name or address; empty for nobody."
    )
    readiness_min_group: int = Field(
        default=5, ge=5, le=100, description="People in the smallest group whose readiness totals are shown; never below 5."
    )
    readiness_keep_days: int = Field(default=365, ge=30, description="Days that a person's readiness answers are kept.")

    @field_validator("crisis_notify")
    @classmethod
    def _known_recipients(cls, value: str) -> str:
        for part in value.split():
            if not re.fullmatch(r"(?:[\w.-]+=)?(?:slack|teams):[^:=\s]+:[^=\s]+", part):
                raise ValueError(f"'{part}' is not platform:team:id, with 'organization=' before it or without")
        return value

    @field_validator("web_secret")
    @classmethod
    def _long_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < 32:
            raise ValueError("must have at least 32 characters")
        return value

    @property
    def crisis_recipients(self) -> tuple[tuple[str, str], ...]:
        """(organization, or empty for all; platform:team:id) of everybody who is told of a crisis."""
        pairs = [part.rpartition("=") for part in self.crisis_notify.split()]
        return tuple((organization, name) for organization, _, name in pairs)

    @field_validator("data_key")
    @classmethod
    def _long_keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and any(len(part.strip()) < 32 for part in value.get_secret_value().split(",")):
            raise ValueError("each key must have at least 32 characters")
        return value

    @property
    def data_keys(self) -> tuple[str, ...]:
        """The keys that seal people's words, the one in use first; empty for none."""
        return tuple(part.strip() for part in self.data_key.get_secret_value().split(",")) if self.data_key else ()

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
