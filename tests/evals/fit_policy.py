"""Fits the guardrails' classifier: ``python -m tests.evals.fit_policy``.

Training data: the examples of ``prompts/policy/examples``, the messages written for privacy and the fitting halves of the
question files (all to be answered), and ``fresh.jsonl``. Everything is judged by cross-validation grouped by family: messages
whose embeddings or words are near each other stay in one fold, so that a wording is never judged by its own paraphrase. Noisy
copies (typing errors, lower case, openings) are added to the training side of each fold only. No held-out file is read. Needs
torch beside what ``requirements/fit.txt`` names; about ten minutes.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.sparse import csr_matrix, vstack
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from torch import nn

from bot.guardrails import classifier, features, policy
from bot.guardrails.context import Context
from bot.guardrails.evaluation import Case, Result, file_cases, privacy_cases, report
from bot.guardrails.judging import Seen
from bot.guardrails.privacy import redact
from bot.guardrails.screening import decide
from bot.guardrails.views import bare, disguised, folded
from bot.knowledge.embedding import MiniLM
from bot.messages import Handling
from tests.evals import details, pairs

ROOT = Path(__file__).parent.parent.parent
CACHE = ROOT / ".signpost" / "fit-policy"
NEAR = 0.66
"""Cosine above which two messages belong to one family."""
NEAR_MISS = 3.0
"""What a near miss weighs beside a plain question of the question files."""
EVERY = {4: 4, 5: 4, 6: 4, 7: 4, 8: 2}
"""Of which question files only every so-many-th question is taken: 8 is the Spanish one."""
LATER = {9: 7, 10: 7, 11: 7, 12: 7, 13: 7, 14: 5, 15: 3, 16: 1}
"""The same of those from which questions are only learned: no fold leaves them out, and nothing is judged on them. Of what
staff ask first all is learned."""
LONGEST = 40
"""Words from which a message is the close reader's alone to learn: these readers do not see what stands where, and learn from a
long one that ordinary words are dangerous. Those without the embedding learn that from ``fresh.jsonl`` too: it is left out."""
FILLED = 0.5
"""What a filled sentence pattern weighs beside a message someone wrote."""
LANDMARKS, RIDGE = 700, 0.3
BLOCKS, STRENGTH = (0.5, 4.0, 4.5), 1.0
UNITS, ROUNDS, BATCH, RATE, DECAY, SMOOTH, DROP = 128, 12, 128, 4e-3, 0.03, 0.05, (0.25, 0.45)
"""The net's size and how it is trained."""
THRESHOLDS = {
    "with": {"crisis": 0.045, "likely:crisis": 0.04, "answer": 0.84, "likely:answer": 0.9},
    "without": {"crisis": 0.07, "likely:crisis": 0.035, "answer": 0.5, "likely:answer": 0.7},
}
"""Chosen on out-of-fold beliefs (those with the embedding read closely as well, by ``fit_reader``): see ``classifier.thresholds``
for what they mean."""
OPENINGS = (
    "hi, ",
    "quick question: ",
    "hey ",
    "ok so ",
    "um ",
    "question - ",
    "Hello, ",
    "need help fast. ",
    "sorry to bother. ",
    "so ",
)
CLOSINGS = ("", "", " thanks", " pls help", " asap", "?", "??", " ty", " thx!", "...")


def rows() -> list[tuple[str, str]]:
    """(text, class) of every training message, redacted as at run time."""
    found = [(redact(e.text).text, e.rule or classifier.ANSWER) for e in policy.examples()]
    found += [(redact(case.text).text, classifier.ANSWER) for case in [*privacy_cases(), *named()]]
    found += questions({number: EVERY.get(number, 1) for number in range(9)})
    found += [(redact(text).text, name) for text, name in pairs.fresh()]
    return list(dict(found).items())


def questions(every: dict[int, int]) -> list[tuple[str, str]]:
    """Questions of the fitting half, by the numbers of its files: every so-many-th, but for those in which a pattern of a crisis
    stands ("fake nudes of a student going around")."""
    asked = [
        json.loads(line)["question"]
        for number, step in every.items()
        for line in (ROOT / "tests" / "evals" / "questions" / (f"fit-extra-{number}.jsonl" if number else "fit.jsonl"))
        .read_text(encoding="utf-8")
        .splitlines()[::step]
    ]
    return [(redact(text).text, classifier.ANSWER) for text in asked if not in_danger(text)]


