"""What a person is told about what is kept of them, and what became of their wish to have it deleted. Called by the commands."""

from __future__ import annotations

from urllib.parse import urlsplit

from bot import prompts
from bot.messages import Message
from bot.personal.forgetting import Forgotten
from bot.settings import Settings

KINDS = {
    "inbox": "messages",
    "utterances": "lines",
    "feedback": "ratings",
    "handoffs": "handoffs",
    "handoff_lines": "handoffs",
    "readiness_checks": "checks",
    "lesson_runs": "lessons",
}
"""What the rows of a table are called when they are counted for a person; all others are settings."""

UNCOUNTED = ("learners", "deletion_wishes")
"""Tables that would count the same thing twice."""

ORDER = ("messages", "lines", "ratings", "handoffs", "checks", "lessons", "settings")


def privacy(settings: Settings, message: Message, words: prompts.Messages) -> str:
    """What is kept, where, how long, who can see it, what an employer and a public-records request can reach."""
    platform = message.place.platform if message.place is not None else "terminal"
    shared = message.place is not None and message.place.kind != "personal"
    kept = words.privacy_kept.format(
        days=settings.keep_days,
        feedback=settings.keep_feedback_days,
        handoff=settings.keep_handoff_days,
        readiness=settings.readiness_keep_days,
        lessons=settings.keep_lesson_days,
    )
    where = words.privacy_where.format(sealed=words.privacy_sealed if settings.data_key is not None else "")
    lines = [
        kept,
        where,
        words.privacy_seen_channel if shared else words.privacy_seen_personal,
        getattr(words, f"privacy_{platform}", ""),
        words.privacy_records,
        _model(settings, words),
        words.privacy_person,
        words.privacy_delete,
    ]
    return "\n\n".join(line for line in lines if line)


def _model(settings: Settings, words: prompts.Messages) -> str:
    if not settings.has_model and not settings.embedder.startswith("openai:"):
        return words.privacy_no_model
    host = urlsplit(settings.openai_base_url).hostname or "OpenAI"
    return words.privacy_model.format(host=host)


def forgotten(done: Forgotten, message: Message, words: prompts.Messages) -> str:
    """What was deleted, with counts; what the search afterwards found; what stays, and why."""
    counts = _counts(done, words)
    if done.left:
        first = words.forgotten_left.format(counts=counts or "0", incident=done.incident)
    else:
        first = words.forgotten.format(counts=counts) if counts else words.forgotten_nothing
    stays = _stays(done, message, words)
    return "\n\n".join([first, words.forgotten_stays + "\n\n" + "\n".join(f"- {line}" for line in stays)])


def _counts(done: Forgotten, words: prompts.Messages) -> str:
    by_kind: dict[str, int] = {}
    for table, count in done.deleted.items():
        if table in UNCOUNTED:
            continue
        kind = KINDS.get(table, "settings")
        by_kind[kind] = by_kind.get(kind, 0) + count
    return ", ".join(f"{getattr(words, f'forgotten_{kind}')} ({by_kind[kind]})" for kind in ORDER if by_kind.get(kind))


def _stays(done: Forgotten, message: Message, words: prompts.Messages) -> list[str]:
    held = done.stays.get("holds", 0)
    record = sum(done.stays.values()) - held
    platform = message.place.platform if message.place is not None else ""
    return [
        line
        for line in (
            words.stays_record.format(count=record) if record else "",
            words.stays_holds.format(count=held) if held else "",
            words.stays_totals if done.counted else "",
            {"slack": words.stays_slack, "teams": words.stays_teams}.get(platform, ""),
            words.stays_backups,
        )
        if line
    ]
