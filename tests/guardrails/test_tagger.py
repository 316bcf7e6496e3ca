"""What is told of one child in free words is hidden; what is said of children in general, and what was asked, stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.guardrails import privacy, tagger
from bot.guardrails.context import Context
from bot.guardrails.screening import screen, screen_history
from bot.guardrails.tagger import stretches, windows
from bot.knowledge.embedding import MAX_TOKENS, load_tokenizer
from bot.messages import Handling, Utterance

NOTE = "Please shorten this note about Darnell: he drew on the principal's car with a marker and had to wash it."


@given(st.text(alphabet="ab ñ.\n中文。，،ع", max_size=2_500))
def test_windows_are_the_text_in_order_and_short(text: str) -> None:
    parts = windows(text)
    assert "".join(part for _, part in parts) == text
    assert all(text.startswith(part, begin) and len(part) <= 600 for begin, part in parts)


@pytest.mark.parametrize(
    "line", ["the boy in my second period asked about it. ", "那个男孩在我班上问了这个问题。", "سأل الطالب عن هذا الأمر اليوم. "]
)
def test_a_window_holds_no_more_than_the_embedder_reads(line: str) -> None:
    for _, part in windows(line * 60):
        assert len(load_tokenizer(4 * MAX_TOKENS).encode(part).ids) <= 4 * MAX_TOKENS
        assert load_tokenizer(MAX_TOKENS).encode(part).offsets[-2][1] >= len(part.rstrip()) - 1


def marked(text: str, odds: list[float], limit: float = 1.0, least: float = 0.0) -> list[str]:
    """The stretches of a text whose words have these log odds."""
    words, at = [], 0
    for word in text.split():
        begin = text.index(word, at)
        at = begin + len(word)
        words.append((begin, at))
    out = np.array([[value, 0.0, 1.0] for value in odds], dtype=np.float32)
    found = stretches(text, out, words, limit, least)
    assert all(number == 1 for _, _, number in found)
    return [text[start:end] for start, end, _ in found]


def test_a_stretch_goes_as_far_as_its_neighbours_are_likely() -> None:
    assert marked("he threw a chair today", [-3, 0.5, 0.2, 2.0, -1]) == ["threw a chair"]
    assert marked("he threw a chair today", [-3, 0.5, 0.2, 0.9, -1]) == []


def test_a_stretch_ends_with_the_sentence_and_at_a_placeholder() -> None:
    assert marked("he bites. she sings", [-3, 2, 0.5, 2]) == ["bites", "she sings"]
    assert marked("bites [student name] often", [2, 2, 2, 0.5]) == ["bites"]


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("can AI help me write a note home about Darnell? He let the class hamster out during the fire drill.", "hamster"),
        ("Email home for Priscilla please: she sleeps at her aunt's because the heat is off. Keep it warm.", "aunt's"),
        ("Is Khanmigo ok for Yusuf? He lost his hearing in one ear after an infection.", "hearing in one ear"),
        ("¿Puedo usar Diffit con Ximena? Su papá está detenido y vive con la madrina.", "detenido"),
    ],
)
def test_what_is_told_of_a_child_in_free_words_is_hidden(text: str, gone: str, context: Context) -> None:
    screened = screen(text, context)
    assert screened.handling is Handling.ANSWER_REDACTED
    assert gone not in screened.text
    assert screened.notice


@pytest.mark.parametrize(
    "text",
    [
        "What should we do when a student is suspended and still has a chatbot account?",
        "Do the ADA rules cover captions for students who are deaf?",
        "Which AI tools help children who read below grade level?",
        "Our district wants a policy on students living in shelters and AI attendance tools.",
        "¿Qué dice FERPA sobre los datos de salud de los alumnos?",
        "May a ninth grader with an IEP use speech-to-text on the state test?",
    ],
)
def test_what_is_said_in_general_stays(text: str, context: Context) -> None:
    screened = screen(text, context)
    assert (screened.handling, screened.text) == (Handling.ANSWER, text)


def test_tools_and_laws_stay_in_the_middle_of_what_is_hidden() -> None:
    text = "he wrote mean raps with Suno about her FERPA form, barks in class"
    whole = [(0, len(text), "discipline detail")]
    left = privacy.written(text, privacy.without_standing(text, whole)).text
    assert left == "[discipline detail] Suno [discipline detail] FERPA [discipline detail]"


@given(st.text(alphabet="ab .", max_size=40), st.data())
def test_spans_of_a_redacted_text_are_found_in_the_plain_one(plain: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(plain)), max_size=8)))
    found = [(a, b, "student name") for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    redacted = privacy.written(plain, found)
    assert [redacted.text[a:b] for a, b in redacted.places] == ["[student name]"] * len(found)
    letters = [i for i in range(len(redacted.text)) if not any(a <= i < b for a, b in redacted.places)]
    moved = privacy.in_plain(found, redacted, [(i, i + 1, "other") for i in letters])
    assert "".join(plain[a:b] for a, b, _ in moved) == "".join(redacted.text[i] for i in letters)


def believing(text: str, odds: float) -> tagger.Pieces:
    """What a tagger would say that is as sure of every piece of a text that nothing stands behind it."""
    offsets = load_tokenizer(MAX_TOKENS).encode(text).offsets
    return [(0, text, np.full((len(offsets), 3), odds, dtype=np.float32), offsets)]


def test_only_names_and_troubles_are_doubted_and_never_what_has_a_shape() -> None:
    text = "[student name] [address] [file name] [phone] [health detail] [email]"
    places = [match.span() for match in privacy.placeholders().finditer(text)]
    assert tagger.staying(text, believing(text, 9.0), places) == {0, 4}
    assert tagger.staying(text, believing(text, -9.0), places) == set()


@pytest.mark.parametrize("number", ["student id", "case number", "government id", "date of birth"])
def test_nothing_is_doubted_beside_a_number_of_a_child(number: str) -> None:
    text = f"[student name], [{number}]"
    places = [match.span() for match in privacy.placeholders().finditer(text)]
    assert tagger.staying(text, believing(text, 9.0), places) == set()


@pytest.mark.parametrize("text", ["我的学生[student name]可以用豆包吗", "[student name]呢", "김 [student name]"])
def test_nothing_is_doubted_in_a_script_that_the_embedder_does_not_read(text: str) -> None:
    places = [match.span() for match in privacy.placeholders().finditer(text)]
    assert tagger.staying(text, believing(text, 9.0), places) == set()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Our vendor rep is Paul from BrightPath, what should I ask him about their AI?", "Paul"),
        ("students want a chatbot to play Lennie from Of Mice and Men in the debate, ok?", "Lennie"),
    ],
)
def test_who_is_no_child_stays(text: str, kept: str, context: Context) -> None:
    assert kept in screen(text, context).text


def test_no_word_of_a_hidden_name_is_shown_elsewhere(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tagger, "staying", lambda text, read, places: {len(places) - 1})
    assert "Lucas" not in screen("Lucas Bell needs text to speech. May I scan the work of Lucas?", context).text


@pytest.mark.parametrize("text", ["Lucas needs text to speech", "tell me if Ethan can use a translator in the exam"])
def test_a_child_with_nothing_around_that_says_so_is_hidden(text: str, context: Context) -> None:
    assert "[student name]" in screen(text, context).text


def test_a_placeholder_that_no_window_holds_is_not_doubted() -> None:
    assert tagger.believed(believing("[student name]", 9.0), [(100, 114)]) == [-np.inf]


def test_marks_between_what_is_hidden_and_a_tool_are_no_detail() -> None:
    text = "Suno, Otter: mean raps"
    hidden = privacy.without_standing(text, [(0, len(text), "discipline detail")])
    assert privacy.written(text, hidden).text == "Suno, Otter[discipline detail]"


def test_hiding_never_covers_a_crisis(context: Context) -> None:
    text = "Marisol cut her arms again last night and says she will not be here on Monday. Which app helps?"
    assert screen(text, context).handling is Handling.CRISIS


def test_a_detail_at_the_end_of_a_long_message_is_hidden(context: Context) -> None:
    plain = "Our committee meets on Thursday to compare three reading programs and what each of them keeps. " * 25
    screened = screen(plain + NOTE, context)
    assert "principal's car" not in screened.text
    assert plain.strip() in screened.text


def test_an_embedder_that_fails_leaves_what_patterns_hide(context: Context) -> None:
    def broken(_: str) -> tuple[np.ndarray, np.ndarray]:
        raise RuntimeError("out of memory")

    text = "Darnell drew on a car, may I ask a chatbot for a seating plan?"
    for failing in (replace(context, read=broken), replace(context, read=None)):
        screened = screen(text, failing)
        assert "Darnell" not in screened.text
        assert screened.text.endswith("may I ask a chatbot for a seating plan?")


def test_earlier_lines_are_read_the_same_way(context: Context) -> None:
    lines = (
        Utterance("user", NOTE),
        Utterance("assistant", "A child who draws on cars is not named here."),
    )
    asked, told = screen_history(lines, read=context.read)
    assert "principal's car" not in asked.text
    assert told.text == lines[1].text


def test_a_text_is_embedded_once(context: Context) -> None:
    asked: list[str] = []

    def counting(text: str) -> tuple[np.ndarray, np.ndarray]:
        asked.append(text)
        assert context.read is not None
        return context.read(text)

    screen("Which tools are approved for grade 4?", replace(context, read=counting))
    assert asked == ["Which tools are approved for grade 4?"]


def test_its_kinds_are_those_of_the_policy() -> None:
    from bot.guardrails.policy import privacy

    assert set(tagger.tagger().classes) <= set(privacy().kinds)
