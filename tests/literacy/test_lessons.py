"""The twelve lessons as data: complete, sourced, readable, and refused with file and line when broken."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from bot import prompts
from bot.errors import FormatError
from bot.knowledge.document import FrontMatter, parse_front_matter
from bot.literacy.lessons import LANGUAGES, MARKER, Lesson, catalogue, parse, read
from bot.literacy.phrases import phrases

ROOT = Path(__file__).parents[2]
ALL = catalogue().lessons
FOLDER = prompts.folder() / "lessons"


def _documents() -> dict[str, tuple[FrontMatter, str]]:
    files = sorted((ROOT / "knowledge" / "documents").glob("*.md"))
    return {p.stem: parse_front_matter(p.read_text(encoding="utf-8"), where=p.name) for p in files}


DOCUMENTS = _documents()


def test_there_are_twelve_lessons_numbered_in_order_and_safety_comes_first() -> None:
    assert [lesson.number for lesson in ALL] == list(range(1, 13))
    assert [lesson.id for lesson in ALL[:3]] == ["what-ai-is", "check-answers", "student-data"]
    leaders = [lesson.number for lesson in catalogue().path("leader") if lesson.leaders_path]
    assert leaders == [2, 5, 7, 10, 12]


@pytest.mark.parametrize("lesson", ALL, ids=lambda lesson: lesson.id)
def test_every_source_of_a_lesson_in_our_library_exists_with_its_section_and_fact(lesson: Lesson) -> None:
    in_library = [source for source in lesson.sources.values() if source.document]
    assert in_library or lesson.id == "agrees-too-much"
    for source in in_library:
        front, body = DOCUMENTS[source.document]
        heading = re.search(rf"^## .*\{{#{source.section}\}}$(.*?)(?=^## |\Z)", body, re.M | re.S)
        assert heading, f"{source.document} has no section {source.section}"
        assert f"[^{source.fact}]" in heading.group(1), f"{source.document}#{source.section} has no fact {source.fact}"
        assert source.fact in front.sources
    for fit in lesson.fits:
        document, _, section = fit.partition("#")
        assert document in DOCUMENTS, fit
        assert not section or f"{{#{section}}}" in DOCUMENTS[document][1], fit


def test_topics_that_suggest_a_lesson_are_topics_of_documents_or_are_named_here() -> None:
    known = {topic for front, _ in DOCUMENTS.values() for topic in front.topics}
    assert sum(topic in known for lesson in ALL for topic in lesson.topics) >= 30


@pytest.mark.parametrize("lesson", ALL, ids=lambda lesson: lesson.id)
def test_a_lesson_is_due_for_review_no_later_than_what_it_quotes(lesson: Lesson) -> None:
    for source in lesson.sources.values():
        if source.document:
            review = DOCUMENTS[source.document][0].review_by
            assert review is None or lesson.review_by <= review, source.document


@pytest.mark.parametrize("lesson", ALL, ids=lambda lesson: lesson.id)
def test_figures_in_a_message_stand_in_the_facts_it_cites(lesson: Lesson) -> None:
    """Every percentage and every number over 12 of a sentence with library sources is in one of those facts."""
    for message in lesson.en.messages:
        for chunk, marks in re.findall(r"([^\[\]]+)((?:\[\d+\])+)", message):
            sources = [lesson.sources[int(n)] for n in MARKER.findall(marks)]
            if any(not source.document for source in sources):
                continue
            facts = " ".join(_fact(source.document, source.section, source.fact or 0) for source in sources)
            for figure in re.findall(r"\d[\d,.]*\d%?|\d%", chunk):
                assert figure.rstrip("%") in facts or int(re.sub(r"\D", "", figure)) <= 12, (figure, facts)


def _fact(document: str, section: str, number: int) -> str:
    body = DOCUMENTS[document][1]
    match = re.search(rf"^## .*\{{#{section}\}}$(.*?)(?=^## |\Z)", body, re.M | re.S)
    assert match
    return " ".join(s for s in re.split(r"(?<=\])\s", match.group(1)) if f"[^{number}]" in s)


@pytest.mark.parametrize("lesson", ALL, ids=lambda lesson: lesson.id)
def test_spanish_says_the_same_numbers_as_english(lesson: Lesson) -> None:
    for first, second in zip(_texts(lesson, "en"), _texts(lesson, "es"), strict=True):
        found = [sorted(re.findall(r"\d[\d.,]*\d|\d", MARKER.sub("", text))) for text in (first, second)]
        assert found[0] == found[1], (first, second)


def test_spanish_is_marked_as_a_draft_and_english_is_not() -> None:
    assert all(lesson.es.draft and not lesson.en.draft for lesson in ALL)


def _texts(lesson: Lesson, language: str) -> list[str]:
    words = lesson.words(language)
    quiz = [t for q in words.quiz for t in (q.ask, *(o.say for o in q.options), *(o.then for o in q.options))]
    returns = [t for r in words.returns for t in (r.ask, *r.options, r.because)]
    return [*words.messages, *quiz, *returns]


def test_return_questions_are_not_the_quiz_in_the_same_words() -> None:
    for lesson in ALL:
        for language in LANGUAGES:
            words = lesson.words(language)
            asked = [q.ask for q in words.quiz] + [r.ask for r in words.returns]
            assert len(set(asked)) == 5


def test_right_answers_are_not_always_in_the_same_place() -> None:
    places = [n for lesson in ALL for n in (*lesson.answers.quiz, *lesson.answers.returns)]
    assert all(places.count(n) >= len(places) * 0.2 for n in (1, 2, 3))


def test_the_right_option_is_the_one_whose_feedback_agrees() -> None:
    for lesson in ALL:
        for language, agrees in (("en", "Right."), ("es", "Así es.")):
            for question, right in zip(lesson.words(language).quiz, lesson.answers.quiz, strict=True):
                for n, option in enumerate(question.options, 1):
                    assert option.then.startswith(agrees) == (n == right), (lesson.id, question.ask, n)


def test_no_praise_and_no_exclamation_anywhere() -> None:
    frames = [str(v) for language in LANGUAGES for v in phrases(language).model_dump(exclude={"praise"}).values()]
    for text in [t for lesson in ALL for language in LANGUAGES for t in _texts(lesson, language)] + frames:
        assert "!" not in text, text
        for language in LANGUAGES:
            for word in phrases(language).praise:
                assert not re.search(rf"\b{re.escape(word)}\b", text, re.I), (word, text)


def test_no_vendor_product_is_recommended() -> None:
    products = r"ChatGPT|Copilot|Gemini|Claude|MagicSchool|Khanmigo|SchoolAI|Turnitin|GPTZero|Curipod"
    for lesson in ALL:
        for language in LANGUAGES:
            assert not re.search(products, " ".join(_texts(lesson, language)))


def test_every_frame_text_exists_in_both_languages_with_the_same_blanks() -> None:
    english, spanish = phrases("en").model_dump(), phrases("es").model_dump()
    assert english.keys() == spanish.keys()
    for key, text in english.items():
        if isinstance(text, str):
            assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", spanish[key])), key
            assert text != spanish[key] or key == "version"


def test_past_review_and_held_back_follow_the_dates() -> None:
    lesson = ALL[0]
    assert not lesson.past_review(lesson.review_by)
    assert lesson.past_review(date(2027, 5, 24))
    assert not lesson.held(date(2027, 5, 24), 90)
    assert lesson.held(date(2027, 8, 22), 90)


# -- broken files ---------------------------------------------------------------------------------------------------------


def _broken(change: tuple[str, str], name: str = "01-what-ai-is.yaml") -> str:
    raw = (FOLDER / name).read_text(encoding="utf-8")
    assert change[0] in raw
    return raw.replace(change[0], change[1], 1)


@pytest.mark.parametrize(
    ("change", "line_has", "says"),
    [
        (("fact: 12", "fact: 0"), "North Carolina guidebook", "greater than or equal"),
        (("number: 1\n", "number: one\n"), "number: one", "valid integer"),
        (("say: It asks a person", "tell: It asks a person"), "tell:", "Field required"),
        (("answers: {quiz: [1, 2]", "answers: {quiz: [1]"), "answers:", "at least 2"),
        (("seen: official", "seen: rumour"), "U.S. Labor", "official"),
        (("ailit: [Engage]", "ailit: [Guess]"), "ailit", "Engage"),
    ],
)
def test_a_broken_lesson_is_refused_with_its_file_and_line(change: tuple[str, str], line_has: str, says: str) -> None:
    raw = _broken(change)
    with pytest.raises(FormatError) as caught:
        parse(raw, "prompts/lessons/01-what-ai-is.yaml")
    file, line = caught.value.where.rsplit(":", 1)
    assert file == "prompts/lessons/01-what-ai-is.yaml"
    assert line_has in raw.splitlines()[int(line) - 1]
    assert says in caught.value.message


def test_yaml_that_does_not_parse_names_its_line() -> None:
    with pytest.raises(FormatError, match=r"x\.yaml:4:"):
        parse("id: a\nnumber: 1\nen: [open\nes: }", "x.yaml")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("from. [1] A", "from. A"), "cites different sources"),
        (("review_by: 2027-05-23", "review_by: 2026-11-01"), "review_by must be after"),
        (("quiz: [1, 2]", "quiz: [1, 4]"), "count the options from 1"),
        (("section: teaching, fact: 12", "section: teaching"), "needs its section"),
        (("https://www.dol.gov", "http://www.dol.gov"), "https address"),
    ],
)
def test_rules_across_fields_are_enforced(change: tuple[str, str], says: str) -> None:
    with pytest.raises(FormatError, match=says):
        parse(_broken(change), "x.yaml")


def test_an_uncited_source_is_refused() -> None:
    raw = _broken(("  4: {name: AILit", "  5: {name: Extra, url: 'https://example.org/', seen: copy}\n  4: {name: AILit"))
    with pytest.raises(FormatError, match="cited"):
        parse(raw, "x.yaml")


def test_a_wrong_file_name_and_a_number_used_twice_are_refused(tmp_path: Path) -> None:
    raw = (FOLDER / "01-what-ai-is.yaml").read_text(encoding="utf-8")
    (tmp_path / "07-other.yaml").write_text(raw, encoding="utf-8")
    with pytest.raises(FormatError, match="should be called 01-what-ai-is"):
        read(tmp_path)
    (tmp_path / "07-other.yaml").unlink()
    (tmp_path / "01-what-ai-is.yaml").write_text(raw, encoding="utf-8")
    (tmp_path / "01-what-ai-be.yaml").write_text(raw.replace("id: what-ai-is", "id: what-ai-be"), encoding="utf-8")
    with pytest.raises(FormatError, match="used twice"):
        read(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no lessons"):
        read(tmp_path)


def test_the_content_hash_follows_questions_and_not_the_dates() -> None:
    lesson = ALL[0]
    later = lesson.model_copy(update={"review_by": date(2028, 1, 1)})
    assert later.content == lesson.content
    data = yaml.safe_load((FOLDER / "01-what-ai-is.yaml").read_text(encoding="utf-8"))
    data["en"]["quiz"][0]["options"][1]["say"] = "It copies a page from a shelf"
    assert Lesson.model_validate(data).content != lesson.content
