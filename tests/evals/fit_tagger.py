"""Fits the tagger of details told in free words: ``python -m tests.evals.fit_tagger``, after ``make_embedder``.

Messages are those of ``tests/evals/policy/details.txt`` (``[[kind:words]]`` are to be hidden), of the privacy rule's examples,
of the two files privacy was tuned on and of ``fresh.jsonl``; beside them fitting questions and examples of the policy in which
there is nothing to hide. A message is read as the tagger will read it: with what patterns and the name recogniser find already
hidden. It goes on from the states of the shipped embedder. First a fifth is left out, to set the thresholds; then it is fitted
on everything and written. Needs what ``tests/evals/minilm.py`` names; about twenty minutes of one core.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from bot.guardrails import policy, privacy
from bot.guardrails.circumstances import of_one
from bot.guardrails.details import Found
from bot.guardrails.evaluation import privacy_cases, survives
from bot.guardrails.privacy import Redacted
from bot.guardrails.tagger import Pieces, shown, stretches, windows
from bot.guardrails.views import clean
from bot.knowledge.embedding import MAX_TOKENS, MiniLM, load_tokenizer
from bot.knowledge.shipped import data_file
from tests.evals import details
from tests.evals.details import CLASSES, OTHER, Marked
from tests.evals.fit_policy import say
from tests.evals.fit_questions import fit_cases
from tests.evals.minilm import STATES, WIDTH, Course, Layers, partly_hidden, stacked, train, write_int8

HERE = Path(__file__).parent / "policy"
LAYERS, COURSE = 3, Course(rounds=8, batch=16, rate=3e-4, decay=0.01, warm=0.1)
DROP, HEAD_DROP, HIDDEN, SMOOTH = 0.1, 0.1, 0.1, 0.02
QUESTIONS = 2_500
TOLD_WEIGHT, KEEP_WEIGHT, KIND_SHARE = 2.0, 3.0, 0.3
"""What a piece of a detail weighs beside another, and one of a word that is to stay; the kinds beside whether it is one."""
APART = 5
"""One in so many messages is left out for the thresholds."""
STAYS_SHARE, DETAIL_WEIGHT = 0.5, 3.0
"""What placeholders weigh beside words to hide, and one that stands for a detail beside one that stands for none."""
THRESHOLDS = {"person": -1.5, "nobody": -0.5, "goes on": 2.5, "stays": 6.0}
"""Log odds from which a word is hidden where the text names someone and where it does not; how much less its neighbours need;
from which a placeholder is believed to stand for no detail. By the table that ``judge`` prints and the totals of the files set
apart."""


@dataclass
class Lesson:
    """States of a window's pieces, shape (pieces, 384); of each piece whether it is of a detail, what that weighs, and of which
    class it is or -1; of each piece of a placeholder whether it stands for none (1) or one (0), of the others -1."""

    states: np.ndarray
    told: np.ndarray
    weight: np.ndarray
    kind: np.ndarray
    stays: np.ndarray


@dataclass(frozen=True)
class Left:
    """A message as the tagger reads it, what is still to be hidden there (start, end, class), its placeholders, each with
    whether it stands for no detail, and the words that are to stay."""

    text: str
    hide: tuple[tuple[int, int, int], ...] = ()
    places: tuple[tuple[int, int], ...] = ()
    stays: tuple[bool, ...] = ()
    keep: tuple[str, ...] = ()


def messages() -> list[Marked]:
    """Everything that carries marks."""
    found = [*details.messages(), *(one for name in ("privacy_dev", "privacy_hard", "fresh") for one in details.listed(name))]
    return found + [details.found_in(case.text, case.details) for case in privacy_cases()]


def in_general() -> list[str]:
    """The policy's examples of what is to be answered that speak of no one child: dangers, troubles and marks in general."""
    texts = [clean(example.text) for example in policy.examples() if example.rule is None]
    return [text for text in texts if not privacy.spans(text) and not of_one(text)]


def left_over(message: Marked) -> Left:
    """What the lists leave of a message, and what they hide too much."""
    plain = clean(message.text)
    if plain != message.text:
        return Left("")
    found = privacy.spans(plain)
    redacted = privacy.written(plain, found)
    place, last, at = np.full(len(plain) + 1, -1), 0, 0
    for (start, end, _), (begin, stop) in zip(found, redacted.places, strict=True):
        place[last:start] = np.arange(at, begin)
        last, at = end, stop
    place[last : len(plain)] = np.arange(at, len(redacted.text))
    rest = []
    for start, end, kind in message.hide:
        still = [int(place[i]) for i in range(start, end) if place[i] >= 0]
        cut = [i for i, (a, b) in enumerate(pairwise(still), 1) if b != a + 1]
        for begin, stop in zip([0, *cut], [*cut, len(still)], strict=True):
            if stop > begin:
                rest.append((still[begin], still[stop - 1] + 1, kind))
    stays = tuple(not any(a < end and start < b for a, b, _ in message.hide) for start, end, _ in found)
    return Left(redacted.text, tuple(rest), redacted.places, stays, message.keep)


