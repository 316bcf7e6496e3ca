import pytest

from bot import prompts
from bot.assistant.understand import Vocabulary, language_of, names_in, parts_of, plain, readable, understand
from bot.guardrails.policy import privacy
from bot.messages import Utterance

VOCABULARY = Vocabulary(["detectors wrongly flagged essays", "detectors and essays", "consent for records", "consent records"])


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("may I paste essays into chatgpt", "en"),
        ("puedo pegar ensayos de mis alumnos en chatgpt", "es"),
        ("¿Qué dice FERPA?", "es"),
        ("FERPA", "en"),
        ("cual es la fecha limite de Ohio", "es"),
    ],
)
def test_language_is_told_from_function_words(text: str, language: str) -> None:
    assert language_of(text) == language


def test_spelling_is_mended_only_towards_the_librarys_words() -> None:
    understood = understand("do detecters flag esays in Schenectady", (), VOCABULARY)
    assert understood.text == "do detectors flag essays in Schenectady"


def test_names_are_found_whole_and_the_longest_first() -> None:
    usual = {name.usual for name in names_in("Does West Virginia or NC follow the EU AI Act? ask Meta, not meta")}
    assert {"West Virginia", "AI Act", "Meta"} <= usual
    assert "Virginia" not in usual


def test_short_forms_gain_the_librarys_words() -> None:
    assert "superintendent" in understand("what must a supt know", (), VOCABULARY).expanded


def test_invisible_characters_do_not_matter() -> None:
    assert plain("FER\u200bPA\u00a0 rules") == "FERPA rules"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("When did COPPA change? Who must follow CIPA?", 2),
        ("When did COPPA change? And why?", 1),
        ("When did COPPA change", 1),
    ],
)
def test_a_message_with_two_whole_questions_is_two(text: str, count: int) -> None:
    assert len(parts_of(text)) == count


def test_a_follow_up_is_recognised_only_in_a_conversation() -> None:
    history = (Utterance("user", "What must Ohio districts adopt?"),)
    assert understand("and charters?", history, VOCABULARY).leans
    assert not understand("and charters?", (), VOCABULARY).leans


@pytest.mark.parametrize(
    ("hidden", "read"),
    [
        ("may I paste [student name]'s essay", "may I paste a student's essay"),
        ("upload [student name] [student id] to MagicSchool", "upload a student to MagicSchool"),
        ("mom [family name] ([email], [phone]) asks", "mom a parent asks"),
        ("is [health detail] allowed in [an odd bracket]", "is health information allowed in [an odd bracket]"),
        ("can I share [phone]", "can I share a phone number"),
    ],
)
def test_hidden_details_are_read_as_plain_words(hidden: str, read: str) -> None:
    assert readable(hidden, "en") == read


def test_every_kind_of_hidden_detail_has_words() -> None:

    assert set(prompts.placeholders().words) == set(privacy().kinds)
