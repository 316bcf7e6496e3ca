"""Turns a question and what was found for it into numbers that tell an answer from a near miss.

Pure. Each signal has a name, used in the fitted weights and in ``signpost why``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

import numpy as np
import snowballstemmer

from bot.assistant.search import Found
from bot.assistant.understand import STOP_WORDS, Understood, Vocabulary, names_in, numbers_in, unaccented
from bot.knowledge.lexical_index import words

_STEMMER = snowballstemmer.stemmer("english")

ASKS: dict[str, re.Pattern[str]] = {
    "when": re.compile(r"\b(when|date|deadline|due|by when|how soon|what year|cuando|fecha|plazo|effective|start(s|ed)?|expire)\b", re.I),
    "money": re.compile(r"\b(cost|price|pay|fee|fine[sd]?|dollars?|\$|how much money|budget|cheap|expensive|license cost|cuesta|precio|multa|penalt(y|ies)|per seat|subscription)\b", re.I),
    "count": re.compile(r"\b(how many|how much|what percent(age)?|percent|%|number of|what share|average|rate|cuantos?|cuantas?|porcentaje|how often|how long)\b", re.I),
    "who": re.compile(r"\b(who|whose|whom|which (company|person|agency|office|organization)|named?|author|signed by|quien|led by)\b", re.I),
    "why": re.compile(r"\b(why|reason|motive|how come|por ?que)\b", re.I),
    "how_to": re.compile(r"\b(how (do|can|should|would|to)|steps?|template|sample|example|walk me through|set up|configure|draft|write (me|us|a)|como (hago|puedo))\b", re.I),
    "compare": re.compile(r"\b(better|worse|best|versus|vs\.?|compared?|difference between|which is|more (strict|accurate)|rank)\b", re.I),
    "future": re.compile(r"\b(will|going to|next year|expected|predict|in 20(2[7-9]|3\d)|future|plan to|upcoming|by 20(2[8-9]|3\d))\b", re.I),
    "may": re.compile(r"\b(may|can|allowed?|ok(ay)?|legal|permitted|illegal|violat\w+|is it fine|against the law|puedo|puede|podemos|permitido)\b", re.I),
    "must": re.compile(r"\b(must|required?|requires|have to|need to|mandat\w+|obligat\w+|supposed to|debe|obligatori\w+|tiene que)\b", re.I),
    "local": re.compile(r"\b(our|my|we|nuestro|nuestra|mi)\b", re.I),
    "penalty": re.compile(r"\b(penalt\w+|fine[sd]?|sanction\w*|punish\w*|lose (funding|accreditation)|consequence\w*|sued?|lawsuit|liab\w+|enforce\w*|what happens if)\b", re.I),
}
"""What kind of thing a question asks for, in its own words."""

HOLDS: dict[str, re.Pattern[str]] = {
    "when": re.compile(r"\b(19|20)\d\d\b|\b(january|february|march|april|may|june|july|august|september|october|november|december)\b", re.I),
    "money": re.compile(r"[$€£]|\b(dollars?|million|billion|penalt|fine[sd]?|fund)", re.I),
    "count": re.compile(r"\d|\b(one|two|three|four|five|six|seven|eight|nine|ten|twelve|half|third|quarter|most|majority)\b", re.I),
    "who": re.compile(r"[A-Z][a-z]+ [A-Z]"),
    "why": re.compile(r"\b(because|since|so that|in order to|to avoid|reason|due to|said it|aim)", re.I),
    "penalty": re.compile(r"\b(penalt|fine[sd]?|sanction|enforce|lose|liab|consequence|discipline)", re.I),
}
"""Whether a statement holds a thing of that kind."""


def stems(text: str) -> set[str]:
    """Stems of the content words of a text, without accents."""
    stop = STOP_WORDS["en"] | STOP_WORDS["es"]
    return set(_STEMMER.stemWords([w for w in words(unaccented(text)) if w not in stop]))


class Rarity:
    """How telling a word is in this library: inverse document frequency over statements and questions, by stem."""

    def __init__(self, texts: Iterable[str]) -> None:
        counts: dict[str, int] = {}
        total = 0
        for text in texts:
            total += 1
            for stem in stems(text):
                counts[stem] = counts.get(stem, 0) + 1
        self._counts = counts
        self._total = max(total, 1)

    def __call__(self, stem: str) -> float:
        return math.log((self._total + 1) / (self._counts.get(stem, 0) + 0.5))


def evidence_text(found: Found) -> str:
    """All the words a statement can be asked for by: itself, its headings, its document's names."""
    front = found.shelved.version.front
    return " ".join(
        (
            found.shelved.text,
            *found.shelved.passage.heading_path,
            front.title,
            front.publisher,
            front.jurisdiction,
            *front.also_called,
        )
    )


