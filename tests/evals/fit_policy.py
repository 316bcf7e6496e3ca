"""Fits the guardrails' classifier: ``python -m tests.evals.fit_policy [--search]``.

Training data: the examples of ``prompts/policy/examples`` and the fitting halves of the question files (all to be
answered). Everything is judged by cross-validation grouped by family: messages whose embeddings or words are near each
other stay in one fold, so that a wording is never judged by its own paraphrase. Noisy copies (typing errors, lower case,
openings) are added to the training side of each fold only. No held-out file is read.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import sys
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, vstack
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from bot.guardrails import classifier, features, policy
from bot.guardrails.context import Context
from bot.guardrails.evaluation import Case, Result, privacy_cases, report
from bot.guardrails.judging import Seen
from bot.guardrails.privacy import redact
from bot.guardrails.screening import decide
from bot.guardrails.views import bare, disguised, folded
from bot.knowledge.embedding import MiniLM
from bot.messages import Handling

ROOT = Path(__file__).parent.parent.parent
CACHE = ROOT / ".signpost" / "fit-policy"
NEAR = 0.66
"""Cosine above which two messages belong to one family."""
FILLED = 0.3
"""What a filled sentence pattern weighs beside a message someone wrote."""
OPENINGS = ("hi, ", "quick question: ", "hey ", "ok so ", "um ", "question - ", "Hello, ", "need help fast. ", "sorry to bother. ", "so ")
CLOSINGS = ("", "", " thanks", " pls help", " asap", "?", "??", " ty", " thx!", "...")


def rows() -> list[tuple[str, str]]:
    """(text, class) of every training message, redacted as at run time."""
    found = [(redact(e.text).text, e.rule or classifier.ANSWER) for e in policy.examples()]
    found += [(redact(case.text).text, classifier.ANSWER) for case in privacy_cases()]
    asked = [
        json.loads(line)["question"]
        for name in ("fit.jsonl", "fit-extra-1.jsonl", "fit-extra-2.jsonl", "fit-extra-3.jsonl")
        for line in (ROOT / "tests" / "evals" / "questions" / name).read_text(encoding="utf-8").splitlines()
    ]
    found += [(redact(text).text, classifier.ANSWER) for text in asked]
    return list(dict(found).items())


def expanded(rng: random.Random, each: int) -> list[tuple[str, str]]:
    """Sentence patterns filled with words: up to ``each`` messages a pattern."""
    path = policy.folder() / "examples" / "templates.txt"
    lines = [line.rstrip("\n") for line in path.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    words = {name.strip(): [w.strip() for w in rest.split("|")] for name, _, rest in (line[2:].partition(":") for line in lines if line.startswith("= "))}
    rule, found = "", set()
    for line in lines:
        if line.startswith("@ "):
            rule = line[2:].strip()
        elif not line.startswith("= "):
            slots = re.findall(r"\{(\w+)\}", line)
            for _ in range(each if slots else 1):
                text = re.sub(r"\{(\w+)\}", lambda m: rng.choice(words[m.group(1)]), line)
                text = re.sub(r"\s+([?,.])", r"\1", re.sub(r"\s+", " ", text)).strip(" ,:")
                found.add((noisy(text, rng) if rng.random() < 0.25 else text, rule))
    return sorted(found)


def noisy(text: str, rng: random.Random) -> str:
    """A copy as someone else might have typed it."""
    letters = list(text)
    if text.isascii():
        for _ in range(max(1, len(letters) // 35)):
            i = rng.randrange(max(1, len(letters) - 1))
            if letters[i].isalpha() and i + 1 < len(letters) and letters[i + 1].isalpha():
                kind = rng.randrange(3)
                if kind == 0:
                    letters[i], letters[i + 1] = letters[i + 1], letters[i]
                elif kind == 1:
                    letters[i] = ""
                else:
                    letters[i] += letters[i]
    out = "".join(letters)
    out = out.lower() if rng.random() < 0.5 else out
    if rng.random() < 0.4:
        out = rng.choice(OPENINGS) + out
    if rng.random() < 0.4:
        out = out.rstrip("?.!") + rng.choice(CLOSINGS)
    return out


def embedded(texts: list[str]) -> np.ndarray:
    """Embeddings, kept between runs by content."""
    CACHE.mkdir(parents=True, exist_ok=True)
    name = CACHE / (hashlib.sha256("\0".join(texts).encode()).hexdigest()[:20] + ".npy")
    if not name.exists():
        np.save(name, MiniLM(2).encode(texts))
    return np.load(name)


def families(vectors: np.ndarray, lexical: np.ndarray) -> np.ndarray:
    """One number a message; near messages share it (leader clustering on embedding or word cosine)."""
    leaders: list[int] = []
    out = np.zeros(len(vectors), dtype=int)
    for i in range(len(vectors)):
        if leaders:
            near = np.maximum(vectors[leaders] @ vectors[i], lexical[leaders] @ lexical[i] + 0.1)
            best = int(near.argmax())
            if near[best] >= NEAR:
                out[i] = best
                continue
        leaders.append(i)
        out[i] = len(leaders) - 1
    return out


def stack(lexical: np.ndarray, vectors: np.ndarray | None, blocks: tuple[float, float, float]) -> csr_matrix:
    """The model's rows, sparse: most words are absent from most messages."""
    counted = len(features.names())
    parts = [lexical[:, :counted] * blocks[0], lexical[:, counted:] * blocks[1]]
    return csr_matrix(np.hstack(parts if vectors is None else [*parts, vectors * blocks[2]]).astype(np.float32))


