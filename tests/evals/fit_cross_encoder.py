"""Fits the cross-encoder on the fitting half of the question file:
``python -m tests.evals.fit_cross_encoder [--go-on FILE ...]``.

Needs what ``tests/evals/minilm.py`` names. About an hour of one core with bfloat16. With ``--go-on`` it begins with the shipped
weights and shows every question of those files and some of the others: minutes. So the shipped one was made, first of the files
up to ``fit-extra-8``, then with ``--go-on`` of ``fit-extra-9``, ``-10``, ``-12``, and ``-13`` with ``-14``. (A round over all of
them did worse on those left out.)

A pair is a question and a statement that the search found for it. It is true where the statement carries the fact asked for;
false for every statement found for a near miss, and for statements of other documents found for an answerable question. In two
pairs of five the statement's own questions are hidden, so that the model also serves files that have none.

The questions of five whole documents, and twelve in a hundred of the others, are left out (``left_out``): on those,
``tests.evals.fit`` weighs the cross-encoder's word against the other signals. The never-tuned half is not read.
"""

from __future__ import annotations

import argparse
import random
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from bot.app import App
from bot.assistant.cross_encoder import CrossEncoder, padded
from bot.assistant.evaluation import Case, carries, read_cases
from bot.assistant.search import Found, search
from bot.knowledge.library import BASE
from bot.knowledge.shipped import data_file
from tests.evals.fit_questions import HERE, fit_cases, left_out, wordings
from tests.evals.minilm import WIDTH, Layers, go_on_from, mean, write_int8

HEAD_UNITS = 64
ROUNDS, BATCH, BODY_RATE, HEAD_RATE, DROP = 2.5, 32, 1e-4, 1e-3, 0.1
GOING_ON, OTHERS = {"rounds": 1.6, "body": 5e-5, "head": 4e-4}, 2600
"""Rounds and rates when it goes on, and how many of the other questions each round shows."""
SHOW_KEY = 0.6
TRUE_WEIGHT, SMOOTH = 2.0, 0.02

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Read:
    """A fitting question as typed and as mended, and the best statements found for it, itself left out as a key."""

    case: Case
    mended: str
    found: tuple[Found, ...]


@dataclass(frozen=True)
class Sample:
    """One pair with its label in [0, 1] and its weight."""

    question: list[int]
    evidence: list[int]
    label: float
    weight: float


def gather(app: App) -> list[Read]:
    """Every fitting question with what the search finds for it."""
    shelves = app.assistant.shelves([BASE])
    reads = []
    cases = fit_cases()
    same = wordings(cases)
    for case in cases:
        considered = app.assistant.consider(case.question, case.history, shelves, ignoring=same[case.question])
        if considered.leading is not None:
            vector = app.embedder.encode([considered.question.expanded])[0]
            found = search(considered.question, vector, shelves[0], ignoring=same[case.question], count=8)
            reads.append(Read(case, considered.question.text, tuple(found)))
    return reads


class Reader(Layers):
    """MiniLM over the pair, and a small head over its first piece, the means of both parts, their distance and product."""

    def __init__(self) -> None:
        super().__init__(DROP)
        self.head, self.out = nn.Linear(5 * WIDTH, HEAD_UNITS), nn.Linear(HEAD_UNITS, 1)
        self.words.weight.requires_grad_(False)  # few pairs would only tear the words' own vectors

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor) -> torch.Tensor:
        """Ids, mask and segments, shape (batch, pieces) each, to log-odds of shape (batch,)."""
        x = self.read(input_ids, attention_mask, token_type_ids)
        present = attention_mask.to(x.dtype)
        second = present * token_type_ids.to(x.dtype)
        asked, told = mean(x, present - second), mean(x, second)
        joined = torch.cat([x[:, 0], asked, told, (asked - told).abs(), asked * told], 1)
        result: torch.Tensor = self.out(functional.gelu(self.head(functional.dropout(joined, DROP, self.training))))[:, 0]
        return result


def samples(reads: list[Read], pieces: CrossEncoder, chance: random.Random) -> list[Sample]:
    """One round's pairs."""
    made: list[Sample] = []

    def add(read: Read, item: Found, label: float, weight: float = 1.0) -> None:
        asked = pieces.question(chance.choice([read.case.question, read.mended, read.mended]))
        made.append(Sample(asked, pieces.evidence(item, with_keys=chance.random() < SHOW_KEY), label, weight))

    for read in reads:
        if not read.case.gold:
            add(read, read.found[0], 0.0)
            if chance.random() < 0.4 and len(read.found) > 1:
                add(read, chance.choice(read.found[1:4]), 0.0)
            continue
        documents = {document for document, _ in read.case.gold}
        right = [f for f in read.found if any(carries(f.shelved, gold, passage=False) for gold in read.case.gold)]
        for item in right[:2]:
            add(read, item, 1.0)
        wrong = [f for f in read.found if f.shelved.version.document not in documents]
        if wrong:
            add(read, chance.choice(wrong[:4]), 0.0)
        beside = [
            f for f in read.found if f not in wrong and not any(carries(f.shelved, gold, passage=True) for gold in read.case.gold)
        ]
        if beside and chance.random() < 0.5:
            add(read, chance.choice(beside), 0.0, 0.5)
    return made


