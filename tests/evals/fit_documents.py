"""Fits the reader of commands in documents: ``python -m tests.evals.fit_documents`` (seconds; needs scikit-learn).

True: the lines that command an assistant (``policy/document_lines.txt``, ``poisoned.yaml``).
False: the honest lines of the same files, every sentence of the shipped library, of the project's own pages and messages, and
staff's questions. What is printed is judged on lines that the fit did not see, in four folds of neighbouring lines."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import yaml
from sklearn.linear_model import LogisticRegression

from bot.guardrails import commanding, policy
from bot.guardrails.documents import LEAST, sentences
from bot.guardrails.views import clean
from bot.knowledge.document import split_front_matter
from bot.knowledge.embedding import MiniLM
from bot.knowledge.reading.markdown import read_markdown
from tests.evals.fit_questions import fit_cases
from tests.evals.poisoned import BODIES, PAYLOADS, REMARKS

ROOT = Path(__file__).parent.parent.parent
LINES = Path(__file__).parent / "policy" / "document_lines.txt"
STRENGTH, TRUE_WEIGHT, HARD_WEIGHT, FOLDS, BLOCK = 1.0, 4.0, 3.0, 4, 5
MESSAGES, ASKED = 1500, 8


def lines(part: str) -> list[str]:
    """The lines of a part: 'commands' or 'honest'."""
    _, _, rest = LINES.read_text(encoding="utf-8").partition(f"@ {part}\n")
    return rest.partition("\n@ ")[0].splitlines()


def strings(value: object) -> Iterable[str]:
    """Every text in a YAML file's data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)


def prose(path: Path) -> list[str]:
    """The sentences of a Markdown page, as its reader gives them, without its front matter."""
    _, body, _ = split_front_matter(path.read_text(encoding="utf-8"))
    blocks = read_markdown(body).blocks
    return [s for block in blocks for s in sentences(clean(block.text)) if len(s) >= LEAST]


def true() -> list[str]:
    """Lines that command an assistant."""
    return [*lines("commands"), *[line for half in PAYLOADS.values() for line in half]]


def tempting() -> list[str]:
    """Sentences that command nobody in the words of commands: they weigh more."""
    found = lines("honest")
    found += [s for half in BODIES.values() for body in half for part in body for s in sentences(part)]
    found += [remark for half in REMARKS.values() for remark in half]
    return [*found, *[s for path in sorted((ROOT / "docs").glob("*.md")) for s in prose(path)]]


def plain() -> list[str]:
    """Other sentences that command nobody."""
    found = [
        s
        for folder in ("documents", "samples")
        for path in sorted((ROOT / "knowledge" / folder).glob("*.md"))
        for s in prose(path)
    ]
    said = [
        s
        for folder in ("lessons", "messages", "readiness")
        for path in sorted((ROOT / "prompts" / folder).glob("*.yaml"))
        for text in strings(yaml.safe_load(path.read_text(encoding="utf-8")))
        for s in sentences(text)
        if 25 < len(s) < 300
    ]
    random.Random(2).shuffle(said)
    asked = [case.question for case in fit_cases()[::ASKED]]
    return [*found, *said[:MESSAGES], *asked, *[e.text for e in policy.examples() if not e.rule]]


def fitted(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> LogisticRegression:
    """One reader."""
    return LogisticRegression(C=STRENGTH, max_iter=500).fit(x, y, weight)


def main() -> None:
    """Judge, fit on everything, write."""
    commands, hard = true(), tempting()
    texts = list(dict.fromkeys([*commands, *hard, *plain()]))
    y = np.isin(texts, commands).astype(int)
    weight = np.where(y == 1, TRUE_WEIGHT, np.isin(texts, hard) * (HARD_WEIGHT - 1) + 1)
    signs = np.array([commanding.signs(text) for text in texts])
    embedder = MiniLM()
    vectors = np.vstack([embedder.encode(texts[i : i + 64]) for i in range(0, len(texts), 64)])
    both = np.hstack([signs, vectors * np.float32(commanding.SCALES[2])])
    fold = (np.arange(len(texts)) // BLOCK) % FOLDS
    by_words, by_both = np.zeros(len(texts)), np.zeros(len(texts))
    for part in range(FOLDS):
        seen, unseen = fold != part, fold == part
        by_words[unseen] = fitted(signs[seen], y[seen], weight[seen]).decision_function(signs[unseen])
        by_both[unseen] = fitted(both[seen], y[seen], weight[seen]).decision_function(both[unseen])
    told = (by_words >= commanding.DOUBTED) & (by_both >= commanding.HELD)
    alone = by_words >= commanding.HELD_BY_WORDS
    for name, found in (("with the embedder", told), ("by words alone", alone)):
        sys.stdout.write(
            f"{name}: of {y.sum()} commands {found[y == 1].mean():.3f} found; of {(y == 0).sum()} honest sentences "
            f"{found[y == 0].mean():.4f} taken for one; {(by_words[y == 0] >= commanding.DOUBTED).mean():.3f} of those embedded\n"
        )
    first, second = fitted(signs, y, weight), fitted(both, y, weight)
    np.savez_compressed(
        commanding.path(),
        words=first.coef_[0].astype(np.float16),
        words_bias=np.float32(first.intercept_[0]),
        both=second.coef_[0].astype(np.float16),
        both_bias=np.float32(second.intercept_[0]),
    )
    sys.stdout.write(f"{commanding.path().stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
