"""Fits the decision on the fitting half of the question file: ``python -m tests.evals.fit [FOLDER]``.

What was gathered is kept in the folder, where one is named. Three steps. First the small net over the vectors of a
question, the best statement and its closest key. Then a logistic model over all signals but the cross-encoder's, the net's
own (cross-fitted) answer among them: one for statements with written question keys, one fitted on the same library with
those keys taken away, for files that have none. Last, on the questions that the cross-encoder was not shown, how much its
word counts beside that: run this after ``tests.evals.fit_cross_encoder``. A fitting question that is itself a key or a near
miss of the library is left out of the search while it is weighed. Signals come from the assistant as it is; folds are
grouped by the nearest document. The never-tuned half is not read.
"""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from bot.app import App
from bot.assistant.decide import THRESHOLD
from bot.assistant.evaluation import Case, auroc
from bot.assistant.pair_model import joined, pair_model
from bot.assistant.search import Found
from bot.assistant.signals import WRITTEN
from bot.knowledge.document import Questions
from bot.knowledge.intake import suggested_questions
from bot.knowledge.library import BASE
from bot.knowledge.packed import Packed
from bot.knowledge.shelf import Shelf
from bot.knowledge.shipped import data_file
from bot.knowledge.versions import Version
from tests.evals.fit_questions import fit_cases, left_out, wordings

ANSWERED = {"keyed": 0.945, "keyless": 0.965}
"""Share of answerable fitting questions that the operating point keeps."""

NEIGHBOURLY = {"near_miss", "near_misses", "near_keys", "nearer", "vote_10", "vote_20", "vote_40"}
FOLDS = 5
UNITS, ROUNDS, BATCH, RATE, DECAY, DROP_INPUT, DROP_UNIT = 24, 20, 64, 1e-3, 0.9, 0.2, 0.4


class Rows:
    """What was found for each case: signals, the best statement and its key, the question's vector, the label."""

    def __init__(self) -> None:
        self.signals: list[dict[str, float]] = []
        self.inputs: list[np.ndarray] = []
        self.labels: list[bool] = []
        self.documents: list[str] = []
        self.cases: list[Case] = []

    def add(self, signals: dict[str, float], vector: np.ndarray, best: Found, case: Case) -> None:
        """One case."""
        self.signals.append(signals)
        self.inputs.append(joined(vector, best.vector, best.key_vector).astype(np.float16))
        self.labels.append(bool(case.gold))
        self.cases.append(case)
        self.documents.append(best.shelved.version.document)


def gather(app: App, shelves: list[Shelf], cases: list[Case]) -> Rows:
    """Search and weigh every case. A follow-up counts in the reading the assistant chose."""
    rows = Rows()
    same = wordings(fit_cases())
    for number, case in enumerate(cases):
        considered = app.assistant.consider(case.question, case.history, shelves, ignoring=same[case.question])
        leading = considered.leading
        if leading is None:
            continue
        best = leading.found[0]
        right = not case.gold or best.shelved.version.document in {document for document, _ in case.gold}
        if right:  # an answerable question whose document was missed teaches nothing about deciding
            vector = app.embedder.encode([considered.question.expanded])[0]
            rows.add(leading.signals, vector, best, case)
        if number % 500 == 0:
            sys.stdout.write(f"{number} of {len(cases)}\n")
            sys.stdout.flush()
    return rows


def kept(name: str, make: Callable[[], Rows]) -> Rows:
    """Rows gathered by an earlier run into the folder named on the command line, else gathered now and kept there."""
    if len(sys.argv) < 2:
        return make()
    path = Path(sys.argv[1]) / f"{name}.pickle"
    if not path.exists():
        path.write_bytes(pickle.dumps(make()))
    return pickle.loads(path.read_bytes())


def without_written_keys(app: App) -> Shelf:
    """The base library as it would be had its files just been taken in: only what headings suggest, no near misses."""
    (shelf,) = app.assistant.shelves([BASE])
    versions = list({s.version.id: s.version for s in shelf.statements}.values())
    bare = [replace(v, front=v.front.model_copy(update={"sections": _suggested(v)})) for v in versions]
    statements = shelf.statement_vectors
    fresh = Shelf(BASE, -1, bare, statements, np.zeros((0, 384), np.float32), np.zeros((0, 384), np.float32), *_index(app))
    questions = app.embedder.encode([q.text for q in fresh.questions])
    fresh.question_vectors = Packed(questions)
    stacked = np.vstack([statements, questions])
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


