"""No detail of a student survives, whatever its format; words that are no one's stay; hiding twice changes nothing."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.guardrails.evaluation import Case, file_cases, privacy_cases, report, run, survives
from bot.guardrails.gazetteer import gazetteer
from bot.guardrails.privacy import notice, redact
from bot.messages import Handling

EVERYDAY = gazetteer().everyday
GIVEN = sorted(name for name in gazetteer().given if name not in EVERYDAY and name.isascii() and len(name) > 3 and name.isalpha())
FAMILY = sorted(
    name for name in gazetteer().family if name not in EVERYDAY and name.isascii() and len(name) > 3 and name.isalpha()
)
FRAMES = (
    "my student {name} got a {grade} on the test, can I use ChatGPT?",
    "can I upload {name}'s essay to Gemini?",
    "student {name} (ID {id}) born {dob} uses Khanmigo, does COPPA apply?",
    "{name} has {health}, is MagicSchool ok under FERPA",
    "write to {email} or call {phone} about the AI policy",
    "mi alumno {name} nació el {dob}, ¿puede usar Gemini?",
    "is https://files.example.org/{file}_iep.pdf safe in NotebookLM",
    "SSN {ssn} of {name} was in a prompt, is that a breach",
)


@pytest.mark.parametrize("case", [c for c in privacy_cases() if c.details], ids=lambda c: c.text[:40])
def test_every_marked_detail_is_hidden(case: Case) -> None:
    text = redact(case.text).text
    assert not [detail for detail in case.details if survives(detail, text)], text


def test_names_laws_courses_vendors_and_roles_stay() -> None:
    clean = [c for c in privacy_cases() if not c.details]
    changed = [c.text for c in clean if redact(c.text).kinds]
    assert len(changed) <= 0.02 * len(clean), changed


@st.composite
def seeded(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A sentence of a member of staff with details in it, and the details."""
    first, last = draw(st.sampled_from(GIVEN)), draw(st.sampled_from(FAMILY))
    digits = st.text(string.digits, min_size=6, max_size=9).filter(lambda t: not t.endswith("000"))
    year, month, day = draw(st.integers(2005, 2020)), draw(st.integers(1, 12)), draw(st.integers(1, 28))
    details = {
        "name": f"{first.title()} {last.title()}",
        "grade": str(draw(st.integers(10, 99))),
        "id": draw(digits),
        "dob": draw(st.sampled_from([f"{month:02}/{day:02}/{year}", f"{year}-{month:02}-{day:02}", f"{day}.{month}.{year}"])),
        "health": draw(st.sampled_from(["ADHD", "autism", "dyslexia", "diabetes", "epilepsy"])),
        "email": f"{first}.{last}@{draw(st.sampled_from(['gmail.com', 'district.k12.us', 'correo.mx']))}",
        "phone": f"{draw(st.integers(201, 799))}-{draw(st.integers(200, 999))}-{draw(st.integers(1000, 9999))}",
        "file": f"{first}_{last}",
        "ssn": f"{draw(st.integers(100, 665)):03}-{draw(st.integers(10, 99))}-{draw(st.integers(1000, 9999))}",
    }
    frame = draw(st.sampled_from(FRAMES))
    used = [details[slot] for slot in re.findall(r"\{(\w+)\}", frame)]
    return frame.format(**details), used


@settings(max_examples=300, deadline=None)
@given(seeded())
def test_no_seeded_detail_survives(made: tuple[str, list[str]]) -> None:
    text, details = made
    hidden = redact(text).text
    assert not [detail for detail in details if detail.lower() in hidden.lower()], hidden


@settings(max_examples=300, deadline=None)
@given(st.one_of(seeded().map(lambda made: made[0]), st.text(max_size=200)))
def test_hiding_twice_changes_nothing(text: str) -> None:
    once = redact(text)
    twice = redact(once.text)
    assert twice.text == once.text
    assert not twice.kinds


@settings(max_examples=100, deadline=None)
@given(seeded())
def test_only_kinds_and_counts_leave(made: tuple[str, list[str]]) -> None:
    text, details = made
    redacted = redact(text)
    told = notice(redacted.kinds, "en") or ""
    assert redacted.kinds
    assert not [detail for detail in details if len(detail) > 2 and detail.lower() in (told + repr(redacted.kinds)).lower()]


@pytest.mark.parametrize("language", ["en", "es", "fr", "zh", "ar"])
def test_the_asker_is_told_in_one_line(language: str) -> None:
    told = notice((("student name", 1), ("phone", 2)), language)
    assert told
    assert "\n" not in told


def test_look_alike_letters_do_not_hide_a_name() -> None:
    assert "onzalez" not in redact("my student М\u200baria Gоnzаlez failed").text


DEVELOPMENT = file_cases(Path(__file__).parent.parent / "evals" / "policy" / "privacy_dev.jsonl")


def test_the_development_messages_keep_their_figures() -> None:
    figures = report(run(DEVELOPMENT, lambda text: (Handling.ANSWER, None, redact(text).text)))
    assert figures["details_hidden"]["value"] >= 0.95
    assert figures["words_destroyed"]["value"] <= 0.02


def test_hiding_the_development_messages_twice_changes_nothing() -> None:
    once = [redact(case.text).text for case in DEVELOPMENT]
    assert [text for text in once if redact(text).text != text] == []


@pytest.mark.parametrize(
    "name", ["oluwasegunola", "Siosaia", "kynslynn", "Zitkala", "Wendkuni", "Yevheniia", "Itzayari", "abdikhaliq"]
)
@pytest.mark.parametrize(
    "frame", ["does {} need a consent form for Khanmigo", "{} keeps asking the bot for jokes", "can i put {}'s essay into Gemini"]
)
def test_a_name_of_no_list_is_hidden(name: str, frame: str) -> None:
    assert name.lower() not in gazetteer().given
    assert name.lower() not in gazetteer().family
    assert name.lower() not in redact(frame.format(name)).text.lower()


