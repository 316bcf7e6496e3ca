"""Fits the decision on the fitting half of the question file: ``python -m tests.evals.fit [pair|weights]``.

Two steps. ``pair``: the small net over the vectors of a question, the best statement and its closest key. ``weights``: a
logistic model over all signals, the net's own (cross-fitted) answer among them; one for statements with written question
keys, one fitted on the same library with those keys taken away, for files that have none. A fitting question that is
itself a key or a near miss of the library is left out of the search while it is weighed. Signals come from the assistant
as it is; folds are grouped by the nearest document. The never-tuned half is not read.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.neural_network import MLPClassifier

from bot.app import App
from bot.assistant.decide import THRESHOLD
from bot.assistant.evaluation import Case, auroc, read_cases
from bot.assistant.pair_model import joined, pair_model
from bot.assistant.search import Found
from bot.assistant.signals import FEW_ROWS
from bot.knowledge.document import Questions
from bot.knowledge.embedding import data_file
from bot.knowledge.intake import suggested_questions
from bot.knowledge.library import BASE
from bot.knowledge.shelf import Shelf
from bot.knowledge.versions import Version

HERE = Path(__file__).parent / "questions"
ANSWERED = {"keyed": 0.93, "keyless": 0.88}
"""Share of answerable fitting questions that the operating point keeps."""

FOLDS = 5
UNITS, ROUNDS, DECAY = 24, 12, 3.0


class Rows:
    """What was found for each case: signals, the best statement and its key, the question's vector, the label."""

    def __init__(self) -> None:
        self.signals: list[dict[str, float]] = []
        self.inputs: list[np.ndarray] = []
        self.labels: list[bool] = []
        self.documents: list[str] = []

    def add(self, signals: dict[str, float], vector: np.ndarray, best: Found, label: bool) -> None:
        """One case."""
        self.signals.append(signals)
        self.inputs.append(joined(vector, best.vector, best.key_vector).astype(np.float16))
        self.labels.append(label)
        self.documents.append(best.shelved.version.document)


def gather(app: App, shelves: list[Shelf], cases: list[Case]) -> Rows:
    """Search and weigh every case. A follow-up counts in the reading the assistant chose."""
    rows = Rows()
    for number, case in enumerate(cases):
        considered = app.assistant.consider(case.question, case.history, shelves, ignoring=case.question)
        leading = considered.leading
        if leading is None:
            continue
        best = leading.found[0]
        right = not case.gold or best.shelved.version.document in {document for document, _ in case.gold}
        if right:  # an answerable question whose document was missed teaches nothing about deciding
            vector = app.embedder.encode([considered.question.expanded])[0]
            rows.add(leading.signals, vector, best, bool(case.gold))
        if number % 500 == 0:
            sys.stdout.write(f"{number} of {len(cases)}\n")
            sys.stdout.flush()
    return rows


def without_written_keys(app: App) -> Shelf:
    """The base library as it would be had its files just been taken in: only what headings suggest, no near misses."""
    (shelf,) = app.assistant.shelves([BASE])
    versions = list(dict.fromkeys(s.version for s in shelf.statements))
    bare = [replace(v, front=v.front.model_copy(update={"sections": _suggested(v)})) for v in versions]
    statements = shelf.statement_vectors
    fresh = Shelf(BASE, -1, bare, statements, np.zeros((0, 384), np.float32), np.zeros((0, 384), np.float32), *_index(app))
    fresh.question_vectors = app.embedder.encode([q.text for q in fresh.questions])
    stacked = np.vstack([statements, fresh.question_vectors])
    _index(app)[0].build("fitting-keyless", stacked)
    fresh.near_misses, fresh.near_miss_vectors = shelf.near_misses, shelf.near_miss_vectors
    return fresh


def _index(app: App) -> tuple[Any, str]:
    return app.assistant._shelves._index, "fitting-keyless"


def _suggested(version: Version) -> tuple[Any, ...]:
    headings = {p.section: p.heading_path[-1] for p in version.parts[0] if p.heading_path}
    return tuple(
        section.model_copy(
            update={"questions": (Questions(en=tuple(suggested_questions(headings[section.id], version.front.title))),)}
        )
        for section in version.front.sections
        if section.id in headings
    )


def net(seed: int) -> MLPClassifier:
    """The net, before fitting."""
    return MLPClassifier((UNITS,), alpha=DECAY, learning_rate_init=1e-3, max_iter=ROUNDS, batch_size=64, random_state=seed)


def logits(model: MLPClassifier, inputs: np.ndarray) -> np.ndarray:
    """Log-odds of the net."""
    units = np.maximum(inputs @ model.coefs_[0] + model.intercepts_[0], 0)
    return (units @ model.coefs_[1] + model.intercepts_[1])[:, 0]