def in_danger(text: str) -> bool:
    """Whether a pattern of a crisis stands in a text."""
    return any(found and ":crisis." in name for name, found in features.marks(folded(text)).items())


def expanded(rng: random.Random, each: int) -> list[tuple[str, str]]:
    """Sentence patterns filled with words: up to ``each`` messages a pattern."""
    path = policy.folder() / "examples" / "templates.txt"
    lines = [line.rstrip("\n") for line in path.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    words = {
        name.strip(): [w.strip() for w in rest.split("|")]
        for name, _, rest in (line[2:].partition(":") for line in lines if line.startswith("= "))
    }
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


def named() -> list[Case]:
    """Messages with and without details that are to be answered, written for the readers of names and of what is told."""
    cases = [
        case for name in ("dev", "hard") for case in file_cases(ROOT / "tests" / "evals" / "policy" / f"privacy_{name}.jsonl")
    ]
    told = [Case(message.text, Handling.ANSWER) for message in details.messages()]
    return [*(case for case in cases if case.handling in (Handling.ANSWER, Handling.ANSWER_REDACTED)), *told]


def near_misses() -> set[str]:
    """The policy's own examples of what is to be answered, as they are read at run time."""
    told = [*[e.text for e in policy.examples() if e.rule is None], *[case.text for case in [*privacy_cases(), *named()]]]
    return {redact(text).text for text in told}


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


@dataclass
class Side:
    """Training material of one kind: rows for the linear reader, rows for the comparing one, classes, weights, owners."""

    linear: csr_matrix
    near: np.ndarray
    y: np.ndarray
    owner: np.ndarray
    weight: np.ndarray

    def take(self, index: np.ndarray) -> Side:
        """Some of it."""
        return Side(self.linear[index], self.near[index], self.y[index], self.owner[index], self.weight[index])


def side(
    lexical: np.ndarray,
    vectors: np.ndarray | None,
    y: np.ndarray,
    owner: np.ndarray,
    weight: np.ndarray,
    blocks: tuple[float, float, float],
) -> Side:
    """Material with or without the embedding."""
    near = np.array([features.compared(row, None if vectors is None else vectors[i]) for i, row in enumerate(lexical)])
    return Side(stack(lexical, vectors, blocks), near, y, owner, weight)


@dataclass
class Model:
    """The three readers, fitted."""

    linear: LogisticRegression
    landmarks: np.ndarray
    mix: np.ndarray
    net: classifier.Net
    classes: tuple[str, ...]

    def probabilities(self, rows: Side) -> np.ndarray:
        """As at run time, before the temperature."""
        linear = np.zeros((len(rows.y), len(self.classes)), dtype=np.float32)
        linear[:, [self.classes.index(c) for c in self.linear.classes_]] = self.linear.predict_proba(rows.linear)
        hidden, hidden_bias, outer, outer_bias = self.net
        units = np.maximum(rows.linear @ hidden.T + hidden_bias, 0.0)
        netted = classifier.softmax(units @ outer.T + outer_bias)
        return classifier.together(linear, classifier.kernel(rows.near, self.landmarks) @ self.mix, netted)


def chosen_landmarks(train: Side, rng: np.random.Generator) -> np.ndarray:
    """Indexes of messages to compare with: more of the rules' than of the plain questions."""
    written = train.owner >= 0
    plain = np.where(written & (train.y == classifier.ANSWER))[0]
    ruled = np.where(written & (train.y != classifier.ANSWER))[0]
    some = min(len(ruled), LANDMARKS * 3 // 5)
    return np.concatenate(
        [rng.choice(ruled, some, replace=False), rng.choice(plain, min(len(plain), LANDMARKS - some), replace=False)]
    )


def fitted(train: Side, classes: tuple[str, ...], strength: float, landmarks: np.ndarray | None = None) -> Model:
    """Fit the readers on one side."""
    counts = {name: float(train.weight[train.y == name].sum()) for name in classes}
    mean = sum(counts.values()) / len(counts)
    rarity = {name: (mean / max(count, 1.0)) ** 0.5 for name, count in counts.items()}
    linear = LogisticRegression(C=strength, max_iter=150, tol=2e-3)
    linear.fit(train.linear, train.y, train.weight * np.array([rarity[name] for name in train.y]))
    kept = train.near[chosen_landmarks(train, np.random.default_rng(5))] if landmarks is None else landmarks
    steps = np.abs(kept).max(axis=0) / 127 + 1e-9
    kept = (np.round(kept / steps) * steps).astype(np.float32)
    within = classifier.kernel(kept, kept).astype(np.float64)
    values, axes = np.linalg.eigh(within + 1e-4 * np.eye(len(kept)))
    root = axes / np.sqrt(values)
    phi = classifier.kernel(train.near, kept) @ root
    truth = np.array([[name == c for c in classes] for name in train.y], dtype=float)
    weight = (truth @ (1 / np.sqrt(np.maximum((truth * train.weight[:, None]).sum(axis=0), 1)))) * train.weight
    weight *= len(weight) / weight.sum()
    solved = np.linalg.solve(phi.T @ (phi * weight[:, None]) + RIDGE * np.eye(phi.shape[1]), phi.T @ (truth * weight[:, None]))
    return Model(linear, kept, (root @ solved).astype(np.float32), fitted_net(train, classes, rarity), classes)


def fitted_net(train: Side, classes: tuple[str, ...], rarity: dict[str, float]) -> classifier.Net:
    """A net with one hidden layer, dropout before and behind it, its rate rising and falling once."""
    torch.manual_seed(0)
    chance = np.random.default_rng(0)
    width = train.linear.shape[1]
    model = nn.Sequential(
        nn.Dropout(DROP[0]), nn.Linear(width, UNITS), nn.ReLU(), nn.Dropout(DROP[1]), nn.Linear(UNITS, len(classes))
    )
    y = torch.tensor([classes.index(name) for name in train.y])
    weight = torch.tensor(train.weight * np.array([rarity[name] for name in train.y]), dtype=torch.float32)
    steps = ROUNDS * (len(y) // BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=DECAY)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for _ in range(ROUNDS):
        order = chance.permutation(len(y))
        for begin in range(0, len(y) // BATCH * BATCH, BATCH):
            rows = order[begin : begin + BATCH]
            said = model(torch.from_numpy(train.linear[rows].toarray()))
            loss = nn.functional.cross_entropy(said, y[rows], reduction="none", label_smoothing=SMOOTH)
            total = (loss * weight[rows]).sum() / weight[rows].sum()
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
            rate.step()
    parts = [model[i].get_parameter(kind).detach().numpy() for i in (1, 4) for kind in ("weight", "bias")]
    return parts[0], parts[1], parts[2], parts[3]


def out_of_fold(real: Side, extra: Side, groups: np.ndarray, strength: float, classes: tuple[str, ...]) -> np.ndarray:
    """Probabilities of each of the first messages, those in a family of ``groups``, by models that saw neither it nor its family
    nor noisy copies of them. The rest is only learned from."""
    many = len(groups)
    out = np.zeros((len(real.y), len(classes)))
    for others, test in GroupKFold(5).split(real.near[:many], real.y[:many], groups):
        train = np.concatenate([others, np.arange(many, len(real.y))])
        beside = extra.take(np.where(np.isin(extra.owner, train) | (extra.owner == -1))[0])
        out[test] = fitted(joined(real.take(train), beside), classes, strength).probabilities(real.take(test))
    return out


def joined(a: Side, b: Side) -> Side:
    """Two sides as one; what is not a message someone wrote has owner -1 in it."""
    return Side(
        vstack([a.linear, b.linear]).tocsr(),
        np.vstack([a.near, b.near]),
        np.concatenate([a.y, b.y]),
        np.concatenate([a.owner, np.full(len(b.y), -1)]),
        np.concatenate([a.weight, b.weight]),
    )


def handling_of(name: str) -> Handling:
    """The handling a class leads to."""
    return Handling.ANSWER if name == classifier.ANSWER else policy.rules()[name].handling


def by_handling(out: np.ndarray, classes: tuple[str, ...]) -> dict[Handling, np.ndarray]:
    """Columns added up."""
    return {
        h: out[:, [i for i, c in enumerate(classes) if handling_of(c) is h]].sum(axis=1)
        for h in {handling_of(c) for c in classes}
    }


def temperature(out: np.ndarray, y: np.ndarray, classes: tuple[str, ...]) -> float:
    """The temperature that makes out-of-fold probabilities most likely."""
    logits = np.log(np.maximum(out, 1e-9))
    index = np.array([classes.index(name) for name in y])
    best = (np.inf, 1.0)
    for t in np.arange(0.3, 3.01, 0.1):
        z = logits / t
        loss = -np.mean(z[np.arange(len(y)), index] - np.log(np.exp(z).sum(axis=1)))
        best = min(best, (float(loss), float(t)))
    return best[1]


def judged(
    texts: list[str], y: np.ndarray, out: np.ndarray, classes: tuple[str, ...], heat: float, embedded: bool
) -> list[Result]:
    """What the whole screening would decide with out-of-fold beliefs in place of the fitted weights."""
    results = []
    for text, name, row in zip(texts, y, out, strict=True):
        scaled = np.exp(np.log(np.maximum(row, 1e-9)) / heat)
        belief = classifier.summed(classes, scaled / scaled.sum(), embedded)
        fold = folded(text)
        seen = Seen(text, fold, bare(text), disguised(text), belief, policy.rules(), features.marks(fold))
        decision = decide(seen, Context())
        case = Case(text, handling_of(name), None if name == classifier.ANSWER else name)
        results.append(
            Result(case, decision.handling if decision else Handling.ANSWER, decision.rule if decision else None, text)
        )
    return results


def main() -> None:
    """Fit, judge, write; with ``--judge`` only judge the last fit again, with the thresholds as they stand."""
    if "--judge" in sys.argv:
        stored = np.load(CACHE / "folds.npz", allow_pickle=True)
        card = json.loads((classifier.folder() / "classifier.json").read_text(encoding="utf-8"))
        card |= {f"{kind}_thresholds": limits for kind, limits in THRESHOLDS.items()}
        texts = json.loads((CACHE / "texts.json").read_text(encoding="utf-8"))
        many = int((stored["fold"] >= 0).sum())
        judge(card, texts[:many], stored["y"][:many], {k: stored[k][:many] for k in ("with", "without")}, tuple(card["classes"]))
        return
    data = rows()
    judged_on = len(data)
    known = dict(data)
    data += [(text, name) for text, name in dict(questions(LATER)).items() if text not in known]
    texts = [t for t, _ in data]
    y = np.array([c for _, c in data])
    classes = tuple(sorted(set(y)))
    rng = random.Random(7)
    many = len(policy.examples())
    owner = np.array([i for i, c in enumerate(y) for _ in range(2 if c != classifier.ANSWER or i < many else i % 2)])
    copies = [noisy(texts[i], rng) for i in owner]
    filled = expanded(rng, 9)
    lexical, vectors = np.array([features.lexical(t) for t in texts]), embedded(texts)
    beside = copies + [t for t, _ in filled]
    lexical_b, vectors_b = np.array([features.lexical(t) for t in beside]), embedded(beside)
    y_b = np.concatenate([y[owner], np.array([c for _, c in filled])])
    owner_b = np.concatenate([owner, np.full(len(filled), -1)])
    near = near_misses()
    weight = np.array([0.0 if len(text.split()) > LONGEST else NEAR_MISS if text in near else 1.0 for text in texts])
    unread = {redact(text).text for text, _ in pairs.fresh()}
    by_words = weight * np.array([text not in unread for text in texts])
    groups = families(vectors[:judged_on], lexical[:judged_on, len(features.names()) :])
    say(f"{len(y)} messages, {groups.max() + 1} families, {len(copies)} noisy copies, {len(filled)} filled patterns")
    card: dict[str, object] = {
        "made_by": "python -m tests.evals.fit_policy",
        "messages": len(y),
        "families": int(groups.max() + 1),
        "features": len(features.names()),
        "classes": list(classes),
        "blocks": list(BLOCKS),
        "strength": STRENGTH,
        **{f"{kind}_thresholds": limits for kind, limits in THRESHOLDS.items()},
    }
    arrays: dict[str, np.ndarray] = {}
    landmarks: np.ndarray | None = None
    folds = {}
    for kind in ("with", "without"):
        used = kind == "with"
        weighed = weight if used else by_words
        weighed_b = np.concatenate([weighed[owner] * 0.5, np.full(len(filled), FILLED)])
        real = side(lexical, vectors if used else None, y, np.arange(len(y)), weighed, BLOCKS)
        extra = side(lexical_b, vectors_b if used else None, y_b, owner_b, weighed_b, BLOCKS)
        folds[kind] = out_of_fold(real, extra, groups, STRENGTH, classes)
        card[f"{kind}_temperature"] = round(temperature(folds[kind][:judged_on], y[:judged_on], classes), 2)
        if landmarks is not None:
            landmarks[:, -features.EMBEDDED :] = 0.0
        model = fitted(joined(real, extra), classes, STRENGTH, landmarks)
        assert tuple(model.linear.classes_) == classes
        arrays[f"{kind}_matrix"] = model.linear.coef_.astype(np.float16)
        arrays[f"{kind}_bias"] = model.linear.intercept_.astype(np.float32)
        arrays[f"{kind}_mix"] = model.mix
        for part, values in enumerate(model.net):
            arrays[f"{kind}_net_{part}"] = values.astype(np.float16)
        if used:
            steps = np.abs(model.landmarks).max(axis=0) / 127 + 1e-9
            arrays["landmarks"] = np.round(model.landmarks / steps).astype(np.int8)
            arrays["steps"] = steps.astype(np.float32)
            landmarks = model.landmarks.copy()
        say(f"{kind}: fitted")
    classifier.folder().mkdir(exist_ok=True)
    np.savez_compressed(classifier.folder() / "classifier.npz", **arrays)
    fold = np.full(len(y), -1)
    for number, (_, test) in enumerate(GroupKFold(5).split(groups, groups=groups)):
        fold[test] = number
    np.savez(CACHE / "folds.npz", **folds, y=y, fold=fold)
    (CACHE / "texts.json").write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
    judge(card, texts[:judged_on], y[:judged_on], {kind: out[:judged_on] for kind, out in folds.items()}, classes)


def shares(results: list[Result]) -> dict[str, object]:
    """The figures that are kept on the card."""
    figures = report(results)
    told = ("labels_right", "crisis_false_alarms", "legitimate_refused", "misuse_and_unsafe_refused")
    return {name: figures[name]["value"] for name in told} | {
        label: [pair["recall"]["value"], pair["precision"]["value"]] for label, pair in figures["by_label"].items()
    }


def judge(
    card: dict[str, object], texts: list[str], y: np.ndarray, folds: dict[str, np.ndarray], classes: tuple[str, ...]
) -> None:
    """Put the out-of-fold beliefs through the whole screening, and write the card with the figures."""
    write_card(card)
    for kind, out in folds.items():
        results = judged(texts, y, out, classes, float(card[f"{kind}_temperature"]), kind == "with")  # type: ignore[arg-type]
        card[f"{kind}_screening"] = shares(results)
        say(json.dumps(card[f"{kind}_screening"]))
        list_mistakes(results, kind)
    write_card(card)


def write_card(card: dict[str, object]) -> None:
    """The classifier's description, and what is known of it read anew."""
    (classifier.folder() / "classifier.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    classifier._card.cache_clear()


def list_mistakes(results: list[Result], kind: str) -> None:
    """Write down, for whoever fits, what was decided otherwise."""
    wrong = [r for r in results if r.handling is not r.case.handling]
    lines = [f"{r.case.handling.value} -> {r.handling.value} ({r.rule}) [{r.case.rule}] {r.text}" for r in wrong]
    (CACHE / f"wrong-{kind}.txt").write_text("\n".join(sorted(lines)), encoding="utf-8")


def say(line: str) -> None:
    """Print at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
