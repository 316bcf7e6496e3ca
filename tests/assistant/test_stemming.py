"""The stems made ahead are what the stemmer says, so that shipping them changes no answer."""

from __future__ import annotations

from bot.assistant.stemming import _made_ahead, computed, stem
from bot.assistant.understand import unaccented
from bot.knowledge.lexical_index import words
from bot.knowledge.starter import shipped_texts


def test_every_stem_made_ahead_is_the_stemmers() -> None:
    made = _made_ahead()
    assert len(made) > 5_000
    assert {word: computed(word) for word in made} == made


def test_the_words_of_the_shipped_documents_need_no_stemming_at_the_start() -> None:
    found = {word for text in shipped_texts() for word in words(unaccented(text))}
    assert len(found - set(_made_ahead())) <= len(found) / 50, "run python -m tests.evals.ship_vectors"


def test_a_word_that_is_not_there_is_stemmed_as_any_other() -> None:
    assert stem("zebrafishing") == computed("zebrafishing") == "zebrafish"
