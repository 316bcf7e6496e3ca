"""Measures the assistant on a file of questions: right document, right passage, right decision, same decision.

Used by ``signpost eval`` on an administrator's own questions and by ``make eval`` on the project's. Format: one JSON object
a line, ``{"question", "gold": [{"doc", "fact"|"section"}], "history", "kind", "reason", "group", "id"}``; an empty ``gold``
means the library does not answer.
"""

from __future__ import annotations

import json
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.assistant.assistant import Assistant
from bot.assistant.weigh import choose
from bot.errors import FormatError
from bot.knowledge.shelf import Shelf, Shelved
from bot.messages import Answered, Message, Utterance

SEED = 20_261_126
LEVELS = (0.80, 0.85, 0.88, 0.90, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99)
"""Shares of the answerable at which the trade-off is shown."""
"""Of samples, so that two runs ask the same questions."""


@dataclass(frozen=True)
class Case:
    """One question with what a good answer cites; no gold means "not covered" is right."""

    id: str
    question: str
    kind: str
    gold: tuple[tuple[str, str], ...]
    history: tuple[Utterance, ...] = ()
    group: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Outcome:
    """What happened to a case. Ranks count from 0; None is beyond what was looked at."""

    case: Case
    document_rank: int | None
    statement_rank: int | None
    cited: bool
    probability: float
    answered: bool
    decision: tuple[str, ...]


def read_cases(path: Path) -> list[Case]:
    """The cases of a file. Raises FormatError naming file and line."""
    cases: list[Case] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            data: dict[str, Any] = json.loads(line)
            gold = tuple((g["doc"], f"fact {g['fact']}" if "fact" in g else g.get("section", "")) for g in data.get("gold", []))
            history = tuple(Utterance(h["role"], h["text"]) for h in data.get("history", []))
            cases.append(
                Case(
                    str(data.get("id", number)),
                    data["question"],
                    data.get("kind", "answerable" if gold else "unanswerable"),
                    gold,
                    history,
                    data.get("group", ""),
                    data.get("reason", ""),
                )
            )
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(f"not a case: {error!r}", where=f"{path.name}:{number}") from None
    return cases


def carries(shelved: Shelved, gold: tuple[str, str], *, passage: bool) -> bool:
    """Whether a statement, or its passage, holds what a good answer cites."""
    document, part = gold
    if shelved.version.document != document:
        return False
    if not part:
        return True
    if part.startswith("fact "):
        fact = int(part.removeprefix("fact "))
        if fact in shelved.statement.facts:
            return True
        if not passage:
            return False
        _, statements = shelved.version.parts
        return any(fact in s.facts and s.passage == shelved.statement.passage for s in statements)
    return shelved.passage.section == part


def run(assistant: Assistant, shelves: list[Shelf], cases: Iterable[Case]) -> list[Outcome]:
    """Put every case to the assistant's search and decision."""
    outcomes: list[Outcome] = []
    for case in cases:
        considered = assistant.consider(case.question, case.history, shelves)
        found = [f.shelved for f in considered.found]
        documents = list(dict.fromkeys(s.version.document for s in found))
        wanted = {document for document, _ in case.gold}
        document_rank = next((i for i, d in enumerate(documents) if d in wanted), None)
        statement_rank = next((i for i, s in enumerate(found) if any(carries(s, g, passage=False) for g in case.gold)), None)
        chosen = [f.shelved for f in choose(considered)]
        answered = considered.answers
        outcomes.append(
            Outcome(
                case,
                document_rank,
                statement_rank,
                any(carries(s, g, passage=True) for s in chosen for g in case.gold),
                considered.probability,
                answered,
                (chosen[0].version.document,) if answered and chosen else (),
            )
        )
    return outcomes


def sample(cases: list[Case], count: int, seed: int) -> list[Case]:
    """``count`` of the cases by chance, the same for the same seed, in the file's order; all when there are no more."""
    chosen = set(random.Random(seed).sample(range(len(cases)), min(count, len(cases))))  # noqa: S311 - a sample
    return [case for number, case in enumerate(cases) if number in chosen]


def beside(
    answerers: Mapping[str, Callable[[Message], Answered]],
    shelves: list[Shelf],
    cases: list[Case],
    organization: str | None = None,
) -> dict[str, Any]:
    """Whole answers of several assistants to the same questions, by the assistants' names: what an asker is shown.

    A question counts as answered when quotes came, and as well answered when one of them stands in a gold passage.
    """
    places = {(s.version.id, s.statement.start): s for shelf in shelves for s in shelf.statements}
    figures: dict[str, dict[str, Any]] = {}
    for name, answer in answerers.items():
        shown: list[tuple[Case, list[Shelved]]] = []
        for case in cases:
            reply = answer(Message(case.question, history=case.history, organization=organization)).reply
            quoted = [(c.version, c.start) for c in reply.citations] if reply.outcome.value == "answered" else []
            shown.append((case, [places[place] for place in quoted if place in places]))
        yes = [(case, cited) for case, cited in shown if case.gold]
        figures[name] = {
            "answered when answerable": _share([bool(cited) for _, cited in yes]),
            "answered and gold passage quoted": _share([_quotes_gold(cited, case) for case, cited in yes]),
            "gold passage quoted first": _share([_quotes_gold(cited[:1], case) for case, cited in yes]),
            "not covered when not": _share([not cited for case, cited in shown if not case.gold]),
        }
    return figures


