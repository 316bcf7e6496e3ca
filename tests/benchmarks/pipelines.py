"""Stock pipelines and Signpost behind one shape, each to be served by ``child``: ingest, ask, report memory.

All use one embedder (the project's MiniLM) and are asked for ten passages. Everything else is each library's default,
except where the comment says why not.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bot.knowledge.embedding import MiniLM
from tests.benchmarks.corpora import Text, load_texts
from tests.benchmarks.timing import clocks, memory, seconds, since

COUNT = 10


class Pipeline:
    """What every pipeline shares. ``build`` makes a searchable index of texts; ``search`` ranks their ids."""

    def __init__(self) -> None:
        self.embedder = MiniLM()
        self.embedder.encode(["warm"])
        self.prepare()

    def prepare(self) -> None:
        """Imports, outside the measured time."""

    def build(self, texts: list[Text]) -> int:
        """Index from nothing; returns how many passages were embedded."""
        raise NotImplementedError

    def search(self, question: str) -> list[str]:
        """Ids of documents, best first, repeats allowed."""
        raise NotImplementedError

    def ingest(self, path: str) -> dict[str, float]:
        """Build the index of the saved corpus from nothing: seconds, processor seconds, passages."""
        texts = load_texts(Path(path))
        passages = 0

        def work() -> None:
            nonlocal passages
            passages = self.build(texts)

        started = clocks()
        spent = seconds(work)
        return {"seconds": spent, "processor": since(started)[1] / 1000, "passages": passages}

    def ask(self, questions: list[str]) -> list[tuple[float, float, list[str]]]:
        """Milliseconds, processor milliseconds and ranked documents of each question, after one that is not measured."""
        self.search(questions[0])
        answers: list[tuple[float, float, list[str]]] = []
        for question in questions:
            started = clocks()
            ranked = self.search(question)
            answers.append((*since(started), list(dict.fromkeys(ranked))))
        return answers

    def memory(self) -> dict[str, float]:
        """Megabytes."""
        return memory()


class LangChainDense(Pipeline):
    """RecursiveCharacterTextSplitter, Chroma in memory, the similarity retriever."""

    def prepare(self) -> None:
        from langchain_chroma import Chroma
        from langchain_core.documents import Document
        from langchain_core.embeddings import Embeddings
        from langchain_text_splitters import RecursiveCharacterTextSplitter

        embedder = self.embedder

        class Same(Embeddings):
            def embed_documents(self, texts: list[str]) -> list[list[float]]:
                return embedder.embed_documents(texts)

            def embed_query(self, text: str) -> list[float]:
                return embedder.embed_query(text)

        self._chroma, self._document, self._embeddings = Chroma, Document, Same()
        # The sizes of LangChain's own tutorial; the class's default of 4,000 characters is over what the embedder reads.
        self._splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
        self._built = 0
        self._retriever: Any = None

    def _index(self, texts: list[Text]) -> list[Any]:
        documents = [self._document(page_content=text.titled, metadata={"id": text.id}) for text in texts]
        chunks = self._splitter.split_documents(documents)
        self._built += 1
        store = self._chroma.from_documents(chunks, self._embeddings, collection_name=f"bench-{self._built}")
        self._retriever = store.as_retriever(search_kwargs={"k": COUNT})
        return chunks

    def build(self, texts: list[Text]) -> int:
        return len(self._index(texts))

    def search(self, question: str) -> list[str]:
        return [found.metadata["id"] for found in self._retriever.invoke(question)]


class LangChainHybrid(LangChainDense):
    """The same beside BM25Retriever, joined by EnsembleRetriever with equal weights."""

    def prepare(self) -> None:
        super().prepare()
        from langchain_classic.retrievers import EnsembleRetriever
        from langchain_community.retrievers import BM25Retriever

        self._ensemble, self._bm25 = EnsembleRetriever, BM25Retriever

    def build(self, texts: list[Text]) -> int:
        chunks = self._index(texts)
        words = self._bm25.from_documents(chunks, k=COUNT)
        self._retriever = self._ensemble(retrievers=[words, self._retriever], weights=[0.5, 0.5])
        return len(chunks)


class LlamaIndexDense(Pipeline):
    """VectorStoreIndex with its default splitter (1,024 tokens) and in-memory store."""

    def prepare(self) -> None:
        from llama_index.core import Document, VectorStoreIndex
        from llama_index.core.base.embeddings.base import BaseEmbedding

        embedder = self.embedder

        class Same(BaseEmbedding):
            def _get_query_embedding(self, query: str) -> list[float]:
                return embedder.embed_query(query)

            async def _aget_query_embedding(self, query: str) -> list[float]:
                return embedder.embed_query(query)

            def _get_text_embedding(self, text: str) -> list[float]:
                return embedder.embed_query(text)

            def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
                return embedder.embed_documents(texts)

        self._document, self._index_class, self._embeddings = Document, VectorStoreIndex, Same(model_name="minilm")
        self._retriever: Any = None

    def _index(self, texts: list[Text]) -> Any:
        documents = [self._document(text=text.titled, id_=text.id) for text in texts]
        index = self._index_class.from_documents(documents, embed_model=self._embeddings)
        self._retriever = index.as_retriever(similarity_top_k=COUNT)
        return index

    def build(self, texts: list[Text]) -> int:
        return len(self._index(texts).docstore.docs)

    def search(self, question: str) -> list[str]:
        return [found.node.ref_doc_id for found in self._retriever.retrieve(question)]


class LlamaIndexHybrid(LlamaIndexDense):
    """The same beside its BM25Retriever, joined by QueryFusionRetriever with reciprocal rank fusion."""

    def prepare(self) -> None:
        super().prepare()
        from llama_index.core.llms import MockLLM
        from llama_index.core.retrievers import QueryFusionRetriever
        from llama_index.retrievers.bm25 import BM25Retriever

        self._fusion, self._bm25, self._no_model = QueryFusionRetriever, BM25Retriever, MockLLM()

    def build(self, texts: list[Text]) -> int:
        index = self._index(texts)
        nodes = list(index.docstore.docs.values())
        words = self._bm25.from_defaults(nodes=nodes, similarity_top_k=min(COUNT, len(nodes)))
        # One query: its default of four asks a chat model for three more. Synchronous, which is faster for one question.
        self._retriever = self._fusion(
            [self._retriever, words],
            llm=self._no_model,
            mode="reciprocal_rerank",
            similarity_top_k=COUNT,
            num_queries=1,
            use_async=False,
        )
        return len(nodes)


class HaystackDense(Pipeline):
    """DocumentSplitter (200 words), InMemoryDocumentStore, InMemoryEmbeddingRetriever, in pipelines."""

    def prepare(self) -> None:
        from haystack import Document
        from haystack import Pipeline as Line
        from haystack.components.joiners import DocumentJoiner
        from haystack.components.preprocessors import DocumentSplitter
        from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
        from haystack.components.writers import DocumentWriter
        from haystack.document_stores.in_memory import InMemoryDocumentStore

        from tests.benchmarks.haystack_embedders import DocumentEmbedder, TextEmbedder

        self._document, self._line, self._splitter, self._writer = Document, Line, DocumentSplitter, DocumentWriter
        self._store, self._dense, self._words = InMemoryDocumentStore, InMemoryEmbeddingRetriever, InMemoryBM25Retriever
        self._joiner = DocumentJoiner
        self._text_embedder, self._document_embedder = TextEmbedder, DocumentEmbedder
        self._query: Any = None

    def build(self, texts: list[Text]) -> int:
        store = self._store()
        line = self._line()
        line.add_component("splitter", self._splitter())
        line.add_component("embedder", self._document_embedder(self.embedder))
        line.add_component("writer", self._writer(store))
        line.connect("splitter", "embedder")
        line.connect("embedder", "writer")
        documents = [self._document(content=text.titled, meta={"id": text.id}) for text in texts]
        written = line.run({"splitter": {"documents": documents}})["writer"]["documents_written"]
        self._query = self._query_line(store)
        return int(written)

    def _query_line(self, store: Any) -> Any:
        line = self._line()
        line.add_component("embedder", self._text_embedder(self.embedder))
        line.add_component("retriever", self._dense(store, top_k=COUNT))
        line.connect("embedder.embedding", "retriever.query_embedding")
        return line

    def search(self, question: str) -> list[str]:
        found = self._query.run({"embedder": {"text": question}})["retriever"]["documents"]
        return [document.meta["id"] for document in found]


class HaystackHybrid(HaystackDense):
    """The same beside InMemoryBM25Retriever, joined by DocumentJoiner with reciprocal rank fusion."""

    def _query_line(self, store: Any) -> Any:
        line = super()._query_line(store)
        line.add_component("words", self._words(store, top_k=COUNT))
        line.add_component("joiner", self._joiner(join_mode="reciprocal_rank_fusion", top_k=COUNT))
        line.connect("retriever", "joiner")
        line.connect("words", "joiner")
        return line

    def search(self, question: str) -> list[str]:
        found = self._query.run({"embedder": {"text": question}, "words": {"query": question}})["joiner"]["documents"]
        return [document.meta["id"] for document in found]


STOCK: dict[str, tuple[str, type[Pipeline]]] = {
    "LangChain": ("dense", LangChainDense),
    "LangChain ensemble": ("hybrid", LangChainHybrid),
    "LlamaIndex": ("dense", LlamaIndexDense),
    "LlamaIndex fusion": ("hybrid", LlamaIndexHybrid),
    "Haystack": ("dense", HaystackDense),
    "Haystack joiner": ("hybrid", HaystackHybrid),
}


def targets(kinds: Iterable[str] = ("dense", "hybrid")) -> dict[str, str]:
    """What ``child`` is told to serve, by the name shown."""
    return {name: f"{__name__}:{made.__name__}" for name, (kind, made) in STOCK.items() if kind in kinds}
