"""Fits the close reader of messages and documents: ``python -m tests.evals.fit_reader``, after ``fit_policy``.

Messages and their classes are those that ``fit_policy`` wrote down and those of ``pairs.py``, with noisy copies, filled patterns
and composites; sentences of documents are those of ``fit_documents``. It goes on from the states of the shipped embedder, so
what is fitted is what runs. First it is fitted on everything and written; then one fold of ``fit_policy``'s is left out, to judge
messages it has not seen together with the other readers and to set the temperature. Needs torch; about fifty minutes.
``--whole`` does the first alone and ``--apart`` the second (side by side with ``OMP_NUM_THREADS=1`` they take no longer); with
``--judge`` only the judging is done again, with ``fit_policy``'s thresholds as they stand.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from bot.guardrails import classifier
from bot.guardrails.privacy import redact
from bot.knowledge.embedding import MiniLM
from bot.knowledge.shipped import data_file
from tests.evals import composites, details, fit_documents, fit_policy, pairs
from tests.evals.fit_policy import say
from tests.evals.minilm import STATES, WIDTH, Course, Layers, mean, partly_hidden, stacked, train, write_int8

COURSE = Course(rounds=6, batch=32, rate=3e-4, decay=0.01, warm=0.15)
DROP, HEAD_DROP, SMOOTH, HIDDEN = 0.1, 0.2, 0.05, 0.1
"""Dropout of the layers and before the heads, label smoothing, share of a text's pieces that are hidden while training."""
RARE = 0.35
"""How much more a rare class weighs: the power of how rare it is."""
COPIED, FILLED, NEAR_MISS = 0.5, 0.3, 2.0
"""What a noisy copy, a filled pattern, and an example of what is to be answered or either of a pair weighs. Messages in which
much is told of a child weigh no more than others: they are many, and crises are told beside such things too."""
FILLS = 2
"""Filled messages a pattern."""
PLAIN_SENTENCES = 2_500
COMMAND_SHARE = 0.6
"""What a document's sentence weighs beside a message."""
MOST_PIECES = 160
"""Longer texts are cut in the middle while training."""
JUDGED, NO_FOLD = 0, -1
"""The fold left out, and what stands for none."""

Text = np.ndarray
"""States of a text's pieces, shape (pieces, 384), as float16."""


class Model(nn.Module):
    """The upper layers, a mean and an attention over the pieces, and two heads."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(list(Layers(DROP).layers)[STATES:])
        self.drop = nn.Dropout(HEAD_DROP)
        self.attend, self.rules, self.command = nn.Linear(WIDTH, 1), nn.Linear(WIDTH, classes), nn.Linear(WIDTH, 1)

    def pooled(self, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """States (texts, pieces, width) and mask (texts, pieces) to one vector a text."""
        x, hidden = states, (1.0 - mask) * -1e4
        for layer in self.layers:
            x = layer(x, hidden[:, None, None, :])
        share = torch.softmax(self.attend(x)[:, :, 0] + hidden, dim=1)
        return mean(x, mask) + (share[:, :, None] * x).sum(1)

    def forward(self, states: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits of the classes (texts, classes), and of a command (texts,)."""
        pooled = self.drop(self.pooled(states, mask))
        return self.rules(pooled), self.command(pooled)[:, 0]


class Shipped(nn.Module):
    """As it is written: one text without padding; probabilities instead of logits."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """States (texts, pieces, width) to probabilities (texts, classes) and log odds (texts,)."""
        rules, command = self.model(states, torch.ones_like(states[:, :, 0]))
        return torch.softmax(rules, dim=1), command


@dataclass
class Lesson:
    """What is trained on: a text, its class or -1, whether it is a command or -1, and what it weighs."""

    states: Text
    rule: int
    command: int
    weight: float


def states_of(texts: Sequence[str]) -> list[Text]:
    """Each text's states, in order."""
    embedder, found = MiniLM(1), []
    for text in texts:
        states = embedder.read(text)[1].astype(np.float16)
        half = MOST_PIECES // 2
        found.append(states if len(states) <= MOST_PIECES else np.concatenate([states[:half], states[-half:]]))
    return found