def out_of_fold(x, y, xn, owner, xt, yt, groups, strength, classes):  # type: ignore[no-untyped-def]
    """Probabilities of each message by models that saw neither it nor its family nor noisy copies of them."""
    out = np.zeros((len(y), len(classes)))
    for train, test in GroupKFold(5).split(x, y, groups):
        noisy_train = np.isin(owner, train)
        model = LogisticRegression(C=strength, max_iter=250, tol=1e-3, class_weight="balanced")
        weight = np.concatenate([np.ones(len(train)), np.full(noisy_train.sum(), 0.5), np.full(len(yt), FILLED)])
        model.fit(vstack([x[train], xn[noisy_train], xt]).tocsr(), np.concatenate([y[train], y[owner[noisy_train]], yt]), weight)
        for column, name in enumerate(model.classes_):
            out[test, list(classes).index(name)] = model.predict_proba(x[test])[:, column]
    return out


def handling_of(name: str) -> Handling:
    """The handling a class leads to."""
    return Handling.ANSWER if name == classifier.ANSWER else policy.rules()[name].handling


def by_handling(out: np.ndarray, classes: tuple[str, ...]) -> dict[Handling, np.ndarray]:
    """Columns added up."""
    return {h: out[:, [i for i, c in enumerate(classes) if handling_of(c) is h]].sum(axis=1) for h in {handling_of(c) for c in classes}}


def temperature(out: np.ndarray, y: np.ndarray, classes: tuple[str, ...]) -> float:
    """The temperature that makes out-of-fold probabilities most likely."""
    logits = np.log(np.maximum(out, 1e-9))
    index = np.array([classes.index(name) for name in y])
    best = (np.inf, 1.0)
    for t in np.arange(0.5, 3.01, 0.1):
        z = logits / t
        loss = -np.mean(z[np.arange(len(y)), index] - np.log(np.exp(z).sum(axis=1)))
        best = min(best, (float(loss), float(t)))
    return best[1]


def judged(texts: list[str], y: np.ndarray, out: np.ndarray, classes: tuple[str, ...], heat: float) -> list[Result]:
    """What the whole screening would decide with out-of-fold beliefs in place of the fitted weights."""
    results = []
    for text, name, row in zip(texts, y, out, strict=True):
        scaled = np.exp(np.log(np.maximum(row, 1e-9)) / heat)
        belief = classifier.summed(classes, scaled / scaled.sum(), True)
        seen = Seen(text, folded(text), bare(text), disguised(text), belief, policy.rules())
        decision = decide(seen, Context())
        case = Case(text, handling_of(name), None if name == classifier.ANSWER else name)
        results.append(Result(case, decision.handling if decision else Handling.ANSWER, decision.rule if decision else None, text))
    return results


