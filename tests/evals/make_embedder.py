"""Makes the shipped embedder of MiniLM's upstream weights: ``python -m tests.evals.make_embedder``. Seconds.

Afterwards the shipped vectors and everything fitted on vectors is of another embedder: run ``make readme``,
``python -m tests.evals.fit_policy``, ``fit_reader``, ``fit_documents`` and ``make fit``. Needs what ``tests/evals/minilm.py``
names.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from bot.knowledge.shipped import data_file
from tests.evals.minilm import STATES, Layers, mean, write_int8


class Embedder(Layers):
    """Mean pooling over the text's pieces, unit length; and what the third layer says of each piece."""

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids, mask and segments, shape (texts, pieces) each, to vectors (texts, 384) and states (texts, pieces, 384)."""
        said = self.said(input_ids, attention_mask, token_type_ids)
        return functional.normalize(mean(said[-1], attention_mask.to(said[-1].dtype)), dim=1), said[STATES]


def main() -> None:
    """Write model and description."""
    ids = torch.tensor([[101, 2023, 2003, 102]])
    example = (ids, torch.ones_like(ids), torch.zeros_like(ids))
    write_int8(
        Embedder(),
        example,
        ("vector", "states"),
        data_file("embedder", "minilm.onnx"),
        {"made_by": "python -m tests.evals.make_embedder"},
    )


if __name__ == "__main__":
    main()
