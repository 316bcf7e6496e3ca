"""Trains the pair model: does this sentence answer this question, does this question ask the same as that one?

``python -m tests.evals.train_pairs OUT.onnx`` (needs the ``train`` extra: torch, transformers, onnx). The start is the same
MiniLM encoder the search uses; the training pairs come from the library's own question keys, from name and year swaps
of them, and from the fitting half of the question file. The never-tuned half is not read. Seeded; about half an hour
on two cores.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from bot import prompts
from bot.app import App
from bot.assistant.evaluation import Case, read_cases
from bot.assistant.search import search
from bot.assistant.signals import statement_side
from bot.assistant.understand import names_in, understand
from bot.knowledge.library import BASE
from bot.knowledge.shelf import Shelf

HERE = Path(__file__).parent / "questions"
MAX_TOKENS = 96
SEED = 11


@dataclass(frozen=True)
class Pair:
    """A question, a text, whether the text answers it (or asks the same), and how much the pair counts."""

    question: str
    text: str
    label: int
    weight: float = 1.0


def in_training(case: Case) -> bool:
    """Two thirds of the fitting half train this model; the rest, unseen by it, fit the decision's weights."""
    return hashlib.sha1((case.group or case.question).encode()).digest()[1] % 3 != 0


def swapped(question: str, rng: random.Random) -> Iterator[str]:
    """The question about another name or year, which the same sentence does not answer."""
    data = prompts.names()
    for name in names_in(question):
        others = [e.split(" = ")[0] for e in getattr(data, name.kind) if not e.startswith(name.usual)]
        new = re.sub(re.escape(name.usual), rng.choice(others), question, flags=re.I)
        if new != question:
            yield new
    for year in re.findall(r"\b20[12]\d\b", question):
        yield question.replace(year, str(int(year) + rng.choice((-3, -2, 1, 2, 3, 4))))


def pairs_from_keys(app: App, shelf: Shelf, rng: random.Random) -> list[Pair]:
    """Every English key with its statement and with a sibling, against the nearest that are not its own."""
    vocabulary = app.assistant._learned([shelf]).vocabulary
    pairs: list[Pair] = []
    for number, key in enumerate(shelf.questions):
        if key.language != "en":
            continue
        own = set(key.rows)
        row = rng.choice(key.rows)
        pairs.append(Pair(key.text, statement_side(shelf.statements[row]), 1))
        siblings = [n for n in shelf.questions_of[row] if n != number and shelf.questions[n].language == "en"]
        if siblings and rng.random() < 0.7:
            pairs.append(Pair(key.text, shelf.questions[rng.choice(siblings)].text, 1))
        found = search(understand(key.text, (), vocabulary), shelf.question_vectors[number], [shelf], 12)
        wrong = [f for f in found if f.shelved.row not in own][:5]
        for item in rng.sample(wrong, min(1, len(wrong))):
            pairs.append(Pair(key.text, statement_side(item.shelved), 0))
            if item.key is not None and rng.random() < 0.7:
                pairs.append(Pair(key.text, item.key.text, 0))
        for other in list(swapped(key.text, rng))[:1]:
            if rng.random() < 0.6:
                pairs.append(Pair(other, statement_side(shelf.statements[row]), 0))
                pairs.append(Pair(other, key.text, 0))
    return pairs


def easy_pairs(shelf: Shelf, rng: random.Random) -> list[Pair]:
    """A first lesson: every English key with its own statement or sibling, and with one picked at random."""
    pairs: list[Pair] = []
    english = [(n, k) for n, k in enumerate(shelf.questions) if k.language == "en"]
    for number, key in english:
        row = rng.choice(key.rows)
        siblings = [n for n in shelf.questions_of[row] if n != number and shelf.questions[n].language == "en"]
        if siblings and rng.random() < 0.5:
            pairs.append(Pair(key.text, shelf.questions[rng.choice(siblings)].text, 1))
            pairs.append(Pair(key.text, rng.choice(english)[1].text, 0))
        else:
            pairs.append(Pair(key.text, statement_side(shelf.statements[row]), 1))
            pairs.append(Pair(key.text, statement_side(rng.choice(shelf.statements)), 0))
    return pairs


def pairs_from_cases(app: App, shelf: Shelf, cases: list[Case]) -> list[Pair]:
    """Fitting questions against what search finds for them."""
    pairs: list[Pair] = []
    for case in cases:
        if case.kind not in ("answerable", "unanswerable", "paraphrase") or not in_training(case):
            continue
        found = app.assistant.consider(case.question, (), [shelf]).found[:4]
        gold = {(d, int(p.removeprefix("fact "))) for d, p in case.gold if p.startswith("fact ")}
        seen_gold = False
        for rank, item in enumerate(found):
            facts = {(item.shelved.version.document, f) for f in item.shelved.statement.facts}
            right = bool(facts & gold)
            if gold and not right and (rank > 2 or item.shelved.version.document in {d for d, _ in gold}):
                continue  # a neighbour in the right document may well answer too
            seen_gold |= right
            pairs.append(Pair(case.question, statement_side(item.shelved), int(right), 2.0))
            if item.key is not None:
                pairs.append(Pair(case.question, item.key.text, int(right), 2.0))
    return pairs


