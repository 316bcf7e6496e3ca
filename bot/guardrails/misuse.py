"""Unsafe requests, misuse, and the decisions the policy never gives to AI."""

from __future__ import annotations

from bot.guardrails.context import Context, Decision
from bot.guardrails.judging import Seen, by_belief, by_pattern
from bot.guardrails.policy import Rule
from bot.messages import Choice, Handling

KINDS = (Handling.REFUSE_UNSAFE, Handling.REFUSE_MISUSE)
_OFFICE = {"en": "your administrator", "es": "su director o directora"}
_SHOW = {"en": "Show the guidance", "es": "Mostrar la guía"}
_PERSON = {"en": "Ask a person", "es": "Preguntar a una persona"}


def judge(seen: Seen, context: Context) -> Decision | None:  # noqa: ARG001 - one signature for every family
    """Whether the request is refused: hard patterns first, then the likelier of the two kinds."""
    for kind in KINDS:
        found = by_pattern(seen, kind)
        if found is not None:
            return found
    for kind in sorted(KINDS, key=lambda k: -seen.chance(k)):
        found = by_belief(seen, kind)
        if found is not None:
            return found
    return _together(seen)


def _together(seen: Seen) -> Decision | None:
    """Sure that it is refused, unsure which of the two kinds: the likelier one."""
    from bot.guardrails import classifier

    both = sum(seen.chance(kind) for kind in KINDS)
    kind = max(KINDS, key=seen.chance)
    name = seen.belief.rules.get(kind)
    limit = classifier.thresholds()[kind.value]
    if both < limit or name is None or name not in seen.rules:
        return None
    rule = seen.rules[name]
    return Decision(
        rule.id, rule.version, rule.handling, (f"classifier refused {both:.2f} >= {limit:.2f}", f"likeliest rule {name}")
    )


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