def main() -> None:
    """Fit, judge, choose thresholds, write."""
    data = rows()
    texts = [t for t, _ in data]
    y = np.array([c for _, c in data])
    classes = tuple(sorted(set(y)))
    rng = random.Random(7)
    owner = np.array([i for i, c in enumerate(y) for _ in range(2 if c != classifier.ANSWER else 1)])
    copies = [noisy(texts[i], rng) for i in owner]
    filled = expanded(rng, 9)
    xt_texts, yt = [t for t, _ in filled], np.array([c for _, c in filled])
    lexical_t, vectors_t = np.array([features.lexical(t) for t in xt_texts]), embedded(xt_texts)
    lexical = np.array([features.lexical(t) for t in texts])
    lexical_n = np.array([features.lexical(t) for t in copies])
    vectors, vectors_n = embedded(texts), embedded(copies)
    groups = families(vectors, lexical[:, len(features.names()) :])
    sys.stdout.write(f"{len(y)} messages, {groups.max() + 1} families, {len(classes)} classes, {len(copies)} noisy copies, {len(filled)} filled patterns\n")
    search = "--search" in sys.argv
    grid = [((a, b, c), s) for a in (0.5, 1.0) for b in (4.0,) for c in (4.0, 7.0) for s in (0.5,)] if search else [((0.5, 4.0, 4.5), 0.5)]
    best = None
    truth = np.array([handling_of(c).value for c in y])
    for blocks, strength in grid:
        filled_rows = stack(lexical_t, vectors_t, blocks)
        out = out_of_fold(stack(lexical, vectors, blocks), y, stack(lexical_n, vectors_n, blocks), owner, filled_rows, yt, groups, strength, classes)
        sums = by_handling(out, classes)
        names = [h.value for h in sums]
        right = np.mean(np.array(names)[np.argmax(np.array([sums[h] for h in sums]), axis=0)] == truth)
        loss = -np.mean(np.log(np.maximum(out[np.arange(len(y)), [classes.index(c) for c in y]], 1e-9)))
        sys.stdout.write(f"blocks={blocks} C={strength}: labels right {right:.4f}, log loss {loss:.4f}\n")
        if best is None or right > best[0]:
            best = (right, blocks, strength, out)
    assert best is not None
    _, blocks, strength, out = best
    card: dict[str, object] = {
        "made_by": "python -m tests.evals.fit_policy",
        "messages": len(y),
        "families": int(groups.max() + 1),
        "features": len(features.names()),
        "classes": list(classes),
        "blocks": list(blocks),
        "strength": strength,
    }
    arrays = {}
    for kind in ("with", "without"):
        x = stack(lexical, vectors if kind == "with" else None, blocks)
        xn = stack(lexical_n, vectors_n if kind == "with" else None, blocks)
        xt = stack(lexical_t, vectors_t if kind == "with" else None, blocks)
        if kind == "without":
            out_without = out_of_fold(x, y, xn, owner, xt, yt, groups, strength, classes)
        folds = out if kind == "with" else out_without
        card[f"{kind}_temperature"] = temperature(folds, y, classes)
        model = LogisticRegression(C=strength, max_iter=300, tol=1e-3, class_weight="balanced")
        weight = np.concatenate([np.ones(len(y)), np.full(len(owner), 0.5), np.full(len(yt), FILLED)])
        model.fit(vstack([x, xn, xt]).tocsr(), np.concatenate([y, y[owner], yt]), weight)
        assert tuple(model.classes_) == classes
        arrays[f"{kind}_matrix"] = model.coef_.astype(np.float16)
        arrays[f"{kind}_bias"] = model.intercept_.astype(np.float32)
        names = [h.value for h in by_handling(folds, classes)]
        guess = np.array(names)[np.argmax(np.array(list(by_handling(folds, classes).values())), axis=0)]
        card[f"{kind}_cross_validated"] = round(float(np.mean(guess == truth)), 4)
    card["thresholds"] = {
        "crisis": 0.5, "likely:crisis": 0.25, "refuse_unsafe": 0.5, "likely:refuse_unsafe": 0.4, "refuse_misuse": 0.5,
        "likely:refuse_misuse": 0.4, "injection": 0.5, "likely:injection": 0.35, "out_of_scope": 0.55, "smalltalk": 0.6,
    }
    classifier.folder().mkdir(exist_ok=True)
    np.savez_compressed(classifier.folder() / "classifier.npz", **arrays)
    (classifier.folder() / "classifier.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    (classifier.folder() / "classifier.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    classifier._card.cache_clear()
    for kind, folds in (("with", out), ("without", out_without)):
        results = judged(texts, y, folds, classes, float(card[f"{kind}_temperature"]))  # type: ignore[arg-type]
        figures = report(results)
        card[f"{kind}_screening"] = {
            name: figures[name]["value"]  # type: ignore[index]
            for name in ("labels_right", "crisis_false_alarms", "legitimate_refused", "misuse_and_unsafe_refused")
        } | {label: [pair["recall"]["value"], pair["precision"]["value"]] for label, pair in figures["by_label"].items()}  # type: ignore[attr-defined]
        if kind == "with":
            (CACHE / "wrong.txt").write_text("\n".join(f"{r.case.handling.value} -> {r.handling.value} ({r.rule}) [{r.case.rule}] {r.text}" for r in results if r.handling is not r.case.handling), encoding="utf-8")
    (classifier.folder() / "classifier.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    np.savez(CACHE / "folds.npz", out=out, without=out_without, y=y)
    (CACHE / "texts.json").write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
    sys.stdout.write(json.dumps({k: v for k, v in card.items() if k != "classes"}) + "\n")


if __name__ == "__main__":
    main()
