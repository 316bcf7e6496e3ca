"""Fits the decision's weights on the fitting half of the question file: ``python -m tests.evals.fit``.

Signals come from the assistant as it is; the model is logistic with an L2 penalty chosen by cross-validation within the
fitting half, grouped by the nearest document, so that a document's own wording cannot leak between folds. The
never-tuned half is not read.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from bot.app import App
from bot.assistant.evaluation import Case, auroc, read_cases
from bot.knowledge.embedding import data_file
from bot.knowledge.library import BASE

HERE = Path(__file__).parent / "questions"
ANSWERED = 0.955
"""Share of answerable fitting questions that the threshold keeps."""


def rows_of(app: App, cases: list[Case]) -> tuple[list[dict[str, float]], list[str]]:
    """Signals and nearest document of each case."""
    shelves = app.assistant.shelves([BASE])
    signals, documents = [], []
    for case in cases:
        considered = app.assistant.consider(case.question, case.history, shelves)
        signals.append(considered.signals)
        documents.append(considered.found[0].shelved.version.document if considered.found else "")
    return signals, documents


def main() -> None:
    """Fit and write ``knowledge/decision/weights.json``."""
    cases = [case for path in sorted(HERE.glob("fit*.jsonl")) for case in read_cases(path)]
    app = App()
    signals, documents = rows_of(app, cases)
    names = sorted(signals[0])
    x = np.array([[row.get(name, 0.0) for name in names] for row in signals])
    y = np.array([bool(case.gold) for case in cases])
    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale < 1e-6] = 1.0
    z = (x - mean) / scale
    best: tuple[float, float, np.ndarray] | None = None
    for strength in (0.003, 0.01, 0.03, 0.1, 0.3, 1.0):
        out = np.zeros(len(y))
        for train, test in GroupKFold(8).split(z, y, documents):
            model = LogisticRegression(C=strength, max_iter=5000, class_weight="balanced").fit(z[train], y[train])
            out[test] = model.predict_proba(z[test])[:, 1]
        area = auroc(out[y].tolist(), out[~y].tolist())
        sys.stdout.write(f"C={strength}: cross-validated AUROC {area:.4f}\n")
        if best is None or area > best[0]:
            best = (area, strength, out)
    assert best is not None
    area, strength, out = best
    threshold = float(np.quantile(out[y], 1 - ANSWERED))
    model = LogisticRegression(C=strength, max_iter=5000, class_weight="balanced").fit(z, y)
    sys.stdout.write(
        f"{len(y)} cases, {int(y.sum())} answerable; threshold {threshold:.3f} keeps {np.mean(out[y] >= threshold):.3f} and "
        f"says not covered to {np.mean(out[~y] < threshold):.3f} of the others (cross-validated)\n"
    )
    path = data_file("decision", "weights.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        json.dumps(
            {
                "made_by": "python -m tests.evals.fit",
                "cases": len(y),
                "cross_validated_auroc": round(area, 4),
                "signals": names,
                "mean": [round(float(v), 6) for v in mean],
                "scale": [round(float(v), 6) for v in scale],
                "weights": [round(float(v), 6) for v in model.coef_[0]],
                "bias": round(float(model.intercept_[0]), 6),
                "threshold": round(threshold, 4),
            },
            indent=1,
        )
        + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
