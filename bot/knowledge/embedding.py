"""The embedder: MiniLM on onnxruntime by default, or an OpenAI-compatible one, behind LangChain's Embeddings interface.

numpy is imported when something is embedded, so that commands that embed nothing start at once.
"""

from __future__ import annotations

import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

from bot.errors import ConfigurationError
from bot.knowledge.shipped import data_file
from bot.memory import give_back

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bot.settings import Settings

MODEL_SHA256 = "4855366eb7e457a9b3b61113b43bc485014c48f4e281a46edc629a7312288dd0"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
MAX_TOKENS = 256
SIDE_BY_SIDE = 8
"""From so many texts on, they are embedded by several threads."""

Vectors: TypeAlias = "NDArray[np.float32]"


def _checked(path: Path, expected: str) -> Path:
    with path.open("rb") as content:
        if hashlib.file_digest(content, "sha256").hexdigest() != expected:
            raise ConfigurationError(f"{path.name}: the file is not the one this release was tested with (hash differs)")
    return path


@cache
def load_tokenizer(max_tokens: int) -> Any:
    """The shipped word-piece tokenizer, cut at ``max_tokens``, unpadded; one for all. Raises ConfigurationError."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(_checked(data_file("embedder", "minilm-tokenizer.json"), TOKENIZER_SHA256)))
    tokenizer.enable_truncation(max_tokens)
    tokenizer.no_padding()
    return tokenizer


_sharing = threading.Lock()


@cache
def _share_memory() -> None:
    """Let all models compute in one arena of memory; each would keep its own at the size of its longest text."""
    import onnxruntime

    info = onnxruntime.OrtMemoryInfo("Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT)
    onnxruntime.create_and_register_allocator(info, None)


def open_session(weights: Path, threads: int) -> Any:
    """An onnxruntime session on the CPU that does not spin while idle. From a path: from bytes it keeps a second copy."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    with _sharing:
        _share_memory()
    options.add_session_config_entry("session.use_env_allocators", "1")
    return onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])


def open_described(folder: str, name: str) -> tuple[dict[str, Any], Any]:
    """What ``knowledge/FOLDER/NAME.json`` says of a model fitted here, and a session on the ``NAME.onnx`` beside it. Raises
    ConfigurationError when either is missing or damaged, or the file is not the one described."""
    try:
        path = data_file(folder, f"{name}.onnx")
        about: dict[str, Any] = json.loads(data_file(folder, f"{name}.json").read_text(encoding="utf-8"))
        with path.open("rb") as weights:
            known = about["sha256"] == hashlib.file_digest(weights, "sha256").hexdigest()
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(f"knowledge/{folder}/{name}: unusable: {error}") from None
    if not known:
        raise ConfigurationError(f"knowledge/{folder}/{name}.onnx is not the file its description names")
    session = open_session(path, 1)
    give_back()
    return about, session


def _feed(ids: list[int]) -> dict[str, Any]:
    import numpy as np

    row = np.array([ids], dtype=np.int64)
    return {"input_ids": row, "attention_mask": np.ones_like(row), "token_type_ids": np.zeros_like(row)}


class MiniLM:
    """all-MiniLM-L6-v2 with int8 weights and int8 arithmetic: 384 dimensions, unit length, cosine.

    Same text, same vector, whatever else is embedded: int8 arithmetic takes its scale from a whole run, so each text is a run of
    its own, ``threads`` of them side by side. Implements ``langchain_core.embeddings.Embeddings`` (``embed_documents``,
    ``embed_query``) by shape; ``encode`` gives the float32 matrix without copies. Loads on first use and checks both files'
    hashes. The model is made by ``python -m tests.evals.make_embedder``.
    """

    name = f"minilm:{MODEL_SHA256[:12]}"
    dimension = 384

    def __init__(self, threads: int = 2) -> None:
        self._threads = threads
        self._session: Any = None
        self._tokenizer: Any = None
        self._loading = threading.Lock()

    def load(self) -> None:
        """Load weights and tokenizer; done once. Raises ConfigurationError when a hash differs."""
        with self._loading:
            if self._session is not None:
                return
            tokenizer = load_tokenizer(MAX_TOKENS)
            weights = _checked(data_file("embedder", "minilm.onnx"), MODEL_SHA256)
            self._tokenizer, self._session = tokenizer, open_session(weights, 1)
            give_back()

    def read(self, text: str) -> tuple[Vectors, Vectors]:
        """The text's vector, shape (384,), and what the third layer says of each of its pieces, shape (pieces, 384), for
        readers that were fitted on those states."""
        self.load()
        vector, states = self._session.run(["vector", "states"], _feed(self._tokenizer.encode(text).ids))
        return vector[0], states[0]

    def encode(self, texts: list[str]) -> Vectors:
        """Vectors of ``texts``, shape (len(texts), 384), rows of unit length, in order."""
        import numpy as np

        self.load()
        result = np.empty((len(texts), self.dimension), dtype=np.float32)
        rows = [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]
        if len(rows) < SIDE_BY_SIDE or self._threads == 1:
            for row, ids in enumerate(rows):
                result[row] = self._vector(ids)
            return result
        with ThreadPoolExecutor(self._threads) as pool:
            for row, vector in enumerate(pool.map(self._vector, rows)):
                result[row] = vector
        return result

    def _vector(self, ids: list[int]) -> Any:
        return self._session.run(["vector"], _feed(ids))[0][0]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """LangChain's interface: one list of floats a text."""
        return [[float(x) for x in row] for row in self.encode(texts)]

    def embed_query(self, text: str) -> list[float]:
        """LangChain's interface: the vector of one question."""
        return self.embed_documents([text])[0]


class RemoteEmbedder:
    """An OpenAI-compatible embedding model through langchain-openai."""

    def __init__(self, model: str, settings: Settings) -> None:
        self.name = f"openai:{model}"
        self._model = model
        self._settings = settings
        self._client: Any = None

    def load(self) -> None:
        """Create the client; nothing is sent."""
        if self._client is None:
            from langchain_openai import OpenAIEmbeddings

            from bot.models import load_httpx

            load_httpx()
            key = self._settings.openai_api_key
            self._client = OpenAIEmbeddings(
                model=self._model,
                api_key=key or "none",  # type: ignore[arg-type]
                base_url=self._settings.openai_base_url or None,
                check_embedding_ctx_length=False,
                timeout=30,
                max_retries=2,
            )

    def encode(self, texts: list[str]) -> Vectors:
        """Vectors of ``texts`` as the server gives them, scaled to unit length."""
        import numpy as np

        self.load()
        raw = np.asarray(self._client.embed_documents(texts), dtype=np.float32)
        unit: Vectors = raw / np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-12)
        return unit


Embedder = MiniLM | RemoteEmbedder


def shipped(embedder: Embedder) -> TypeGuard[MiniLM]:
    """Whether an embedder is the one that the fitted weights of ``knowledge/`` know."""
    return isinstance(embedder, MiniLM)


def embedder_from(settings: Settings) -> Embedder:
    """The embedder the settings name."""
    if settings.embedder == "minilm":
        return MiniLM(settings.threads)
    return RemoteEmbedder(settings.embedder.split(":", 1)[1], settings)
