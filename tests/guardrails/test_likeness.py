"""The fitted reader tells names from words by their letters, and a name's place from a product's."""

from __future__ import annotations

from bot.guardrails.likeness import Places, looks
from bot.guardrails.public import standing
from bot.guardrails.tokens import plain, tokens


def _odds(text: str) -> dict[str, float]:
    words = tokens(text)
    stays = standing(text)
    return {words[i].low: value for i, value in Places(text, words, stays.firm, stays.doubtful).odds().items()}


def test_letters_tell_names_of_no_list_from_words_and_typing_errors() -> None:
    names = ["oluwadamilare", "tuyetnhung", "siosaia", "wojciechna", "ximenita"]
    words = ["assigment", "tecahers", "worksheeet", "evaluacion", "plagarism"]
    assert min(looks(name) for name in names) > max(looks(word) for word in words)


def test_the_place_of_a_word_decides_what_its_letters_leave_open() -> None:
    assert _odds("Stone keeps asking the bot for jokes")["stone"] > _odds("the Stone age in history class")["stone"]
    assert _odds("can Jordan use Khanmigo")["jordan"] > _odds("schools in Jordan ban phones")["jordan"]


def test_words_that_own_or_elide_are_cut_right() -> None:
    assert [t.text for t in tokens("l'élève D'Andre's essay")] == ["élève", "D'Andre", "essay"]
    assert tokens("Maria's")[0].possessive
    assert plain("Đặng Øyvind") == "dang oyvind"
