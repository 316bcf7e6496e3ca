"""What was decided for a channel or a person: when we answer, who sees it, whose documents, which language. Called by ``app``."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from bot.messages import Place
from bot.settings import Settings
from bot.store import Database
from bot.store.conversation_tables import channel_settings, preferences

SHARED = "base"


@dataclass(frozen=True)
class Decided:
    """What holds for one message. ``organization`` is whose own documents may be quoted beside the shared ones."""

    off: bool = False
    private: bool = False
    organization: str | None = None
    language: str | None = None


def decided(database: Database, settings: Settings, place: Place, person: str, *, strangers: bool) -> Decided:
    """What holds at ``place`` for ``person``. ``strangers`` are readers of other organizations, as in a shared channel."""
    table = channel_settings
    here = (table.c.platform == place.platform) & (table.c.team == place.team) & (table.c.channel == place.channel)
    with database.reading() as connection:
        language = connection.execute(select(preferences.c.language).where(preferences.c.person == person)).scalar()
        row = None if place.kind == "personal" else connection.execute(select(table).where(here)).first()
    own = None if strangers else organization(settings, place.team)
    if row is None:
        return Decided(organization=own, language=language)
    private = row.answers == "private"
    return Decided(row.mode == "off", private, None if list(row.libraries) == [SHARED] else own, language)


def organization(settings: Settings, tenant: str) -> str | None:
    """Whose documents a tenant sees besides the shared ones: its own, and never those of the tenant that runs the bot. Where no
    tenant is named, nobody's in production: anyone might have installed it."""
    if settings.teams_tenant_id:
        return settings.organization if tenant == settings.teams_tenant_id else None
    return settings.organization if settings.env == "development" else None
