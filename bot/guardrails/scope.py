"""Scope and small talk: greetings, thanks and questions about the assistant, at once; subjects an organization put outside."""

from __future__ import annotations

from dataclasses import replace

from bot.guardrails.context import Context, Decision
from bot.guardrails.judging import Seen, added, certain, decided, stands
from bot.messages import Handling


def judge(seen: Seen, context: Context) -> Decision | None:  # noqa: ARG001 - one signature for every family
    """Whether the whole message is a courtesy or a word about the assistant, or a pattern puts it outside the scope."""
    for rule in seen.rules.values():
        if rule.handling is Handling.SMALLTALK and certain(seen, rule, seen.bare):
            return decided(rule, f"the whole message matches {rule.id}")
        if rule.handling is Handling.OUT_OF_SCOPE and stands(seen, rule):
            return replace(decided(rule, f"pattern of {rule.id}"), own=added(seen, rule))
    return None