def _share(wanted: set[str], present: set[str], rarity: Rarity) -> float:
    total = sum(rarity(stem) for stem in wanted)
    return sum(rarity(stem) for stem in wanted & present) / total if total else 1.0


def signals(question: Understood, found: Sequence[Found], rarity: Rarity, key_texts: Sequence[str]) -> dict[str, float]:
    """The signals of the best statement. ``key_texts`` are all questions it is known to answer."""
    best = found[0]
    evidence = evidence_text(best)
    asked = stems(question.text)
    in_text = stems(evidence)
    in_keys = set().union(*(stems(text) for text in key_texts)) if key_texts else set()
    key = stems(best.key.text) if best.key else set()
    missing = asked - in_text - in_keys
    other = next((f for f in found[1:] if f.shelved.version.document != best.shelved.version.document), None)
    next_passage = next((f for f in found[1:] if f.shelved.passage.id != best.shelved.passage.id), None)
    have = set(names_in(evidence)) | set(names_in(" . ".join(key_texts)))
    strangers = [name for name in question.names if name not in have and not _same_country(name.usual, have)]
    numbers = set(question.numbers) - set(numbers_in(evidence)) - set(numbers_in(" ".join(key_texts)))
    asks = {kind for kind, pattern in ASKS.items() if pattern.search(question.text)}
    key_asks = {kind for kind, pattern in ASKS.items() if best.key and pattern.search(best.key.text)}
    lacking = [kind for kind in asks & HOLDS.keys() if not HOLDS[kind].search(best.shelved.text)]
    values: dict[str, float] = {
        "key_cosine": best.key_cosine,
        "cosine": best.cosine,
        "score": best.score,
        "key_words": best.key_words,
        "words": best.words,
        "margin_document": best.score - (other.score if other else 0.0),
        "margin_passage": best.score - (next_passage.score if next_passage else 0.0),
        "coverage_text": _share(asked, in_text, rarity),
        "coverage_all": _share(asked, in_text | in_keys, rarity),
        "coverage_key": _share(asked, key, rarity),
        "key_covered": _share(key, asked, rarity),
        "rarest_missing": max((rarity(stem) for stem in missing), default=0.0),
        "missing_terms": float(len(missing)),
        "strange_names": float(len(strangers)),
        "strange_state": float(any(name.kind in ("states", "places") for name in strangers)),
        "shared_names": float(len([n for n in question.names if n in have])),
        "strange_numbers": float(len(numbers)),
        "asks_same": len(asks & key_asks) / max(len(asks | key_asks), 1),
        "lacking": float(len(lacking)),
        "length": math.log1p(len(words(question.text))),
        "spanish": float(question.language == "es"),
        "has_keys": float(best.key is not None),
    }
    for kind in ASKS:
        values[f"asks_{kind}"] = float(kind in asks)
        values[f"only_asks_{kind}"] = float(kind in asks and kind not in key_asks)
    return values


def _same_country(usual: str, have: set[object]) -> bool:
    return usual == "United States" and not any(getattr(n, "kind", "") == "places" for n in have)


def pair_vector(question: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Element-wise features of two unit vectors: their product and their absolute difference."""
    return np.concatenate([question * key, np.abs(question - key)])


__all__ = ["ASKS", "HOLDS", "Rarity", "Vocabulary", "evidence_text", "pair_vector", "signals", "stems"]
