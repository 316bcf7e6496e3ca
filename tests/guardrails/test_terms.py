"""What a library speaks of is not hidden from those who ask about it; a child's name still is."""

from __future__ import annotations

import pytest

from bot.guardrails.privacy import redact
from bot.guardrails.terms import terms

PAGE = (
    "# Zorblatt tablets\n\nZorblatt tablets sleep at nine. Fennwick Pro keeps recordings for a year. Write to "
    "Ms. Brzenkova or to Xiomara Quillant. See Tesserov (2024) and www.Oakphrase.example/Varnex. Maria and Jordan wrote this."
)


def test_coinages_are_terms_and_what_may_be_a_person_is_none() -> None:
    assert terms([PAGE]) == {"zorblatt", "fennwick"}


def test_a_word_that_any_document_gives_a_person_is_no_term() -> None:
    assert "zorblatt" not in terms([PAGE, "Ask Dr. Zorblatt."])


@pytest.mark.parametrize(
    "text",
    ["when do Zorblatt tablets sleep", "Is Fennwick FERPA compliant?", "Where is Fennwick data stored?", "Zorblatt"],
)
def test_a_term_stays_in_a_message_that_speaks_of_no_child(text: str) -> None:
    assert redact(text, terms=terms([PAGE])).text == text


@pytest.mark.parametrize(
    "text",
    [
        "my student Zorblatt cried today",
        "Zorblatt has a 504, what may I tell a chatbot",
        "I have a kid named Fennwick in my grade 3 class, may I paste his essay",
        "is it ok to put Fennwick's IEP into ChatGPT",
    ],
)
def test_a_childs_name_is_hidden_though_a_document_has_the_word(text: str) -> None:
    hidden = redact(text, terms=terms([PAGE])).text
    assert "Zorblatt" not in hidden
    assert "Fennwick" not in hidden
