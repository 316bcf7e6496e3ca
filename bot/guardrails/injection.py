"""Injection: a message that commands the assistant, asks for its instructions, or claims authority, in any disguise."""

from __future__ import annotations

from bot.guardrails import views
from bot.guardrails.context import Context, Decision
from bot.guardrails.judging import Seen, by_pattern, certain, decided
from bot.messages import Handling

PLAIN_VIEWS = frozenset({"marks", "html", "percent", "leet"})
"""Disguises that also occur in honest messages: what they hide must match a rule; the others are strange in themselves."""


def judge(seen: Seen, context: Context) -> Decision | None:  # noqa: ARG001 - one signature for every family
    """Whether the message tries to steer the assistant, plainly or in disguise."""
    for name, view in seen.disguises:
        text = views.folded(view)
        tight = text.replace(" ", "")
        for rule in seen.rules.values():
            if rule.handling is not Handling.INJECTION:
                continue
            if certain(seen, rule, text) or (name == "spaced" and _packed(tight)):
                return decided(rule, f"pattern of {rule.id} in a {name} disguise")
        if name == "invisible" and len(view) > 8:
            return decided(seen.rules["injection.override"], "a run of invisible characters that spells words")
    return by_pattern(seen, Handling.INJECTION)


def _packed(text: str) -> bool:
    """Commands whose letters were set apart, read without spaces."""
    commands = ("ignore", "disregard", "forget", "reveal", "print", "show", "override", "ignora", "olvida", "muestra")
    objects = ("instruction", "rules", "prompt", "guideline", "instrucciones", "reglas", "restrictions")
    return any(word in text for word in commands) and any(word in text for word in objects)
