"""The small calibrated classifier: probabilities of the rules for a redacted text, from weights kept as data.

Three readers are averaged: a linear one over concepts, words and embedding; one that compares the message with seven hundred
kept ones (a radial kernel over the same features, quantized); and a net with one hidden layer. The last two see how features
work together, each in its own way. A fourth, the close ``reader``, reads the words in their order and counts as much as those
three.

Two sets of weights: with the embedding and the close reader, and without them for when the embedder is missing, of another kind,
or fails."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import bot
from bot.errors import ConfigurationError
from bot.guardrails import features
from bot.guardrails.policy import rules
from bot.guardrails.reader import Reader, reader
from bot.messages import Handling

ANSWER = "answer"
CLOSE = {"crisis": 0.6, "other": 0.3}
CLOSE_AT_LENGTH, SHORT, LONG = 0.5, 120, 240
"""How much the close reader counts beside the others: most for what is told in passing, less where what is asked for is said in
plain words and in few: up to ``SHORT`` bytes (UTF-8), at least ``CLOSE_AT_LENGTH`` from ``LONG`` on. Many words beside a request
hide it from those who do not read their order."""
Net = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class Weights:
    """A fitted model: ``matrix`` (classes, features), ``bias`` (classes,), ``blocks`` scales of the three feature blocks;
    ``landmarks`` (messages, features compared) and ``mix`` (messages, classes) of the comparing reader; ``net`` is the hidden
    layer (units, features), its bias, the outer layer (classes, units) and its bias."""

    classes: tuple[str, ...]
    matrix: NDArray[np.float32]
    bias: NDArray[np.float32]
    blocks: tuple[float, float, float]
    temperature: float
    landmarks: NDArray[np.float32]
    mix: NDArray[np.float32]
    lengths: NDArray[np.float32]
    net: Net


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
def _card() -> dict[str, Any]:
    card: dict[str, object] = json.loads((folder() / "classifier.json").read_text(encoding="utf-8"))
    if card["features"] != len(features.names()):
        raise ConfigurationError("knowledge/guardrails/classifier.json was fitted with other concepts or rules; fit it again")
    return card


@cache
def weights(kind: str) -> Weights:
    """The weights ``with`` or ``without`` the embedding. Raises ConfigurationError when the policy moved on without a fit."""
    return _read(kind)


def _read(kind: str) -> Weights:
    card = _card()
    with np.load(folder() / "classifier.npz") as stored:
        matrix = stored[f"{kind}_matrix"].astype(np.float32)
        bias = stored[f"{kind}_bias"].astype(np.float32)
        landmarks = stored["landmarks"].astype(np.float32) * stored["steps"]
        mix = stored[f"{kind}_mix"].astype(np.float32)
        hidden, hidden_bias, outer, outer_bias = (stored[f"{kind}_net_{part}"].astype(np.float32) for part in range(4))
    if kind == "without":
        landmarks[:, -features.EMBEDDED :] = 0.0
    classes = tuple(str(name) for name in card["classes"])
    unknown = [name for name in classes if name != ANSWER and name not in rules()]
    if unknown:
        raise ConfigurationError(f"knowledge/guardrails/classifier.json names unknown rules: {', '.join(unknown)}")
    first, second, third = (float(value) for value in card["blocks"])
    return Weights(
        classes,
        matrix,
        bias,
        (first, second, third),
        float(card[f"{kind}_temperature"]),
        landmarks,
        mix,
        (landmarks**2).sum(axis=1),
        (hidden, hidden_bias, outer, outer_bias),
    )


def thresholds(embedded: bool) -> dict[str, float]:
    """Of the weights with the embedding or without. ``crisis``: what its probability must reach; ``answer``: below what a plain
    question is doubted. ``likely:`` entries hold where a weak pattern speaks for the crisis, or against the plain question."""
    return {str(k): float(v) for k, v in _card()["with_thresholds" if embedded else "without_thresholds"].items()}


def assemble(
    lexical: NDArray[np.float32], embedding: NDArray[np.float32] | None, blocks: tuple[float, ...]
) -> NDArray[np.float32]:
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


def believe(text: str, read: features.Read | None, marked: dict[str, bool] | None = None) -> Belief:
    """Read a redacted text. An embedder that fails or gives another shape is left out: the local rules stand."""
    embedding: NDArray[np.float32] | None = None
    states = np.zeros((0, features.EMBEDDED), dtype=np.float32)
    if read is not None:
        try:
            embedding, states = read(text)
        except Exception:  # whatever an embedder raises, the screening goes on without it
            embedding = None
        if embedding is not None and (embedding.shape, states.shape[1:]) != ((features.EMBEDDED,), (features.EMBEDDED,)):
            embedding = None
    model = weights("with" if embedding is not None else "without")
    lexical = features.lexical(text, marked)
    row = assemble(lexical, embedding, model.blocks)
    linear = softmax((model.matrix @ row + model.bias)[None, :])
    near = kernel(features.compared(lexical, embedding)[None, :], model.landmarks, model.lengths) @ model.mix
    hidden, hidden_bias, outer, outer_bias = model.net
    netted = softmax((outer @ np.maximum(hidden @ row + hidden_bias, 0.0) + outer_bias)[None, :])
    combined = together(linear, near, netted)
    if embedding is not None:
        combined = with_reader(combined, _closely_read(states, model.classes), model.classes, [text])
    combined = combined ** (1.0 / model.temperature)
    return summed(model.classes, (combined / combined.sum(axis=1, keepdims=True))[0], embedding is not None)


def check() -> None:
    """Load every reader, so that a damaged or missing file is known at the start and not at the first message. Raises
    ConfigurationError naming the file."""
    try:
        weights("with")
        _read("without")  # kept when first needed: few processes ever are without the embedding
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ConfigurationError(f"knowledge/guardrails/classifier: unusable: {error}") from None
    _close_reader(weights("with").classes)


def _close_reader(classes: tuple[str, ...]) -> Reader:
    close = reader()
    if close.classes != classes:
        raise ConfigurationError("knowledge/guardrails/reader.onnx was fitted with other rules; fit it again")
    return close


def _closely_read(states: NDArray[np.float32], classes: tuple[str, ...]) -> NDArray[np.float32]:
    return _close_reader(classes).read(states)[0][None, :]


WIDTH = 0.15
"""Of the radial kernel."""


def kernel(
    rows: NDArray[np.float32], landmarks: NDArray[np.float32], lengths: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Nearness of rows to landmarks, in (0, 1]; shape (rows, landmarks). ``lengths`` are the landmarks' squared lengths."""
    known = (landmarks**2).sum(axis=1) if lengths is None else lengths
    square = (rows**2).sum(axis=1)[:, None] + known[None, :] - 2.0 * rows @ landmarks.T
    near: NDArray[np.float32] = np.exp(-WIDTH * np.maximum(square, 0.0)).astype(np.float32)
    return near


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of logits to rows of probabilities."""
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: NDArray[np.float32] = (exp / exp.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


def together(linear: NDArray[np.float32], near: NDArray[np.float32], netted: NDArray[np.float32]) -> NDArray[np.float32]:
    """The readers' probabilities averaged, the net's counting for two; the comparing one's scores are cut at zero and sharpened
    first."""
    sharp = np.clip(near, 1e-4, None) ** 1.5
    all_three: NDArray[np.float32] = ((linear + sharp / sharp.sum(axis=1, keepdims=True) + 2.0 * netted) / 4.0).astype(np.float32)
    return all_three


def with_reader(
    others: NDArray[np.float32], read: NDArray[np.float32], classes: tuple[str, ...], texts: Sequence[str]
) -> NDArray[np.float32]:
    """The close reader's probabilities and the others', each of shape (texts, classes), as a weighted geometric mean (the close
    reader counts for ``CLOSE``, for more in long texts); rows add up to 1."""
    least = np.array([CLOSE.get(name.split(".")[0], CLOSE["other"]) for name in classes], dtype=np.float32)
    length = np.array([len(text.encode()) for text in texts], dtype=np.float32)
    grown = np.clip((length - SHORT) / (LONG - SHORT), 0.0, 1.0)[:, None]
    share = least + grown * (np.maximum(least, CLOSE_AT_LENGTH) - least)
    mixed = np.maximum(others, 1e-6) ** (1.0 - share) * np.maximum(read, 1e-6) ** share
    shares: NDArray[np.float32] = (mixed / mixed.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares
