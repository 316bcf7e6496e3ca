"""Screens what came in: hide details, then crisis, injection, misuse, scope. One function, called by the turn first."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from bot.guardrails import classifier, clauses, crisis, injection, misuse, privacy, scope, tagger
from bot.guardrails.context import Context, Decision, Screened
from bot.guardrails.details import Found
from bot.guardrails.features import EMBEDDED, Read
from bot.guardrails.gazetteer import gazetteer
from bot.guardrails.judging import Seen, by_belief, by_example, leading, see
from bot.guardrails.languages import language_of
from bot.guardrails.policy import Rule, rules
from bot.guardrails.privacy import Redacted
from bot.guardrails.reading import beside, once
from bot.guardrails.views import clean
from bot.messages import Choice, Handling, Outcome, Reply, Utterance

MOST_CHARACTERS = 8_000
"""Beyond this a message is cut, start and end kept, before it is read."""

SURE_CRISIS = 0.5
"""From what probability a crisis goes before a pattern of an unsafe request."""

_SOFT = (Handling.OUT_OF_SCOPE, Handling.SMALLTALK)
"""What a message is taken for only when none of its clauses is worse."""

_OUTCOMES = {
    Handling.CRISIS: Outcome.ROUTED,
    Handling.REFUSE_UNSAFE: Outcome.REFUSED,
    Handling.REFUSE_MISUSE: Outcome.REFUSED,
    Handling.INJECTION: Outcome.REFUSED,
    Handling.OUT_OF_SCOPE: Outcome.NOT_COVERED,
    Handling.SMALLTALK: Outcome.ANSWERED,
}


def check() -> None:
    """Load every fitted reader and the list of names, so that a damaged or missing file is known at the start and not at the
    first message. Raises ConfigurationError naming the file, FormatError naming the line too."""
    gazetteer()
    classifier.check()
    tagger.tagger()


def screen(text: str, context: Context) -> Screened:
    """Decide what a message may do. Never raises for what a user typed."""
    raw = text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS // 2] + "\n" + text[-MOST_CHARACTERS // 2 :]
    context = replace(context, read=once(context.read))
    plain = clean(raw)
    found = privacy.spans(plain, context.country, context.terms)
    redacted = privacy.written(plain, found)
    read_closely = beside(partial(_closely, plain, found, redacted, context.read))
    language = language_of(redacted.text, context.language)
    seen = see(raw, redacted.text, context)
    decision = decide(seen, context)
    weighed = clauses.Weighed()
    if (decision is None and not clauses.needless(seen)) or (decision is not None and decision.handling in _SOFT):
        weighed = clauses.weigh(redacted.text, context)
        decision = clauses.judge(weighed) or decision
    redacted = read_closely.result()  # the decision saw what is told of a child: that may be what decides
    notice = privacy.notice(redacted.kinds, language)
    screened = Screened(
        handling=Handling.ANSWER_REDACTED if redacted.kinds else Handling.ANSWER,
        text=redacted.text,
        language=language,
        rule=privacy.RULE if redacted.kinds else None,
        version=1 if redacted.kinds else None,
        redactions=redacted.kinds,
        notice=notice,
        caution=crisis.caution(context, language) if crisis.doubted(seen, [part for _, part in weighed.seen]) else None,
        reasons=tuple(f"hid {count} x {kind}" for kind, count in redacted.kinds),
    )
    if decision is None:
        return screened
    decided = _decided(screened, seen.rules[decision.rule], decision.handling, decision.reasons, context)
    return replace(decided, own=decision.own)


def _closely(plain: str, found: list[Found], redacted: Redacted, read: Read | None) -> Redacted:
    """A clean text in which what is told of a child in free words is hidden too, and what the lists took for a detail and is
    none stands again. ``found`` are the lists' spans, ``redacted`` the text without them. Where the embedder is missing, fails
    or gives another shape, patterns and lists stand alone."""
    if read is None:
        return redacted
    states = []
    for _, window in tagger.windows(redacted.text):
        try:
            states.append(read(window)[1])
        except Exception:  # whatever an embedder raises, the screening goes on without it
            return redacted
    if any(one.shape[1:] != (EMBEDDED,) for one in states):
        return redacted
    pieces = tagger.pieces(redacted.text, states)
    stays = tagger.staying(redacted.text, pieces, redacted.places)
    words = [frozenset(plain[start:end].casefold().split()) for start, end, _ in found]
    gone = frozenset[str]().union(*(one for number, one in enumerate(words) if number not in stays))
    hidden = [  # no word of what is hidden is shown elsewhere: 'Lucas' beside 'Lucas Bell'
        span for number, span in enumerate(found) if number not in stays or not gone.isdisjoint(words[number])
    ]
    person = privacy.of_someone(privacy.written(plain, hidden).text)
    told = privacy.in_plain(found, redacted, tagger.told(pieces, person))
    return privacy.written(plain, sorted(hidden + privacy.without_standing(plain, told)))


def added(screened: Screened, name: str, context: Context) -> Screened:
    """A message that was let through, decided after all by a rule that a second look named."""
    rule = rules().get(name)
    if rule is None or screened.handling not in (Handling.ANSWER, Handling.ANSWER_REDACTED):
        return screened
    return _decided(screened, rule, rule.handling, ("a second look by a service",), context)


def _decided(screened: Screened, rule: Rule, handling: Handling, reasons: tuple[str, ...], context: Context) -> Screened:
    crisis_found = handling is Handling.CRISIS
    return replace(
        screened,
        handling=handling,
        text="" if crisis_found else screened.text,
        rule=rule.id,
        version=rule.version,
        reply=reply_of(rule, handling, context, screened.language, screened.notice),
        reasons=reasons + screened.reasons,
        caution=None if crisis_found else screened.caution,
        keep=not crisis_found,
        notify=crisis_found,
    )


def decide(seen: Seen, context: Context) -> Decision | None:
    """The first that decides: the families' patterns in turn, crisis first, then the classifier."""
    found = crisis.judge(seen, context)
    if found is None and context.policy is not None and leading(seen)[0] is Handling.CRISIS:
        found = by_belief(seen)  # what an organization added never stands before a crisis
    found = found or scope.judge(seen, context) or injection.judge(seen, context)
    found = found or misuse.judge(seen, context) or by_example(seen, context)
    if found is not None and found.handling is Handling.REFUSE_UNSAFE and leading(seen)[0] is Handling.CRISIS:
        # Someone tells of a student who asks for a weapon: the words are a request's, the message is a threat.
        found = (by_belief(seen) if seen.chance(Handling.CRISIS) >= SURE_CRISIS else None) or found
    return found or by_belief(seen)


