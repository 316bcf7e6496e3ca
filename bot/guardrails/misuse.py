"""Unsafe requests, misuse, and the decisions the policy never gives to AI."""

from __future__ import annotations

from bot.guardrails.context import Context, Decision
from bot.guardrails.judging import Seen, by_pattern
from bot.guardrails.policy import Rule
from bot.messages import Choice, Handling

KINDS = (Handling.REFUSE_UNSAFE, Handling.REFUSE_MISUSE)
_OFFICE = {"en": "your administrator", "es": "su director o directora"}
_SHOW = {"en": "Show the guidance", "es": "Mostrar la guía"}
_PERSON = {"en": "Ask a person", "es": "Preguntar a una persona"}


def judge(seen: Seen, context: Context) -> Decision | None:  # noqa: ARG001 - one signature for every family
    """Whether a pattern says that the request is refused: unsafe before misuse."""
    return by_pattern(seen, Handling.REFUSE_UNSAFE) or by_pattern(seen, Handling.REFUSE_MISUSE)


def words(rule: Rule, context: Context, language: str) -> str:
    """The refusal: the rule, its owner, the person to ask."""
    shown = language if language in rule.texts else "en"
    contacts = context.contacts
    contact = contacts.offices.get(rule.id) or contacts.offices.get(rule.id.split(".")[0]) or contacts.general
    text = (context.policy.texts.get(rule.id, {}) if context.policy else {}).get(shown) or rule.texts[shown]
    return str(text).format(owner=rule.owner, contact=contact or _OFFICE.get(shown, _OFFICE["en"]))


def choices(rule: Rule, language: str) -> tuple[Choice, ...]:
    """What else there is: the published guidance on the subject, and a person. ``ask:`` values are asked as questions."""
    shown = "es" if language == "es" else "en"
    found = []
    question = rule.guidance.get(shown)  # type: ignore[call-overload]
    if question:
        found.append(Choice(_SHOW[shown], f"ask:{question}", str(question)))
    return (*found, Choice(_PERSON[shown], "person"))
