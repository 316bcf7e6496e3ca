"""What a person reads: quotes first, sources with level and dates, nothing stale without a word about it."""

from __future__ import annotations

import re
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.app import App
from bot.assistant import compose
from bot.knowledge.library import BASE
from bot.knowledge.shelf import Shelved
from bot.messages import Outcome


def statement(app: App, document: str, words: str) -> Shelved:
    (shelf,) = app.assistant.shelves([BASE])
    return next(s for s in shelf.statements if s.version.document == document and words in s.text)


def test_an_answer_names_level_publisher_dates_and_verifier(shared_app: App) -> None:
    reply = compose.answered([statement(shared_app, "coppa-2025", "23 June 2025")], "en", date(2026, 11, 24))
    assert reply.outcome is Outcome.ANSWERED
    for part in ("[1]", "National", "Federal Trade Commission", "2025-04-22", "Verified 2026-11-23", "secondary pages"):
        assert part in reply.markdown


def test_text_past_its_review_says_so_and_past_the_grace_is_withheld(shared_app: App) -> None:
    shelved = statement(shared_app, "coppa-2025", "23 June 2025")
    review = shelved.version.review_by
    assert review is not None
    late = review + timedelta(days=1)
    assert review.isoformat() in compose.answered([shelved], "en", late).markdown
    assert not compose.withheld(shelved, late, 90)
    assert compose.withheld(shelved, review + timedelta(days=91), 90)
    reply = compose.held_back(shelved, "en", "the privacy office")
    assert shelved.text not in reply.markdown
    assert shelved.version.front.url in reply.markdown
    assert "the privacy office" in reply.markdown


def test_local_and_national_sentences_are_labelled_and_not_blended(shared_app: App) -> None:
    local = shared_app.assistant.shelves(["pinecrest"])[0].statements[0]
    national = statement(shared_app, "coppa-2025", "23 June 2025")
    reply = compose.answered([local, national], "en", date(2026, 11, 24))
    assert reply.markdown.index("Your district") < reply.markdown.index("National")
    assert "different levels" in reply.markdown


def test_spanish_gets_spanish_words_around_english_quotes(shared_app: App) -> None:
    reply = compose.answered([statement(shared_app, "coppa-2025", "23 June 2025")], "es", date(2026, 11, 24))
    assert "Citado en inglés" in reply.markdown
    assert reply.language == "es"


@given(st.text(max_size=200))
def test_escaped_text_cannot_become_markup_and_comes_back(text: str) -> None:
    escaped = compose.escape(text)
    assert compose.unescape(escaped) == text
    assert not re.search(r"(?<!\\)(?:\\\\)*[\[\]<>*_`]", escaped)


def test_several_questions_share_one_row_of_numbers(shared_app: App) -> None:
    today = date(2026, 11, 24)
    first = compose.answered([statement(shared_app, "coppa-2025", "23 June 2025")], "en", today)
    second = compose.answered([statement(shared_app, "cipa", "enacted in 2000")], "en", today)
    reply = compose.together([("When?", first), ("Since when?", second)], "en")
    assert [c.n for c in reply.citations] == [1, 2]
    assert reply.markdown.count("[1]") == 2
    assert reply.markdown.count("[2]") == 2
