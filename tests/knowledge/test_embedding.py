import numpy as np
import pytest

from bot.errors import ConfigurationError
from bot.knowledge import embedding
from bot.knowledge.embedding import MiniLM


def test_a_text_has_one_vector_whatever_it_is_encoded_with() -> None:
    model = MiniLM()
    texts = ["May I paste essays?", "", "short", *(f"a longer one {n} " * n for n in range(1, 30))]
    together = model.encode(texts)
    alone = np.vstack([model.encode([text]) for text in texts])
    assert together.shape == (32, 384)
    assert np.array_equal(together, alone)
    assert np.allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)


def test_langchain_can_use_it() -> None:
    from langchain_core.vectorstores import InMemoryVectorStore

    store = InMemoryVectorStore.from_texts(["cats purr", "dogs bark"], embedding=MiniLM())  # type: ignore[arg-type]
    assert store.similarity_search("a purring cat", k=1)[0].page_content == "cats purr"


def test_changed_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "MODEL_SHA256", "0" * 64)
    with pytest.raises(ConfigurationError, match="hash"):
        MiniLM().encode(["x"])