def lessons_of(left: Left, embedder: MiniLM) -> list[Lesson]:
    """One for each window of a text."""
    tokenizer, made = load_tokenizer(MAX_TOKENS), []
    for begin, window in windows(left.text):
        offsets = tokenizer.encode(window).offsets
        told, weight, kinds, stays = (np.full(len(offsets), value) for value in (0.0, 1.0, -1, -1))
        kept = [match.span() for word in left.keep for match in re.finditer(re.escape(word), window)]
        for i, (a, b) in enumerate(offsets):
            if any(a < end and start < b for start, end in kept):
                weight[i] = KEEP_WEIGHT
            for start, end, kind in left.hide:
                if a < b and begin + a < end and start < begin + b:
                    told[i], weight[i], kinds[i] = 1.0, TOLD_WEIGHT, kind
            for (start, end), nothing in zip(left.places, left.stays, strict=True):
                if a < b and begin + a < end and start < begin + b:
                    stays[i] = int(nothing)
        states = embedder.read(window)[1].astype(np.float16)
        made.append(Lesson(states, told.astype(np.float32), weight.astype(np.float32), kinds, stays))
    return made


class Model(nn.Module):
    """Some more layers and a head: of each piece the log odds that it is of a detail, those of the classes, and those that the
    placeholder it is of stands for none."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(list(Layers(DROP).layers)[STATES : STATES + LAYERS])
        self.drop = nn.Dropout(HEAD_DROP)
        self.head = nn.Linear(WIDTH, 2 + len(CLASSES))

    def forward(self, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """States (texts, pieces, width) and mask (texts, pieces) to (texts, pieces, 1 + classes + 1)."""
        hidden = ((1.0 - mask) * -1e4)[:, None, None, :]
        for layer in self.layers:
            states = layer(states, hidden)
        result: torch.Tensor = self.head(self.drop(states))
        return result


class Shipped(nn.Module):
    """As it is written: one text without padding."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """States (1, pieces, width) to (1, pieces, 1 + classes + 1)."""
        result: torch.Tensor = self.model(states, torch.ones_like(states[:, :, 0]))
        return result


def trained(lessons: Sequence[Lesson]) -> Model:
    """A model that has gone through the lessons."""
    torch.manual_seed(0)
    model, chance = Model(), np.random.default_rng(0)

    def loss(batch: list[Lesson]) -> torch.Tensor:
        states, mask = stacked([one.states for one in batch])
        told, kind, stays = torch.zeros(mask.shape), torch.full(mask.shape, -1), torch.full(mask.shape, -1)
        weight = torch.zeros(mask.shape)
        for row, one in enumerate(batch):
            told[row, : len(one.told)], kind[row, : len(one.kind)] = torch.from_numpy(one.told), torch.from_numpy(one.kind)
            weight[row, : len(one.weight)] = torch.from_numpy(one.weight)
            stays[row, : len(one.stays)] = torch.from_numpy(one.stays)
        with torch.autocast("cpu", torch.bfloat16):
            out = model(states, partly_hidden(mask, HIDDEN, chance))
        out, weight = out.float(), mask * weight
        aim = told * (1 - 2 * SMOOTH) + SMOOTH
        wrong = functional.binary_cross_entropy_with_logits(out[:, :, 0], aim, weight, reduction="sum") / weight.sum()
        known, hidden = kind >= 0, stays >= 0
        if known.any():
            wrong = wrong + KIND_SHARE * functional.cross_entropy(out[:, :, 1:-1][known], kind[known])
        if hidden.any():
            aim = stays[hidden].float()
            doubt = functional.binary_cross_entropy_with_logits(out[:, :, -1][hidden], aim, aim + DETAIL_WEIGHT * (1 - aim))
            wrong = wrong + STAYS_SHARE * doubt
        return wrong

    train(model, lessons, lambda one: len(one.states), loss, COURSE, say)
    return model


def write(model: Model, example: Lesson, thresholds: dict[str, float]) -> None:
    """The shipped files."""
    about = {"made_by": "python -m tests.evals.fit_tagger", "classes": list(CLASSES), "thresholds": thresholds}
    states = torch.from_numpy(example.states.astype(np.float32))[None]
    write_int8(Shipped(model).eval(), (states,), ("pieces",), data_file("guardrails", "tagger.onnx"), about, ("states",))


@dataclass(frozen=True)
class Reading:
    """A clean text as the product will read it: what the lists find, the text without that, what the model says of its pieces."""

    plain: str
    found: list[Found]
    redacted: Redacted
    pieces: Pieces

    def after(self, limit: float, stays: float) -> str:
        """The text with what is told of a child hidden, and what the lists hid too much shown."""
        seen = shown(self.redacted.text, self.pieces, self.redacted.places, stays)
        left = [span for number, span in enumerate(self.found) if number not in seen]
        told = [
            (begin + start, begin + end, OTHER)
            for begin, window, out, offsets in self.pieces
            for start, end, _ in stretches(window, out[:, :-1], offsets, limit, limit - THRESHOLDS["goes on"])
        ]
        told = privacy.without_standing(self.plain, privacy.in_plain(self.found, self.redacted, told))
        return privacy.written(self.plain, sorted(left + told)).text


@torch.no_grad()
def reading(model: Model, text: str, embedder: MiniLM) -> Reading:
    """A text as the model reads it."""
    plain = clean(text)
    found = privacy.spans(plain)
    redacted = privacy.written(plain, found)
    pieces = []
    for begin, window in windows(redacted.text):
        states = torch.from_numpy(embedder.read(window)[1])[None]
        out = model(states, torch.ones(states.shape[:2]))[0].numpy()
        pieces.append((begin, window, out, load_tokenizer(MAX_TOKENS).encode(window).offsets))
    return Reading(plain, found, redacted, pieces)


def judge(model: Model, apart: Sequence[Marked], nothing: dict[str, list[str]], embedder: MiniLM) -> None:
    """How messages left out fare at several thresholds: every detail hidden, words to keep destroyed, plain ones touched."""
    read = [(message, reading(model, message.text, embedder)) for message in apart]
    plain = {name: [reading(model, text, embedder) for text in texts] for name, texts in nothing.items()}
    for person in (True, False):
        of = [row for row in read if privacy.of_someone(row[1].redacted.text) is person]
        name = "someone" if person else "nobody"
        at = THRESHOLDS["person" if person else "nobody"]
        tried = [(limit, 99.0) for limit in (99.0, 2.5, 2.0, 1.5, 1.0, 0.5, 0.0, -0.5, -1.0, -1.5)]
        for limit, stays in [*tried, *((at, stays) for stays in (6.0, 5.0, 4.0, 3.0, 2.0, 1.0))]:
            shown = [(message, one.after(limit, stays)) for message, one in of]
            whole = [not any(survives(m.text[a:b], after) for a, b, _ in m.hide) for m, after in shown if m.hide]
            kept = [word in after for m, after in shown for word in m.keep]
            quiet = [after == clean(m.text) for m, after in shown if not m.hide]
            calm = {name: np.mean([one.after(limit, stays) == one.plain for one in some]) for name, some in plain.items()}
            say(
                f"{name} named, hidden from {limit}, shown from {stays}: all hidden in {np.mean(whole):.3f} of {len(whole)}, "
                f"{np.mean(kept):.4f} of {len(kept)} words kept, {np.mean(quiet):.3f} of {len(quiet)} messages without details "
                f"and {', '.join(f'{share:.4f} of {len(nothing[name])} {name}' for name, share in calm.items())} untouched"
            )


def main() -> None:
    """Judge on what is left out, fit on everything, write."""
    torch.set_num_threads(1)
    embedder = MiniLM(1)
    found = messages()
    asked = [case.question for case in fit_cases()]
    random.Random(6).shuffle(asked)
    apart = [message for number, message in enumerate(found) if number % APART == 0]
    lessons = [(number, one) for number, message in enumerate(found) for one in lessons_of(left_over(message), embedder)]
    general = in_general()
    nothing = [*asked[:QUESTIONS], *general]
    plain = [(text, one) for text in nothing for one in lessons_of(left_over(Marked(clean(text), ())), embedder)]
    unseen = {"questions": asked[QUESTIONS : QUESTIONS + 800], "examples": general[::APART]}
    say(
        f"{len(found)} messages, {sum(one.told.sum() > 0 for _, one in lessons)} with details that patterns leave, "
        f"{sum((one.stays > 0).any() for _, one in lessons)} in which they hide too much"
    )
    left = set(unseen["examples"])
    first = trained([*(one for number, one in lessons if number % APART), *(one for text, one in plain if text not in left)])
    judge(first, apart, unseen, embedder)
    whole = trained([*(one for _, one in lessons), *(one for _, one in plain)])
    write(whole, lessons[0][1], THRESHOLDS)


if __name__ == "__main__":
    main()
