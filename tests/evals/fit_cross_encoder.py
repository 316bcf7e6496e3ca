"""Fits the cross-encoder on the fitting half of the question file:
``python -m tests.evals.fit_cross_encoder [--go-on FILE ...]``.

Needs what ``tests/evals/minilm.py`` names. About an hour of one core with bfloat16. With ``--go-on`` it begins with the shipped
weights and shows every question of those files and some of the others: minutes. So the shipped one was made, first of the files
up to ``fit-extra-8``, then with ``--go-on`` of ``fit-extra-9``, ``-10``, ``-12``, ``-13`` with ``-14``,
``-15``, and ``-16``. (A round over all of them did worse on those left out.)

A pair is a question and a statement that the search found for it. It is true where the statement carries the fact asked for;
false for every statement found for a near miss, and for statements of other documents found for an answerable question. In two
pairs of five the statement's own questions are hidden, so that the model also serves files that have none. Half of the near
misses are shown in one batch with the answered question of the same fact that has most of its words, and the answered one must
be believed more: what tells the two apart is what a near miss teaches.

The questions of five whole documents, and twelve in a hundred of the others, are left out (``left_out``): on those,
``tests.evals.fit`` weighs the cross-encoder's word against the other signals. The never-tuned half is not read.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from bot.app import App
from bot.assistant.cross_encoder import CrossEncoder, padded
from bot.assistant.evaluation import Case, carries, read_cases
from bot.assistant.search import Found, search
from bot.knowledge.lexical_index import words
from bot.knowledge.library import BASE
from bot.knowledge.shipped import data_file
from tests.evals.fit_questions import HERE, fit_cases, left_out, wordings
from tests.evals.minilm import WIDTH, Layers, go_on_from, mean, write_int8

HEAD_UNITS = 64
ROUNDS, BATCH, BODY_RATE, HEAD_RATE, DROP = 2.5, 32, 1e-4, 1e-3, 0.1
GOING_ON, OTHERS = {"rounds": 1.6, "body": 5e-5, "head": 4e-4}, 6000
"""Rounds and rates when it goes on, and how many of the other questions each round shows."""
SHOW_KEY = 0.6
TRUE_WEIGHT, SMOOTH = 2.0, 0.02
RIVALS, RANK_WEIGHT = 0.5, 0.5
"""Of how many near misses the likest answered question is shown beside, and what their order weighs."""

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Read:
    """A fitting question as typed and as mended, and the best statements found for it, itself left out as a key."""

    case: Case
    mended: str
    found: tuple[Found, ...]


@dataclass(frozen=True)
class Sample:
    """One pair with its label in [0, 1] and its weight; ``rival`` counts to the pair in its batch that must be believed more."""

    question: list[int]
    evidence: list[int]
    label: float
    weight: float
    rival: int = 0


Unit = list[Sample]
"""What stays together in a batch."""


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


def likest(reads: list[Read]) -> dict[str, Read]:
    """By near miss, the answered question of the same fact that has most of its words."""
    near = {
        row["question"]: (row["near"]["doc"], f"fact {row['near']['fact']}")
        for path in HERE.glob("fit*.jsonl")
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())
        if "near" in row
    }
    answered: dict[tuple[str, str], list[tuple[set[str], Read]]] = {}
    for read in reads:
        for gold in read.case.gold:
            answered.setdefault(gold, []).append((set(words(read.mended)), read))
    found = {}
    for read in reads:
        beside = answered.get(near.get(read.case.question, ("", "")), [])
        if not read.case.gold and beside:
            own = set(words(read.mended))
            found[read.case.question] = max(beside, key=lambda one: len(own & one[0]) / len(own | one[0]))[1]
    return found


def samples(reads: list[Read], pieces: CrossEncoder, chance: random.Random, rivals: dict[str, Read]) -> list[Unit]:
    """One round's pairs."""
    made: list[Unit] = []

    def sample(read: Read, item: Found, label: float, weight: float = 1.0, rival: int = 0) -> Sample:
        asked = pieces.question(chance.choice([read.case.question, read.mended, read.mended]))
        return Sample(asked, pieces.evidence(item, with_keys=chance.random() < SHOW_KEY), label, weight, rival)

    for read in reads:
        if not read.case.gold:
            unit = [sample(read, read.found[0], 0.0)]
            rival = rivals.get(read.case.question)
            told = right(rival) if rival is not None and chance.random() < RIVALS else []
            if rival is not None and told:
                unit = [sample(rival, told[0], 1.0), replace(unit[0], rival=-1)]
            made.append(unit)
            if chance.random() < 0.4 and len(read.found) > 1:
                made.append([sample(read, chance.choice(read.found[1:4]), 0.0)])
            continue
        documents = {document for document, _ in read.case.gold}
        made += [[sample(read, item, 1.0)] for item in right(read)[:2]]
        wrong = [f for f in read.found if f.shelved.version.document not in documents]
        if wrong:
            made.append([sample(read, chance.choice(wrong[:4]), 0.0)])
        beside = [
            f for f in read.found if f not in wrong and not any(carries(f.shelved, gold, passage=True) for gold in read.case.gold)
        ]
        if beside and chance.random() < 0.5:
            made.append([sample(read, chance.choice(beside), 0.0, 0.5)])
    return made