@pytest.mark.parametrize(
    "text",
    [
        "our librarian Ana Kowalski asked for the AI policy",
        "ask ms. okafor about Khanmigo",
        "what did Ray Bradbury write about machines",
        "does Jordan the country have AI rules",
        "is there a study by Amara Venkataraman on AI tutors",
        "the Charlotte-Mecklenburg schools use Copilot",
        "Does LumaLearn keep what pupils type, and does it roster through OneRoster?",
        "Trustee Wendell Achterberg asks what Rev. Callum O'Dowd was told about Copilot",
        "Le lycée Sainte-Anne et le collège Saint-Exupéry peuvent-ils utiliser DeepL ?",
        "Who at Jefferson MS or Westfield HS approves ChatGPT Edu?",
        "Renee in payroll and Tobias from the front desk ask who approved Otter",
        "Marguerite, our librarian, and Ingrid (my para) want captions made by AI",
        "counselor Imogen wants the wellness bot gone",
        "Solange de la vie scolaire demande si Pronote garde la voix",
        "¿La maestra puede usar Copilot en 3.º de ESO y en 2ª hora?",
        "the training is on Nov 12, does it cover Gemini",
    ],
)
def test_staff_authors_and_places_stay(text: str) -> None:
    assert redact(text).text == text


def test_what_is_told_of_one_child_is_hidden_and_what_is_told_of_students_stays() -> None:
    assert "seizures" not in redact("her 504 for seizures was pasted into Copilot").text
    assert "expelled" not in redact("my student was expelled, can AI draft the letter").text
    general = "can a student with dyslexia use text to speech, and do students suspended for cheating lose it"
    assert redact(general).text == general
    beside = "Kids with diabetes and our homeless liaison: policy 5131 and AI, and Maya Ferreira-Lund has epilepsy"
    assert (
        redact(beside).text
        == "Kids with diabetes and our homeless liaison: policy 5131 and AI, and [student name] has [health detail]"
    )


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("the Hargrove boy keeps using ChatGPT", "Hargrove"),
        ("una carta de recomendación para Iker Zubiri, con Claude", "Zubiri"),
        ("Ignacio Fuenzalida from IT class had his face used in a deepfake", "Fuenzalida"),
        ("Marcus Bellweather in special ed needs an AI reader", "Bellweather"),
        ("Leila Nasser, my AP student, used ChatGPT", "Leila"),
        ("Ana Pintado, our IT intern, made a deepfake", "Pintado"),
        ("Jayden Colby at the front desk is crying about the AI detector", "Colby"),
        ("Ahmed Karimi from the neighboring district wants Khanmigo", "Karimi"),
        ("Bill 443122 and Ana 551207 both used ChatGPT", "443122"),
        ("Ana Ruiz had her anxiety screening done by an AI", "anxiety"),
        ("address: Rt 2 Box 114 went into gemini", "Box 114"),
        ("id no. 9 921 004 was read by AI", "921"),
        ("ssn ending 4421 in the AI log", "4421"),
        ("Maria Lopez uses lunch code 44121, may the AI kiosk keep it", "44121"),
        ("学号2023018842的同学用了Gemini", "2023018842"),
        ("文件陈晓东_成绩单.pdf上传到AI了怎么办", "陈晓东"),
        ("هل يمكن للطالب قصي العتيبي استخدام ChatGPT", "العتيبي"),
        ("gave Hana a C+ after AI feedback", "C+"),
    ],
)
def test_details_of_many_shapes_are_hidden(text: str, detail: str) -> None:
    hidden = redact(text).text
    assert detail not in hidden
    assert "[" in hidden


@pytest.mark.parametrize(
    "text",
    [
        "Our ASB president Maya wants a chatbot for the website, ok?",
        "my student aide Diego grades quizzes with ChatGPT, allowed?",
        "Class President Imani Lowe used AI for her speech",
    ],
)
def test_who_holds_a_childs_post_is_no_staff(text: str) -> None:
    assert "[student name]" in redact(text).text


@pytest.mark.parametrize("text", ["student teacher Anna Bell uses AI", "our aide Diego has it", "President Obama said so"])
def test_who_holds_a_post_of_staff_stays(text: str) -> None:
    assert redact(text).text == text


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("is the Daisy reading app approved for grade 1", "Daisy"),
        ("per Otis dashboard usage is down", "Otis"),
        ("Hunter, the phishing-sim product, emailed all of us", "Hunter"),
        ("Kelsey the data clerk wants to use an AI sheet add-on", "Kelsey"),
        ("can Vice Principal Stone see the flags", "Vice Principal Stone"),
        ("the band director Mr. Reed wants songs made by AI", "Mr. Reed"),
    ],
)
def test_products_and_staff_stay_by_what_is_said_of_them(text: str, stays: str) -> None:
    assert stays in redact(text).text


@pytest.mark.parametrize(
    "text",
    [
        "can I give {} tool access",
        "give {} dashboard access",
        "for {}, the app shows 60%",
        "{} teaches his little sister with it",
        "does {} app use need consent",
        "Don {} failed the test again",
        "{} teaches 3 younger kids with Khanmigo",
        "can we sub {} in and let the bot pick the rest",
        "Aubree and {} share one Chromebook",
    ],
)
def test_a_childs_name_beside_a_product_or_a_posts_word_is_hidden(text: str) -> None:
    assert "Marcus" not in redact(text.format("Marcus")).text
    assert "Aubree" not in redact(text.format("Marcus")).text
