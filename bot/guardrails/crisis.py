"""Crisis: someone may be in danger. Decides first, and closed: one pattern is enough, or a low threshold of the classifier."""

from __future__ import annotations

from bot.guardrails.context import Context, Decision
from bot.guardrails.judging import Seen, by_pattern
from bot.guardrails.policy import Rule, lines
from bot.messages import Handling


def judge(seen: Seen, context: Context) -> Decision | None:  # noqa: ARG001 - one signature for every family
    """Whether a pattern says that the message is a crisis; what no pattern says is left to the classifier."""
    return by_pattern(seen, Handling.CRISIS)


def words(rule: Rule, context: Context, language: str) -> str:
    """The fixed text: the organization's own contact first, then the country's lines for the rule's topics."""
    shown = language if language in rule.texts else "en"
    data = lines()
    label = data.labels[shown]
    own = context.contacts.crisis or context.contacts.general
    contact = label["contact"].format(contact=own) if own else label["unset"]
    numbers = [
        f"{label[entry.topic]}: {entry.line}." for entry in data.countries.get(context.country, []) if entry.topic in rule.topics
    ]
    text = (context.policy.texts.get(rule.id, {}) if context.policy else {}).get(shown) or rule.texts[shown]
    return str(text).format(contact=contact, lines=" ".join(numbers) or f"{label['emergency']}: {label['local']}.")