def trained(lessons: Sequence[Lesson], classes: int) -> Model:
    """A model that has gone through the lessons."""
    torch.manual_seed(0)
    model, chance = Model(classes), np.random.default_rng(0)

    def loss(batch: list[Lesson]) -> torch.Tensor:
        states, mask = stacked([lesson.states for lesson in batch])
        with torch.autocast("cpu", torch.bfloat16):
            rules, command = model(states, partly_hidden(mask, HIDDEN, chance))
        weight = torch.tensor([lesson.weight for lesson in batch])
        rule = torch.tensor([lesson.rule for lesson in batch])
        told = torch.tensor([lesson.command for lesson in batch])
        wrong = functional.cross_entropy(rules.float(), rule.clamp(min=0), reduction="none", label_smoothing=SMOOTH) * (rule >= 0)
        aim = told.clamp(min=0).float() * (1 - SMOOTH) + SMOOTH / 2
        commands = functional.binary_cross_entropy_with_logits(command.float(), aim, reduction="none")
        return ((wrong + COMMAND_SHARE * (told >= 0) * commands) * weight).sum() / weight.sum()

    train(model, lessons, lambda lesson: len(lesson.states), loss, COURSE, say)
    return model


@torch.no_grad()
def probabilities(model: Model, texts: Sequence[Text]) -> np.ndarray:
    """Of each text, shape (texts, classes)."""
    return np.concatenate(
        [
            torch.softmax(model(*stacked(texts[i : i + COURSE.batch]))[0], dim=1).numpy()
            for i in range(0, len(texts), COURSE.batch)
        ]
    )


@torch.no_grad()
def odds(model: Model, texts: Sequence[Text]) -> np.ndarray:
    """How much each text commands, shape (texts,)."""
    return np.concatenate([model(*stacked(texts[i : i + COURSE.batch]))[1].numpy() for i in range(0, len(texts), COURSE.batch)])


def with_own(texts: list[str], y: np.ndarray, fold: np.ndarray) -> tuple[list[str], np.ndarray, np.ndarray]:
    """``fit_policy``'s messages, classes and folds, and behind them those that only this reader learns from, in no fold."""
    own = {redact(text).text: name for text, name in [*pairs.pairs(), *pairs.fresh()]}
    for text in texts:
        own.pop(text, None)
    return [*texts, *own], np.concatenate([y, [*own.values()]]), np.concatenate([fold, np.full(len(own), NO_FOLD)])


def messages(texts: list[str], y: np.ndarray, fold: np.ndarray, classes: tuple[str, ...]) -> tuple[list[Lesson], np.ndarray]:
    """Lessons of what staff type, and of which message each was made (-1: of none)."""
    rng = random.Random(4)
    light = {redact(message.text).text for message in details.messages()}
    near = (fit_policy.near_misses() - light) | {redact(text).text for text, _ in pairs.pairs()}
    rows = [(text, name, NEAR_MISS if text in near else 1.0) for text, name in zip(texts, y, strict=True)]
    owner = list(range(len(rows)))
    copied = [i for i, name in enumerate(y) if name != classifier.ANSWER or rng.random() < 0.4]
    rows += [(fit_policy.noisy(texts[i], rng), y[i], COPIED) for i in copied]
    filled = fit_policy.expanded(rng, FILLS)
    rows += [(text, name, FILLED) for text, name in filled]
    made = composites.composites(texts, y.tolist(), fold.tolist(), rng)
    rows += [(one.text, one.name, composites.WEIGHT) for one in made]
    owner += [*copied, *[-1] * len(filled), *(one.owner for one in made)]
    counts = {name: sum(1 for _, other, _ in rows if other == name) for name in classes}
    usual = len(rows) / len(classes)
    states = states_of([text for text, _, _ in rows])
    lessons = [
        Lesson(states[i], classes.index(name), -1, weight * (usual / counts[name]) ** RARE)
        for i, (_, name, weight) in enumerate(rows)
    ]
    return lessons, np.array(owner)