def batches(made: list[Sample], chance: random.Random) -> list[list[Sample]]:
    """Pairs of like length together, in random order."""
    chance.shuffle(made)
    cut: list[list[Sample]] = []
    for begin in range(0, len(made), BATCH * 50):
        part = sorted(made[begin : begin + BATCH * 50], key=lambda s: len(s.question) + len(s.evidence))
        cut += [part[i : i + BATCH] for i in range(0, len(part), BATCH)]
    chance.shuffle(cut)
    return cut


def train(reads: list[Read], pieces: CrossEncoder, first: list[Read]) -> Reader:
    """Fit, with a rate that rises over some steps and falls to the end. Where there are ``first`` reads it goes on from the
    shipped weights with all of those and some of the others."""
    torch.manual_seed(0)
    chance = random.Random(1)
    model = Reader()
    rounds, body_rate, head_rate = ROUNDS, BODY_RATE, HEAD_RATE
    if first:
        go_on_from(model, [model.head, model.out], data_file("decision", "cross_encoder.onnx"))
        rounds, body_rate, head_rate = GOING_ON["rounds"], GOING_ON["body"], GOING_ON["head"]

    known = {read.case.question for read in first}

    def shown() -> list[Sample]:
        if not first:
            return samples(reads, pieces, chance)
        others = chance.sample([r for r in reads if r.case.question not in known], OTHERS)
        return samples(first, pieces, chance) + samples(first, pieces, chance)[::2] + samples(others, pieces, chance)

    head = [*model.head.parameters(), *model.out.parameters()]
    told = {id(p) for p in head}
    body = [p for p in model.parameters() if p.requires_grad and id(p) not in told]
    groups: list[dict[str, Any]] = [{"params": body, "lr": body_rate}, {"params": head, "lr": head_rate}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.02)
    total = int(len(shown()) // BATCH * rounds)
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1, step / 100) * max(0.02, 1 - step / total))
    step = 0
    while step < total:
        for batch in batches(shown(), chance)[: total - step]:
            label = torch.tensor([s.label for s in batch]) * (1 - 2 * SMOOTH) + SMOOTH
            weight = torch.tensor([s.weight * (TRUE_WEIGHT if s.label else 1.0) for s in batch])
            with torch.autocast("cpu", torch.bfloat16):
                logits = model(*tensors(batch))
            loss = (functional.binary_cross_entropy_with_logits(logits.float(), label, reduction="none") * weight).mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            rate.step()
            step += 1
            if step % 50 == 0:
                sys.stdout.write(f"{step} of {total}: loss {loss.item():.3f}\n")
                sys.stdout.flush()
    return model


def tensors(batch: list[Sample]) -> Batch:
    """What the model reads."""
    ids, mask, kinds = padded([(s.question, s.evidence) for s in batch])
    return torch.from_numpy(ids), torch.from_numpy(mask), torch.from_numpy(kinds)


def main() -> None:
    """Gather, fit and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--go-on", nargs="*", default=[], help="files of tests/evals/questions")
    named = parser.parse_args().go_on
    asked = {case.question for name in named for case in read_cases(HERE / name)}
    np.random.seed(0)
    torch.set_num_threads(1)
    app = App()
    reads = gather(app)
    documents = {version.document for version in app.assistant.shelves([BASE])[0].versions.values()}
    kept = [r for r in reads if not left_out(documents, r.case, r.found[0].shelved.version.document)]
    pieces = CrossEncoder(tokenizer_only=True)
    model = train(kept, pieces, [r for r in kept if r.case.question in asked])
    about = {
        "made_by": "python -m tests.evals.fit_cross_encoder" + (f" --go-on {' '.join(named)}" if named else ""),
        "questions": "tests/evals/questions/fit*.jsonl, without those left out",
        "reads": len(kept),
    }
    example = tensors(samples(kept[:8], pieces, random.Random(2))[:4])
    write_int8(model, example, ("logit",), data_file("decision", "cross_encoder.onnx"), about)


if __name__ == "__main__":
    main()
