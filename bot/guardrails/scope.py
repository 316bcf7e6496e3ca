"""Scope and small talk: greetings, thanks and questions about the assistant at once; other subjects in one friendly line."""

from __future__ import annotations

from bot.guardrails.context import Context, Decision
from bot.guardrails.judging import Seen, by_belief, certain, decided
from bot.messages import Handling


def at_once(seen_bare: str, seen: Seen) -> Decision | None:
    """A whole message that is a greeting, thanks, or a word about the assistant."""
    for rule in seen.rules.values():
        if rule.handling is Handling.SMALLTALK and certain(seen, rule, seen_bare):
            return decided(rule, f"the whole message matches {rule.id}")
    return None


def judge(seen: Seen, context: Context) -> Decision | None:  # noqa: ARG001 - one signature for every family
    """Whether the message is small talk or about something else."""
    return by_belief(seen, Handling.SMALLTALK) or by_belief(seen, Handling.OUT_OF_SCOPE) or _organization(seen)


def _organization(seen: Seen) -> Decision | None:
    """Rules an organization added, by their patterns."""
    for rule in seen.rules.values():
        if rule.handling in (Handling.OUT_OF_SCOPE, Handling.ANSWER) and certain(seen, rule, seen.fold):
            return decided(rule, f"pattern of {rule.id}")
    return None