Net = tuple[np.ndarray, np.ndarray, np.ndarray, float]


def train_net(x: np.ndarray, y: np.ndarray, weight: np.ndarray, seed: int) -> Net:
    """One hidden layer with dropout on inputs and units, Adam with decoupled decay."""
    random = np.random.RandomState(seed)
    count, width = x.shape
    parts = [
        (random.randn(width, UNITS) * np.sqrt(2 / width)).astype(np.float32),
        np.zeros(UNITS, np.float32),
        (random.randn(UNITS) * np.sqrt(1 / UNITS)).astype(np.float32),
        np.zeros(1, np.float32),
    ]
    first, second = [np.zeros_like(p) for p in parts], [np.zeros_like(p) for p in parts]
    steps, step = ROUNDS * (count // BATCH), 0
    for _ in range(ROUNDS):
        for rows in np.array_split(random.permutation(count), count // BATCH):
            step += 1
            rate = RATE * (1.05 - step / steps)
            for i, slope in enumerate(_slopes(x[rows], y[rows], weight[rows], parts, random)):
                first[i] = 0.9 * first[i] + 0.1 * slope
                second[i] = 0.999 * second[i] + 0.001 * slope**2
                move = (first[i] / (1 - 0.9**step)) / (np.sqrt(second[i] / (1 - 0.999**step)) + 1e-8)
                decay = rate * DECAY if i in (0, 2) else 0.0
                parts[i] = (parts[i] * (1 - decay) - rate * move).astype(np.float32)
    return parts[0], parts[1], parts[2], float(parts[3][0])


def _slopes(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray, parts: list[np.ndarray], random: np.random.RandomState
) -> tuple[np.ndarray, ...]:
    seen = x * ((random.rand(*x.shape) > DROP_INPUT) / (1 - DROP_INPUT)).astype(np.float32)
    before = seen @ parts[0] + parts[1]
    mask = ((random.rand(*before.shape) > DROP_UNIT) / (1 - DROP_UNIT)).astype(np.float32)
    units = np.maximum(before, 0) * mask
    error = (1 / (1 + np.exp(-(units @ parts[2] + parts[3]))) - y) * weight / len(y)
    back = np.outer(error, parts[2]) * mask * (before > 0)
    return seen.T @ back, back.sum(axis=0), units.T @ error, np.array([error.sum()], np.float32)


def logits(net: Net, inputs: np.ndarray) -> np.ndarray:
    """Log-odds of the net."""
    hidden, hidden_bias, out, bias = net
    result: np.ndarray = np.maximum(inputs @ hidden + hidden_bias, 0) @ out + bias
    return result


def fit_net(rows: Rows) -> np.ndarray:
    """Fit and write the net; returns its cross-fitted log-odds for the rows it was fitted on."""
    x, y, weight = np.array(rows.inputs, dtype=np.float32), np.array(rows.labels), balanced(rows)
    fold = np.random.RandomState(3).randint(0, FOLDS, len(y))
    out = np.zeros(len(y))
    for part in range(FOLDS):
        out[fold == part] = logits(train_net(x[fold != part], y[fold != part], weight[fold != part], part), x[fold == part])
    sys.stdout.write(f"net: cross-fitted AUROC {auroc(out[y].tolist(), out[~y].tolist()):.4f}\n")
    hidden, hidden_bias, weights, bias = train_net(x, y, weight, 0)
    np.savez_compressed(
        data_file("decision", "pair.npz"),
        embedder="minilm",
        made_by="python -m tests.evals.fit",
        hidden=hidden.astype(np.float16),
        hidden_bias=hidden_bias,
        out=weights,
        bias=np.float32(bias),
    )
    pair_model.cache_clear()
    return out


def fit_weights(rows: Rows, pair: np.ndarray | None, kept: float, unread: set[str]) -> dict[str, Any]:
    """A logistic model over the signals, with the strength of its penalty chosen by cross-validation, and the cross-encoder's
    word beside it. ``pair`` is the net's cross-fitted answer; without one the signal is left out, since the net has seen these
    questions, and so is the vote of near misses, which a file just taken in does not have. ``unread`` are the questions that
    the cross-encoder was not shown."""
    left = {"written_keys", "cross"} | (set() if pair is not None else {"pair", *NEIGHBOURLY})
    names = sorted({name for row in rows.signals for name in row} - left)
    x = np.array([[row.get(name, 0.0) for name in names] for row in rows.signals])
    if pair is not None:
        x[:, names.index("pair")] = pair
    y = np.array(rows.labels)
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale < 1e-6] = 1.0
    z = np.clip((x - mean) / scale, -6, 6)
    weight = balanced(rows)
    strength, out = _cross_validated(z, y, weight, rows.documents)
    model = LogisticRegression(C=strength, max_iter=5000).fit(z, y, weight)
    read = np.array([row["cross"] for row in rows.signals])
    middle, spread = read.mean(), read.std()
    read = np.clip((read - middle) / spread, -6, 6)
    unseen = np.array([case.question in unread for case in rows.cases])
    both = np.column_stack([out, read])[unseen]
    beside = LogisticRegression(max_iter=5000).fit(both, y[unseen], weight[unseen])
    share, word = beside.coef_[0]
    total, truth = both @ beside.coef_[0], y[unseen]
    cut = float(np.quantile(total[truth], 1 - kept))
    before, after = (round(auroc(s[truth].tolist(), s[~truth].tolist()), 4) for s in (out[unseen], total))
    sys.stdout.write(
        f"{len(y)} cases, {int(y.sum())} answerable, C={strength}; on {len(truth)} unseen by the cross-encoder: AUROC {before} "
        f"without it, {after} with it; keeps {np.mean(total[truth] >= cut):.3f}, says not covered to "
        f"{np.mean(total[~truth] < cut):.3f} of the others\n"
    )
    assert THRESHOLD == 0.5
    return {
        "cases": len(y),
        "cross_validated_auroc": after,
        "signals": [*names, "cross"],
        "mean": [round(float(v), 6) for v in (*mean, middle)],
        "scale": [round(float(v), 6) for v in (*scale, spread)],
        "weights": [round(float(v), 6) for v in (*(share * model.coef_[0]), word)],
        "bias": round(float(share * model.intercept_[0]) - cut, 6),
    }


def balanced(rows: Rows) -> np.ndarray:
    """What each row weighs: in each language as much is answerable as not. Where one language has fewer near misses to a question
    than another, being in it would come to speak for an answer."""
    y = np.array(rows.labels)
    spanish = np.array([row["spanish"] > 0 for row in rows.signals])
    weight = np.zeros(len(y))
    for language in (spanish, ~spanish):
        for label in (y, ~y):
            weight[language & label] = language.sum() / 2 / max((language & label).sum(), 1)
    return weight


def _cross_validated(z: np.ndarray, y: np.ndarray, weight: np.ndarray, documents: list[str]) -> tuple[float, np.ndarray]:
    """The best penalty, and its log-odds for rows of documents that the fit did not see."""
    best: tuple[float, float, np.ndarray] | None = None
    for strength in (0.003, 0.01, 0.03):
        out = np.zeros(len(y))
        for train, test in GroupKFold(8).split(z, y, documents):
            model = LogisticRegression(C=strength, max_iter=5000).fit(z[train], y[train], weight[train])
            out[test] = model.decision_function(z[test])
        area = auroc(out[y].tolist(), out[~y].tolist())
        if best is None or area > best[0]:
            best = (area, strength, out)
    assert best is not None
    return best[1], best[2]


def main() -> None:
    """Fit both and write them to ``knowledge/decision/``."""
    cases = fit_cases()
    app = App()
    shelves = app.assistant.shelves([BASE])
    rows = kept("keyed", lambda: gather(app, shelves, cases))
    written = [row["written_keys"] for row in rows.signals]
    sys.stdout.write(f"{sum(written):.0f} of {len(written)} best statements have written keys (at least {WRITTEN})\n")
    documents = {version.document for version in shelves[0].versions.values()}
    unread = {c.question for c, nearest in zip(rows.cases, rows.documents, strict=True) if left_out(documents, c, nearest)}
    keyed = fit_weights(rows, fit_net(rows), ANSWERED["keyed"], unread)
    weights = {"made_by": "python -m tests.evals.fit", "keyed": keyed}
    bare = kept("keyless", lambda: gather(app, [without_written_keys(app)], cases[:: max(1, len(cases) // 2500)]))
    weights["keyless"] = fit_weights(bare, None, ANSWERED["keyless"], unread)
    data_file("decision", "weights.json").write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