def reply_of(rule: Rule, handling: Handling, context: Context, language: str, notice: str | None) -> Reply:
    """The finished fixed reply of a rule."""
    shown = language if language in rule.texts else "en"
    words = crisis.words(rule, context, language) if handling is Handling.CRISIS else misuse.words(rule, context, language)
    choices: tuple[Choice, ...] = misuse.choices(rule, shown) if handling in misuse.KINDS else ()
    return Reply(
        outcome=_OUTCOMES.get(handling, Outcome.ANSWERED),
        handling=handling,
        markdown=words.strip(),
        language=shown,
        choices=choices,
        notices=(notice,) if notice and handling is not Handling.CRISIS else (),
        fixed=rule.id,
        rule=rule.id,
        private=handling is Handling.CRISIS,
    )


def screen_history(
    history: tuple[Utterance, ...], country: str = "US", terms: frozenset[str] = frozenset(), read: Read | None = None
) -> tuple[Utterance, ...]:
    """Earlier lines with the details in the user's own hidden the same way; the assistant's are redacted too, since they
    may quote what was asked."""

    def safe(line: Utterance) -> str:
        plain = clean(line.text)
        found = privacy.spans(plain, country, terms)
        return _closely(plain, found, privacy.written(plain, found), read if line.role == "user" else None).text

    return tuple(Utterance(line.role, safe(line)) for line in history)