class PairNet(torch.nn.Module):
    """MiniLM with a mean-pooled binary head; takes the tokenizer's three inputs, gives one logit a row."""

    def __init__(self, encoder: torch.nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = torch.nn.Sequential(torch.nn.Dropout(0.1), torch.nn.Linear(384, 1))

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor) -> torch.Tensor:
        """Logits, shape (rows,)."""
        hidden = self.encoder(input_ids, attention_mask, token_type_ids).last_hidden_state
        weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1.0)
        return self.head(pooled).squeeze(-1)


def train(easy: list[Pair], pairs: list[Pair], epochs: int, folder: str) -> tuple[PairNet, object]:
    """AdamW with warm-up and linear decay; batches of similar length."""
    torch.manual_seed(SEED)
    rng = random.Random(SEED)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    net = PairNet(AutoModel.from_pretrained(folder, attn_implementation="eager"))
    batch = 32
    rounds = [easy] + [pairs] * epochs
    steps = sum(len(r) // batch + 1 for r in rounds)
    optimizer = torch.optim.AdamW(
        [{"params": net.encoder.parameters(), "lr": 5e-5}, {"params": net.head.parameters(), "lr": 1e-3}],
        weight_decay=0.01,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / (0.1 * steps), max(0.02, (steps - s) / (0.9 * steps)))
    )
    loss_of = torch.nn.BCEWithLogitsLoss(reduction="none")
    net.train()
    started, done = time.time(), 0
    for epoch, lesson in enumerate(rounds):
        order = sorted(range(len(lesson)), key=lambda i: len(lesson[i].question) + len(lesson[i].text) + rng.random() * 60)
        batches = [order[i : i + batch] for i in range(0, len(order), batch)]
        rng.shuffle(batches)
        recent: list[float] = []
        for rows in batches:
            chosen = [lesson[i] for i in rows]
            inputs = tokenizer(
                [p.question for p in chosen],
                [p.text for p in chosen],
                padding=True,
                truncation=True,
                max_length=MAX_TOKENS,
                return_tensors="pt",
            )
            labels = torch.tensor([p.label for p in chosen], dtype=torch.float32) * 0.96 + 0.02
            weights = torch.tensor([p.weight for p in chosen])
            loss = (loss_of(net(**inputs), labels) * weights).mean()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            recent = [*recent[-49:], loss.item()]
            done += 1
            if done % 50 == 0:
                sys.stdout.write(
                    f"epoch {epoch} step {done}/{steps} loss {sum(recent) / len(recent):.4f} {time.time() - started:.0f} s\n"
                )
                sys.stdout.flush()
    net.eval()
    return net, tokenizer


def export(net: PairNet, tokenizer: object, path: Path) -> None:
    """Write ONNX and make its weights int8."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    sample = tokenizer(["a question"], ["a text"], return_tensors="pt")  # type: ignore[operator]
    full = path.with_suffix(".full.onnx")
    axes = {name: {0: "rows", 1: "tokens"} for name in ("input_ids", "attention_mask", "token_type_ids")}
    torch.onnx.export(
        net,
        (sample["input_ids"], sample["attention_mask"], sample["token_type_ids"]),
        str(full),
        input_names=["input_ids", "attention_mask", "token_type_ids"],
        output_names=["logit"],
        dynamic_axes={**axes, "logit": {0: "rows"}},
        opset_version=17,
        dynamo=False,
    )
    quantize_dynamic(str(full), str(path), weight_type=QuantType.QInt8, per_channel=False)
    full.unlink()


def main() -> None:
    """Build the pairs, train, export."""
    out, folder = Path(sys.argv[1]), sys.argv[2]
    epochs = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    rng = random.Random(SEED)
    torch.set_num_threads(2)
    app = App()
    (shelf,) = app.assistant.shelves([BASE])
    cases = [case for path in sorted(HERE.glob("fit*.jsonl")) for case in read_cases(path)]
    pairs = pairs_from_keys(app, shelf, rng) + pairs_from_cases(app, shelf, cases)
    rng.shuffle(pairs)
    sys.stdout.write(json.dumps({"pairs": len(pairs), "positive": sum(p.label for p in pairs)}) + "\n")
    net, tokenizer = train(easy_pairs(shelf, rng), pairs, epochs, folder)
    export(net, tokenizer, out)
    sys.stdout.write(f"{np.mean([p.label for p in pairs]):.3f} positive; wrote {out} ({out.stat().st_size:,} bytes)\n")


if __name__ == "__main__":
    main()
