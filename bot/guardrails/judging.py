"""What every rule family sees of one message, and the patterns and thresholds they share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from bot.guardrails import classifier, features, views
from bot.guardrails.classifier import Belief
from bot.guardrails.context import Context, Decision
from bot.guardrails.policy import Rule, rules
from bot.messages import Handling

PLAIN_QUESTION = 0.9
"""How sure the classifier must be of a plain question for it to overrule a certain pattern (someone quoting or teaching)."""


SHORT = 14
"""Bytes (UTF-8) below which a message is no attempt to steer the assistant, and no request to be refused, for the classifier
alone: a word or two remind of much and ask for nothing. A crisis in a word is still taken for one."""

_NEEDS_WORDS = (Handling.INJECTION, Handling.REFUSE_MISUSE, Handling.REFUSE_UNSAFE)


@dataclass(frozen=True)
class Seen:
    """One message as the families read it: redacted, folded, bare, its disguises, what the classifier believes; ``hidden`` are
    the marks of a crisis that stand in words which the classifier did not read, since they tell of a child."""

    text: str
    fold: str
    bare: str
    disguises: tuple[tuple[str, str], ...]
    belief: Belief
    rules: Mapping[str, Rule]
    marks: Mapping[str, bool]
    hidden: frozenset[str] = frozenset()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def chance(self, handling: Handling) -> float:
        """The classifier's probability of a handling."""
        return self.belief.handlings.get(handling, 0.0)


@cache
def joined(items: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{item})" for item in items) or r"(?!)", re.MULTILINE)


def see(raw: str, redacted: str, context: Context) -> Seen:
    """Prepare a message. ``raw`` is read for disguises and for the patterns of a crisis only; nothing of it is
    kept."""
    known = dict(rules())
    extra: dict[str, tuple[str, ...]] = {}
    if context.policy is not None:
        known.update({rule.id: rule for rule in context.policy.rules})
        extra = {name: tuple(items) for name, items in context.policy.patterns.items()}
        for name in context.policy.off:
            known.pop(name, None)
    fold = views.folded(redacted)
    marked = features.marks(fold)
    plain = views.clean(raw)
    hidden: frozenset[str] = frozenset()
    if plain != redacted:
        whole = features.marks(views.folded(plain))
        hidden = frozenset(name for name, found in whole.items() if ":crisis." in name and found and not marked[name])
        marked |= dict.fromkeys(hidden, True)
    belief = classifier.believe(redacted, context.read, marked)
    return Seen(redacted, fold, views.bare(redacted), views.disguised(raw), belief, known, marked, hidden, extra)


def certain(seen: Seen, rule: Rule, text: str) -> bool:
    """Whether a pattern that decides alone stands in ``text`` (folded)."""
    return bool(joined(rule.certain + seen.extra.get(rule.id, ())).search(text))


def stands(seen: Seen, rule: Rule) -> bool:
    """Whether a certain pattern of a rule stands in the message itself; a shipped rule's patterns were read once."""
    key = f"certain:{rule.id}"
    if key not in seen.marks or rule.id in seen.extra:
        return certain(seen, rule, seen.fold)
    return seen.marks[key]


def added(seen: Seen, rule: Rule) -> bool:
    """Whether a pattern that the organization added to a rule stands in the message."""
    return bool(joined(seen.extra.get(rule.id, ())).search(seen.fold))


def likely(seen: Seen, handling: Handling) -> str | None:
    """The first rule of a handling one of whose weaker patterns stands in the text."""
    for rule in seen.rules.values():
        if rule.handling is handling and (seen.marks.get(f"likely:{rule.id}") or stands(seen, rule)):
            return rule.id
    return None


def decided(rule: Rule, *reasons: str) -> Decision:
    """A decision by a rule."""
    return Decision(rule.id, rule.version, rule.handling, reasons)


def by_pattern(seen: Seen, handling: Handling) -> Decision | None:
    """A certain pattern of a handling, unless the classifier read its words and is sure that this is a plain question about the
    subject."""
    for rule in seen.rules.values():
        if rule.handling is handling and stands(seen, rule):
            sure = seen.chance(Handling.ANSWER)
            if f"certain:{rule.id}" in seen.hidden:
                return decided(rule, f"pattern of {rule.id} in words that were hidden")
            if sure >= PLAIN_QUESTION:
                continue
            return decided(rule, f"pattern of {rule.id}", f"plain question {sure:.2f} < {PLAIN_QUESTION}")
    return None


