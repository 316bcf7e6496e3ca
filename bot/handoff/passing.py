"""What of a person's words is passed on to another: details of students taken out, the organization's own contacts left in."""

from __future__ import annotations

from dataclasses import dataclass

from bot.guardrails import privacy
from bot.guardrails.policy import privacy as policy
from bot.handoff.cases import MOST_LINE

_HELD, _END = "\ue100", "\ue101"


@dataclass(frozen=True)
class Passed:
    """``text`` may be stored and shown; ``kinds`` names what was taken out of it."""

    text: str
    kinds: tuple[str, ...]

    def hidden(self, language: str) -> str:
        """What was taken out, in words; empty for nothing."""
        known = policy().kinds
        return ", ".join(known[kind].get(language, known[kind]["en"]) for kind in self.kinds)  # type: ignore[call-overload]


def passing(text: str, country: str, contacts: tuple[str, ...]) -> Passed:
    """A helper's or an asker's words as they may be passed on. ``contacts`` are published by the organization and stay."""
    text = text.replace(_HELD, "").replace(_END, "").strip()[:MOST_LINE]
    held: list[str] = []
    for contact in sorted((known for known in contacts if known), key=len, reverse=True):
        while contact in text:
            text = text.replace(contact, _HELD * (len(held) + 1) + _END, 1)
            held.append(contact)
    redacted = privacy.redact(text, country)
    passed = redacted.text
    for number in range(len(held), 0, -1):
        passed = passed.replace(_HELD * number + _END, held[number - 1], 1)
    return Passed(passed.strip(), tuple(kind for kind, _ in redacted.kinds))
