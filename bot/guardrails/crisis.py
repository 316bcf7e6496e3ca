"""Crisis: someone may be in danger. Decides first, and closed: one pattern is enough, or a low threshold of the classifier."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bot.guardrails.context import Context, Decision
from bot.guardrails.judging import Seen, by_pattern
from bot.guardrails.policy import Language, Rule, lines
from bot.messages import Handling

DOUBT, CLAUSE_DOUBT = 0.015, 0.4
"""How likely a whole message, or a clause, must be a crisis for a caution before its answer: of the crises that are missed half
are, of the others among messages set apart one in twenty-five."""

SHORT = 30
"""Bytes (UTF-8) below which nothing is doubted: a few words remind of much, and many are a command or a button's."""


def judge(seen: Seen, context: Context) -> Decision | None:  # noqa: ARG001 - one signature for every family
    """Whether a pattern says that the message is a crisis; what no pattern says is left to the classifier."""
    return by_pattern(seen, Handling.CRISIS)


def words(rule: Rule, context: Context, language: str) -> str:
    """The fixed text: the organization's own contact first, then the country's lines for the rule's topics."""
    shown = language if language in rule.texts else "en"
    text = (context.policy.texts.get(rule.id, {}) if context.policy else {}).get(shown) or rule.texts[shown]
    return _filled(str(text), rule.topics, context, shown)


def doubted(seen: Seen, parts: Sequence[Seen]) -> bool:
    """Whether a message that was not taken for a crisis, or one of its clauses, is too near one to say nothing of it. Without
    the embedding nobody can tell so finely."""
    if not seen.belief.embedded or len(seen.bare.encode()) < SHORT:
        return False
    return seen.chance(Handling.CRISIS) >= DOUBT or any(part.chance(Handling.CRISIS) >= CLAUSE_DOUBT for part in parts)


def caution(context: Context, language: str) -> str:
    """What is said before the answer to a doubted message: whom to tell, and whom to call."""
    labels = lines().labels
    shown = language if language in labels else "en"
    return _filled(labels[shown]["doubt"], ("emergency", "suicide"), context, shown)


def _filled(text: str, topics: Collection[str], context: Context, language: Language) -> str:
    data = lines()
    label = data.labels[language]
    own = context.contacts.crisis or context.contacts.general
    contact = label["contact"].format(contact=own) if own else label["unset"]
    known = data.countries.get(context.country, [])
    numbers = [f"{label[entry.topic]}: {entry.line}." for entry in known if entry.topic in topics]
    return text.format(contact=contact, lines=" ".join(numbers) or f"{label['emergency']}: {label['local']}.")