_ALSO_STOPPED = (Handling.REFUSE_UNSAFE,)
_OTHERWISE_STOPPED = (Handling.REFUSE_MISUSE, Handling.INJECTION, Handling.OUT_OF_SCOPE, Handling.SMALLTALK)
OUTWEIGHED = 0.15
"""Share of another refusal's probability below which a crisis gives way to it."""
_HARMLESS = (Handling.OUT_OF_SCOPE, Handling.SMALLTALK)
LIKELY_HARMLESS = 0.2
"""Probability below which a doubted question is not taken for another subject or small talk: the library says whether it
answers."""
LONG = 600
"""Bytes (UTF-8) beyond which the whole says ever less of a text: its clauses are read one by one."""
FEW_WORDS = 0.3
"""How likely a crisis must be where only the words are known and they are few: those remind of much."""


def leading(seen: Seen) -> tuple[Handling, str]:
    """What the classifier says a message is, and by which figure.

    A crisis needs the least: its own threshold, lower where a weak pattern speaks for it, unless a refusal of an unsafe
    request is likelier still, or another stop several times as likely (they stop the message as well). Then a plain question,
    unless its probability falls below the gate (lower where nothing else speaks against it). Then the likeliest of the rest. The
    longer a text is beyond ``LONG``, the more the whole must say."""
    limits = classifier.thresholds(seen.belief.embedded)
    crisis = seen.chance(Handling.CRISIS)
    crisis_limit = limits["likely:crisis" if likely(seen, Handling.CRISIS) else "crisis"]
    if not seen.belief.embedded and len(seen.bare.encode()) < SHORT:
        crisis_limit = max(crisis_limit, FEW_WORDS)
    stretch = max(1.0, len(seen.text.encode()) / LONG)
    crisis_limit *= stretch
    others = [seen.chance(kind) for kind in _ALSO_STOPPED] + [OUTWEIGHED * seen.chance(kind) for kind in _OTHERWISE_STOPPED]
    if crisis >= crisis_limit and crisis >= max(others):
        return Handling.CRISIS, f"classifier crisis {crisis:.2f} >= {crisis_limit:.2f}"
    rest = {h: value for h, value in seen.belief.handlings.items() if h is not Handling.ANSWER and h in _offered(seen)}
    if not rest:
        return Handling.ANSWER, "no rule"
    best = max(rest, key=lambda h: rest[h])
    gate = limits["likely:answer" if likely(seen, best) else "answer"] / stretch
    answer = seen.chance(Handling.ANSWER)
    if answer >= gate:
        return Handling.ANSWER, f"plain question {answer:.2f} >= {gate:.2f}"
    if best in _HARMLESS and rest[best] < LIKELY_HARMLESS:
        return Handling.ANSWER, f"plain question {answer:.2f}, {best.value} only {rest[best]:.2f}"
    return best, f"classifier {best.value} {rest[best]:.2f}, plain question {answer:.2f} < {gate:.2f}"


def _offered(seen: Seen) -> frozenset[Handling]:
    return frozenset(rule.handling for rule in seen.rules.values())


def by_belief(seen: Seen) -> Decision | None:
    """The classifier's word; None for a plain question."""
    handling, why = leading(seen)
    name = seen.belief.rules.get(handling)
    if handling is Handling.ANSWER or name is None or name not in seen.rules:
        return None
    hint = likely(seen, handling)
    if handling in _NEEDS_WORDS and len(seen.bare.encode()) < SHORT and (hint is None or handling is Handling.INJECTION):
        return None
    reasons = [why, f"likeliest rule {name}"]
    if hint is not None:
        reasons.append(f"weak pattern of {hint}")
    if not seen.belief.embedded:
        reasons.append("without the embedding")
    return decided(seen.rules[name], *reasons)


ALIKE = 0.6
"""Cosine of words and letter groups from which a message counts as an organization's own example."""


def by_example(seen: Seen, context: Context) -> Decision | None:
    """A message worded nearly like one of the organization's own examples of a rule."""
    if context.policy is None or not context.policy.examples:
        return None
    vector = features.hashed(seen.fold)
    for name, texts in context.policy.examples.items():
        if name in seen.rules and any(float(features.hashed(views.folded(text)) @ vector) >= ALIKE for text in texts):
            return replace(decided(seen.rules[name], f"worded like an example the organization gave for {name}"), own=True)
    return None