def balanced(x: np.ndarray, y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The rarer class drawn again until both count the same (the net takes no class weights)."""
    few, many = (np.where(y)[0], np.where(~y)[0]) if y.sum() < (~y).sum() else (np.where(~y)[0], np.where(y)[0])
    extra = np.random.RandomState(seed).choice(few, len(many) - len(few))
    order = np.concatenate([np.arange(len(y)), extra])
    return x[order], y[order]


def fit_net(rows: Rows) -> np.ndarray:
    """Fit and write the net; returns its cross-fitted log-odds for the rows it was fitted on."""
    x, y = np.array(rows.inputs, dtype=np.float32), np.array(rows.labels)
    fold = np.random.RandomState(3).randint(0, FOLDS, len(y))
    out = np.zeros(len(y))
    for part in range(FOLDS):
        out[fold == part] = logits(net(part).fit(*balanced(x[fold != part], y[fold != part], part)), x[fold == part])
    sys.stdout.write(f"net: cross-fitted AUROC {auroc(out[y].tolist(), out[~y].tolist()):.4f}\n")
    model = net(0).fit(*balanced(x, y, 0))
    np.savez_compressed(
        data_file("decision", "pair.npz"),
        embedder="minilm",
        made_by="python -m tests.evals.fit",
        hidden=model.coefs_[0].astype(np.float16),
        hidden_bias=model.intercepts_[0].astype(np.float32),
        out=model.coefs_[1][:, 0].astype(np.float32),
        bias=np.float32(model.intercepts_[1][0]),
    )
    pair_model.cache_clear()
    return out


def fit_weights(rows: Rows, pair: np.ndarray | None, kept: float) -> dict[str, Any]:
    """A logistic model over the signals, with the strength of its penalty chosen by cross-validation. ``pair`` is the net's
    cross-fitted answer; without one the signal is left out, since the net has seen these questions."""
    names = sorted({name for row in rows.signals for name in row} - {"written_keys", "pair"} | ({"pair"} if pair is not None else set()))
    x = np.array([[row.get(name, 0.0) for name in names] for row in rows.signals])
    if pair is not None:
        x[:, names.index("pair")] = pair
    y = np.array(rows.labels)
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale < 1e-6] = 1.0
    z = np.clip((x - mean) / scale, -6, 6)
    best: tuple[float, float, np.ndarray] | None = None
    for strength in (0.003, 0.01, 0.03, 0.1, 0.3):
        out = np.zeros(len(y))
        for train, test in GroupKFold(8).split(z, y, rows.documents):
            model = LogisticRegression(C=strength, max_iter=5000, class_weight="balanced").fit(z[train], y[train])
            out[test] = model.decision_function(z[test])
        area = auroc(out[y].tolist(), out[~y].tolist())
        if best is None or area > best[0]:
            best = (area, strength, out)
    assert best is not None
    area, strength, out = best
    cut = float(np.quantile(out[y], 1 - kept))
    model = LogisticRegression(C=strength, max_iter=5000, class_weight="balanced").fit(z, y)
    sys.stdout.write(
        f"{len(y)} cases, {int(y.sum())} answerable, C={strength}: cross-validated AUROC {area:.4f}; keeps "
        f"{np.mean(out[y] >= cut):.3f}, says not covered to {np.mean(out[~y] < cut):.3f} of the others\n"
    )
    assert THRESHOLD == 0.5
    return {
        "cases": len(y),
        "cross_validated_auroc": round(area, 4),
        "signals": names,
        "mean": [round(float(v), 6) for v in mean],
        "scale": [round(float(v), 6) for v in scale],
        "weights": [round(float(v), 6) for v in model.coef_[0]],
        "bias": round(float(model.intercept_[0]) - cut, 6),
    }


def main() -> None:
    """Fit both and write them to ``knowledge/decision/``."""
    cases = [case for path in sorted(HERE.glob("fit*.jsonl")) for case in read_cases(path)]
    app = App()
    shelves = app.assistant.shelves([BASE])
    rows = gather(app, shelves, cases)
    written = [row["written_keys"] for row in rows.signals]
    sys.stdout.write(f"{sum(written):.0f} of {len(written)} best statements have written keys (at most {FEW_ROWS} rows)\n")
    weights = {"made_by": "python -m tests.evals.fit", "keyed": fit_weights(rows, fit_net(rows), ANSWERED["keyed"])}
    bare = gather(app, [without_written_keys(app)], cases[:: max(1, len(cases) // 2500)])
    weights["keyless"] = fit_weights(bare, None, ANSWERED["keyless"])
    data_file("decision", "weights.json").write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
