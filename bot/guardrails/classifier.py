"""The small calibrated classifier: probabilities of the rules for a redacted text, from weights kept as data.

Two sets of weights: with the embedding, and without it for when the embedder is missing, of another kind, or fails."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import bot
from bot.errors import ConfigurationError
from bot.guardrails import features
from bot.guardrails.policy import rules
from bot.messages import Handling

ANSWER = "answer"


@dataclass(frozen=True)
class Weights:
    """A fitted model: ``matrix`` (classes, features), ``bias`` (classes,), ``scale`` of the three feature blocks."""

    classes: tuple[str, ...]
    matrix: NDArray[np.float32]
    bias: NDArray[np.float32]
    blocks: tuple[float, float, float]
    temperature: float


@dataclass(frozen=True)
class Belief:
    """How likely each handling is, and the likeliest rule of each handling."""

    handlings: dict[Handling, float]
    rules: dict[Handling, str]
    embedded: bool


def folder() -> Path:
    """Where the fitted weights are kept."""
    return Path(bot.__file__).parent.parent / "knowledge" / "guardrails"


@cache
def _card() -> dict[str, object]:
    card: dict[str, object] = json.loads((folder() / "classifier.json").read_text(encoding="utf-8"))
    if card["features"] != len(features.names()):
        raise ConfigurationError("knowledge/guardrails/classifier.json was fitted with other concepts or rules; fit it again")
    return card


@cache
def weights(kind: str) -> Weights:
    """The weights ``with`` or ``without`` the embedding. Raises ConfigurationError when the policy moved on without a fit."""
    card = _card()
    with np.load(folder() / "classifier.npz") as stored:
        matrix = stored[f"{kind}_matrix"].astype(np.float32)
        bias = stored[f"{kind}_bias"].astype(np.float32)
    classes = tuple(str(name) for name in card["classes"])  # type: ignore[attr-defined]
    unknown = [name for name in classes if name != ANSWER and name not in rules()]
    if unknown:
        raise ConfigurationError(f"knowledge/guardrails/classifier.json names unknown rules: {', '.join(unknown)}")
    blocks: tuple[float, float, float] = tuple(card["blocks"])  # type: ignore[arg-type]
    return Weights(classes, matrix, bias, blocks, float(card[f"{kind}_temperature"]))  # type: ignore[arg-type]


def thresholds() -> dict[str, float]:
    """What each handling's probability must reach, by name; ``likely:`` entries hold where a pattern speaks for it."""
    return {str(k): float(v) for k, v in _card()["thresholds"].items()}  # type: ignore[attr-defined]


def assemble(lexical: NDArray[np.float32], embedding: NDArray[np.float32] | None, blocks: tuple[float, ...]) -> NDArray[np.float32]:
    """One row for the model: counted, hashed and (when there is one) embedded features, each block scaled."""
    counted = len(features.names())
    parts = [lexical[:counted] * np.float32(blocks[0]), lexical[counted:] * np.float32(blocks[1])]
    if embedding is not None:
        parts.append(embedding.astype(np.float32) * np.float32(blocks[2]))
    return np.concatenate(parts)


def summed(classes: tuple[str, ...], probabilities: NDArray[np.float32], embedded: bool) -> Belief:
    """Probabilities of rules added up by handling."""
    handlings: dict[Handling, float] = {}
    best: dict[Handling, tuple[float, str]] = {}
    known = rules()
    for name, value in zip(classes, probabilities.tolist(), strict=True):
        handling = Handling.ANSWER if name == ANSWER else known[name].handling
        handlings[handling] = handlings.get(handling, 0.0) + value
        if name != ANSWER and value > best.get(handling, (-1.0, ""))[0]:
            best[handling] = (value, name)
    return Belief(handlings, {handling: name for handling, (_, name) in best.items()}, embedded)


def believe(text: str, embed: features.Embed | None) -> Belief:
    """Read a redacted text. An embedder that fails or gives another shape is left out: the local rules stand."""
    embedding: NDArray[np.float32] | None = None
    if embed is not None:
        try:
            embedding = np.asarray(embed(text), dtype=np.float32).reshape(-1)
        except Exception:  # whatever an embedder raises, the screening goes on without it
            embedding = None
        if embedding is not None and embedding.shape != (features.EMBEDDED,):
            embedding = None
    model = weights("with" if embedding is not None else "without")
    row = assemble(features.lexical(text), embedding, model.blocks)
    logits = (model.matrix @ row + model.bias) / np.float32(model.temperature)
    exp = np.exp(logits - logits.max())
    return summed(model.classes, exp / exp.sum(), embedding is not None)