def sentences() -> list[Lesson]:
    """Lessons of what stands in documents."""
    true, hard, plain = fit_documents.true(), fit_documents.tempting(), fit_documents.plain()
    random.Random(3).shuffle(plain)
    told = dict.fromkeys(plain[:PLAIN_SENTENCES], (0, 1.0)) | dict.fromkeys(hard, (0, 2.0)) | dict.fromkeys(true, (1, 2.0))
    return [
        Lesson(states, -1, command, weight)
        for states, (command, weight) in zip(states_of(list(told)), told.values(), strict=True)
    ]


def main() -> None:
    """Fit on everything, write, judge on one fold."""
    cache, path = fit_policy.CACHE, classifier.folder() / "classifier.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    texts = json.loads((cache / "texts.json").read_text(encoding="utf-8"))
    stored = np.load(cache / "folds.npz", allow_pickle=True)
    classes, y, fold = tuple(card["classes"]), stored["y"], stored["fold"]
    texts, y, fold = with_own(texts, y, fold)
    unseen = np.where(fold == JUDGED)[0]
    if "--judge" in sys.argv:
        read = np.load(cache / "reader.npz")["read"]
        judge(card, [texts[i] for i in unseen], y[unseen], stored["with"][unseen], read)
        return
    lessons, owner = messages(texts, y, fold, classes)
    said = sentences()
    say(f"{len(lessons)} messages with their copies, {len(said)} sentences")
    if "--apart" not in sys.argv:
        ship([*lessons, *said], classes)
    if "--whole" in sys.argv:
        return
    seen = [lesson for lesson, of in zip(lessons, owner, strict=True) if of < 0 or fold[of] != JUDGED]
    apart = [i // fit_documents.BLOCK % fit_documents.FOLDS == JUDGED for i in range(len(said))]
    first = trained([*seen, *(lesson for lesson, out in zip(said, apart, strict=True) if not out)], len(classes))
    read = probabilities(first, [lessons[i].states for i in unseen])
    np.savez(cache / "reader.npz", read=read)
    judge(card, [texts[i] for i in unseen], y[unseen], stored["with"][unseen], read)
    left = [lesson for lesson, out in zip(said, apart, strict=True) if out]
    told, truth = odds(first, [lesson.states for lesson in left]), np.array([lesson.command == 1 for lesson in left])
    for share in (0.02, 0.01, 0.005):
        limit = float(np.quantile(told[~truth], 1 - share))
        found = (told[truth] > limit).mean()
        say(f"sentences: taking {share:.3f} of the honest for a command it finds {found:.3f} (from {limit:.2f})")


def ship(lessons: Sequence[Lesson], classes: tuple[str, ...]) -> None:
    """Fit on all lessons and write what the product runs."""
    whole = trained(lessons, len(classes))
    about = {"made_by": "python -m tests.evals.fit_reader", "classes": list(classes)}
    example = torch.from_numpy(lessons[0].states.astype(np.float32))[None]
    write_int8(
        Shipped(whole).eval(), (example,), ("rules", "command"), data_file("guardrails", "reader.onnx"), about, ("states",)
    )


def judge(card: dict[str, object], texts: list[str], y: np.ndarray, others: np.ndarray, read: np.ndarray) -> None:
    """Set the temperature on unseen messages, put them through the whole screening, write the card with the figures."""
    classes = tuple(card["classes"])  # type: ignore[arg-type]
    both = classifier.with_reader(others, read, classes, texts)
    card["with_temperature"] = round(fit_policy.temperature(both, y, classes), 2)
    card["with_thresholds"] = fit_policy.THRESHOLDS["with"]
    fit_policy.write_card(card)
    for name, out in (("together", both), ("the other readers alone", others)):
        results = fit_policy.judged(texts, y, out, classes, float(card["with_temperature"]), True)  # type: ignore[arg-type]
        say(f"{name}: {json.dumps(fit_policy.shares(results))}")
        if out is both:
            card["read_screening"] = fit_policy.shares(results)
            fit_policy.list_mistakes(results, "reader")
    fit_policy.write_card(card)


if __name__ == "__main__":
    main()
