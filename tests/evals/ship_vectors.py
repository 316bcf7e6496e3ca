"""Writes what is made ahead of the shipped texts (``python -m tests.evals.ship_vectors``), when a shipped document has changed:
``knowledge/embedder/vectors.npz``, their vectors (half precision, 384 numbers a text; a text is known by its SHA-256), and
``knowledge/decision/stems.txt``, the stems of their words.
"""

from __future__ import annotations

import sys

import numpy as np

from bot.assistant.stemming import computed
from bot.assistant.understand import unaccented
from bot.knowledge.embedding import MiniLM
from bot.knowledge.lexical_index import words
from bot.knowledge.passages import digest
from bot.knowledge.shipped import data_file
from bot.knowledge.starter import shipped_texts, shipped_vectors


def main() -> None:
    """Embed what has no vector yet, drop what is gone, write the file."""
    texts = {digest(text): text for text in shipped_texts()}
    embedder = MiniLM()
    made_by, kept = shipped_vectors()
    known = {h: np.frombuffer(v, np.float32) for h, v in kept.items() if made_by == embedder.name and h in texts}
    missing = sorted((h for h in texts if h not in known), key=lambda h: len(texts[h]))
    for begin in range(0, len(missing), 256):
        part = missing[begin : begin + 256]
        known.update(zip(part, embedder.encode([texts[h] for h in part]), strict=True))
        sys.stdout.write(f"{min(begin + 256, len(missing))} of {len(missing)}\n")
        sys.stdout.flush()
    hashes = sorted(known)
    np.savez_compressed(
        data_file("embedder", "vectors.npz"),
        embedder=embedder.name,
        hashes=np.array([np.frombuffer(bytes.fromhex(h), np.uint8) for h in hashes]),
        vectors=np.array([known[h] for h in hashes], dtype=np.float16),
    )
    found = sorted({word for text in texts.values() for word in words(unaccented(text))})
    data_file("decision", "stems.txt").write_text("".join(f"{word} {computed(word)}\n" for word in found), encoding="utf-8")


if __name__ == "__main__":
    main()