def right(read: Read) -> list[Found]:
    """What was found for a question that carries the fact asked for."""
    return [f for f in read.found if any(carries(f.shelved, gold, passage=False) for gold in read.case.gold)]


def longest(unit: Unit) -> int:
    """Word pieces of the longest pair."""
    return max(len(one.question) + len(one.evidence) for one in unit)


def batches(made: list[Unit], chance: random.Random) -> list[list[Sample]]:
    """Pairs of like length together, in random order."""
    chance.shuffle(made)
    cut: list[list[Sample]] = []
    for begin in range(0, len(made), BATCH * 50):
        batch: list[Sample] = []
        for unit in sorted(made[begin : begin + BATCH * 50], key=longest):
            batch += unit
            if len(batch) >= BATCH:
                cut.append(batch)
                batch = []
        if batch:
            cut.append(batch)
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
    rivals = likest(reads)

    def shown() -> list[Unit]:
        if not first:
            return samples(reads, pieces, chance, rivals)
        others = chance.sample([r for r in reads if r.case.question not in known], OTHERS)
        return [
            *samples(first, pieces, chance, rivals),
            *samples(first, pieces, chance, rivals)[::2],
            *samples(others, pieces, chance, rivals),
        ]

    head = [*model.head.parameters(), *model.out.parameters()]
    told = {id(p) for p in head}
    body = [p for p in model.parameters() if p.requires_grad and id(p) not in told]
    groups: list[dict[str, Any]] = [{"params": body, "lr": body_rate}, {"params": head, "lr": head_rate}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.02)
    total = int(sum(map(len, shown())) // BATCH * rounds)
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1, step / 100) * max(0.02, 1 - step / total))
    step = 0
    while step < total:
        for batch in batches(shown(), chance)[: total - step]:
            label = torch.tensor([s.label for s in batch]) * (1 - 2 * SMOOTH) + SMOOTH
            weight = torch.tensor([s.weight * (TRUE_WEIGHT if s.label else 1.0) for s in batch])
            with torch.autocast("cpu", torch.bfloat16):
                logits = model(*tensors(batch))
            logits = logits.float()
            loss = (functional.binary_cross_entropy_with_logits(logits, label, reduction="none") * weight).mean()
            less = torch.tensor([i for i, s in enumerate(batch) if s.rival], dtype=torch.long)
            if len(less):
                more = less + torch.tensor([s.rival for s in batch if s.rival])
                loss = loss + RANK_WEIGHT * functional.softplus(logits[less] - logits[more]).sum() / len(batch)
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
    example = tensors([s for unit in samples(kept[:8], pieces, random.Random(2), {}) for s in unit][:4])
    write_int8(model, example, ("logit",), data_file("decision", "cross_encoder.onnx"), about)


if __name__ == "__main__":
    main()
