"""The project's embedder as Haystack components. Their annotations are read at run time, so they must not be strings."""

from typing import Any

from haystack import Document, component

from bot.knowledge.embedding import MiniLM

BATCH = 32
"""Documents at a time, as the library's own embedders do."""


@component
class TextEmbedder:
    """A question's vector."""

    def __init__(self, embedder: MiniLM) -> None:
        self._embedder = embedder

    @component.output_types(embedding=list[float])
    def run(self, text: str) -> dict[str, Any]:
        """Embed one text."""
        return {"embedding": self._embedder.embed_query(text)}


@component
class DocumentEmbedder:
    """Documents with their vectors."""

    def __init__(self, embedder: MiniLM) -> None:
        self._embedder = embedder

    @component.output_types(documents=list[Document])
    def run(self, documents: list[Document]) -> dict[str, Any]:
        """Embed documents, a batch at a time."""
        done: list[Document] = []
        for begin in range(0, len(documents), BATCH):
            batch = documents[begin : begin + BATCH]
            vectors = self._embedder.embed_documents([document.content or "" for document in batch])
            for document, vector in zip(batch, vectors, strict=True):
                document.embedding = vector
            done += batch
        return {"documents": done}