def _quotes_gold(cited: list[Shelved], case: Case) -> bool:
    return any(carries(statement, gold, passage=True) for statement in cited for gold in case.gold)


def _share(flags: list[bool]) -> dict[str, Any]:
    low, high = wilson(sum(flags), len(flags))
    share = round(sum(flags) / len(flags), 4) if flags else None
    return {"share": share, "hits": sum(flags), "of": len(flags), "interval": [round(low, 4), round(high, 4)]}


def wilson(hits: int, total: int) -> tuple[float, float]:
    """95 % Wilson interval of a share."""
    if total == 0:
        return 0.0, 1.0
    z = 1.96
    share = hits / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def report(outcomes: list[Outcome]) -> dict[str, Any]:
    """Figures with intervals, the trade-off curve, and the failures by cause."""
    yes = [o for o in outcomes if o.case.gold]
    no = [o for o in outcomes if not o.case.gold]
    return {
        "figures": _found(yes) | {"not covered when not": _share([not o.answered for o in no])} | _paraphrased(outcomes),
        "auroc": round(auroc([o.probability for o in yes], [o.probability for o in no]), 4),
        "curve": _curve([o.probability for o in yes], [o.probability for o in no]),
        "causes": dict(_causes(yes, no).most_common()),
        "failures": [
            {"id": o.case.id, "question": o.case.question, "answered": o.answered, "probability": round(o.probability, 3)}
            for o in outcomes
            if (o.case.gold and not (o.answered and o.cited)) or (not o.case.gold and o.answered)
        ],
    }


def _found(yes: list[Outcome]) -> dict[str, Any]:
    """What was found, quoted and answered of the answerable, by kind of question."""
    figures: dict[str, Any] = {}
    for name, kinds in (("answerable", ("answerable", "paraphrase")), ("spanish", ("spanish",)), ("follow-up", ("followup",))):
        group = [o for o in yes if o.case.kind in kinds]
        figures |= {
            f"{name}: right document first": _share([o.document_rank == 0 for o in group]),
            f"{name}: right document in top five": _share([_within(o.document_rank) for o in group]),
            f"{name}: exact statement in top five": _share([_within(o.statement_rank) for o in group]),
            f"{name}: gold passage among quotes": _share([o.cited for o in group]),
            f"{name}: answered": _share([o.answered for o in group]),
            f"{name}: answered and gold passage quoted": _share([o.answered and o.cited for o in group]),
        }
    return figures


def _within(rank: int | None) -> bool:
    return rank is not None and rank < 5


def _paraphrased(outcomes: list[Outcome]) -> dict[str, Any]:
    """Whether wordings of one question end alike: by question, and pair by pair."""
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.case.group:
            groups[outcome.case.group].append(outcome)
    pairs = [a.decision == b.decision for g in groups.values() for i, a in enumerate(g) for b in g[i + 1 :]]
    return {
        "paraphrases: same decision": _share([len({o.decision for o in g}) == 1 for g in groups.values()]),
        "paraphrases: same decision, pair by pair": _share(pairs),
    }


def _curve(yes: list[float], no: list[float]) -> list[dict[str, float]]:
    """What is said "not covered" to at each share of the answerable that is answered."""
    if not yes or not no:
        return []
    scores, curve = sorted(yes, reverse=True), []
    for level in LEVELS:
        cut = scores[min(int(level * len(scores)), len(scores) - 1)]
        curve.append(
            {
                "answered": round(sum(p >= cut for p in yes) / len(yes), 4),
                "not covered when not": round(sum(p < cut for p in no) / len(no), 4),
                "threshold": round(cut, 4),
            }
        )
    return curve


def _causes(yes: list[Outcome], no: list[Outcome]) -> Counter[str]:
    causes = Counter(f"answered though not covered ({o.case.reason or 'no reason given'})" for o in no if o.answered)
    for o in yes:
        if not o.answered:
            causes["refused though covered" + ("" if o.document_rank == 0 else ", wrong document first")] += 1
        elif not o.cited:
            causes["answered with another passage"] += 1
    return causes


def auroc(positive: list[float], negative: list[float]) -> float:
    """Chance that a positive scores above a negative, ties counting half."""
    if not positive or not negative:
        return 0.5
    ordered = sorted([(p, 1) for p in positive] + [(n, 0) for n in negative])
    total, i = 0.0, 0
    while i < len(ordered):
        j = i
        while j < len(ordered) and ordered[j][0] == ordered[i][0]:
            j += 1
        total += sum(flag for _, flag in ordered[i:j]) * (i + j + 1) / 2
        i = j
    return (total - len(positive) * (len(positive) + 1) / 2) / (len(positive) * len(negative))
