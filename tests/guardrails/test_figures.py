"""Marks, levels and ages of a child are hidden wherever they stand beside one; figures of everyone stay."""

from __future__ import annotations

import re

import pytest

from bot.guardrails.privacy import redact


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Grading help, 4 points: Marisol 3/4, Tyrone 2/4, Agnieszka 1/4. one line for each?", ["3/4", "2/4", "1/4"]),
        ("PERIOD 3\n1 Morales, Ana 91\n2 Chen, Wei 77\n3 Okafor, Emeka 64\nwhich standards should I reteach", ["91", "77", "64"]),
        ("last,first,sid,level\nMorales,Ana,7720193,2\nChen,Wei,7720207,3\nmay Gemini group them", ["7720193", "7720207"]),
        ("Khadija: phon 12 / vocab 30 / comp 22, what does that tell", ["12", "30", "22"]),
        ("Lupita: B1\nMarisol: A2\ntextos para estos niveles sin guardar nombres", ["B1", "A2"]),
        ("my student Marisol Vega has WIDA 2.3 and Lexile 540L, what may AI write at that level", ["2.3", "540L"]),
        ("Emeka turned 14 last week, may he open an account", ["14"]),
        ("Marisol (age 6) talks to a chatbot at home", ["6"]),
        ("does it count that Marisol got a D in chem", ["D"]),
        ("a kid has a 61 in ELA 9 and a 48 in Algebra 1, that's Marisol Vega, is a catch-up plan by AI allowed", ["61", "48"]),
        ("student 30118 uses text to speech, is that AI", ["30118"]),
        ("Student: Morales, Ana\nMath 7 - D+\ncan Copilot write the letter", ["D+"]),
        ("the password for amorales2031 was typed into ChatGPT by my student Ana", ["amorales2031"]),
        ("her mother's number is five five five, oh one nine two, what may I tell her about Ana", ["five five five"]),
        ("她的电话是幺三九,零零五五,零一二三,可以给机器人吗", ["零零五五"]),
        ("درجات العلوم\nنور - 18/20\nإيليا - 9/20\nهل أرتبهم بأداة", ["نور", "إيليا", "18/20", "9/20"]),
        ("数学小测: 阿依古丽 65, 扎西 88. 帮我分组", ["阿依古丽", "扎西", "65", "88"]),
    ],
)
def test_what_is_told_of_a_child_in_figures_is_hidden(text: str, hidden: list[str]) -> None:
    left = redact(text).text
    assert [piece for piece in hidden if re.search(rf"(?<!\w){re.escape(piece)}(?!\w)", left)] == []


@pytest.mark.parametrize(
    "text",
    [
        "Students under 13 need consent; 4 of 5 teachers say so. What about grade 6?",
        "What share of teachers used AI in 2024, 40% or 60%?",
        "Our rubric has 4 points and 3 rows. May AI score a set of 30 essays?",
        "Is a WIDA level 2 text something Diffit can make?",
        "Does the policy for bus 12 and room 4 cover cameras?",
        "Unit 3, lesson 2: is B- or C+ the better scale for AI feedback?",
        "May we use GPT-4, Claude 3 or Gemini 2.5 with grades 9 to 12?",
        "can a student 13 or over use ChatGPT, and a child 12 and under?",
        "who pays the account for students. and the password for teachers.",
        "我们8月5号开会, 每节课45分钟, 三号楼。可以用Gemini吗",
        "数学: 90\n语文: 85\n可以让机器人出题吗",
        "count with me: one two three, four five. may a chatbot do that",
    ],
)
def test_figures_of_everyone_stay(text: str) -> None:
    assert redact(text).text == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("my student Marisol Vega reads for 20 minutes a day on Lexia in room 12", ["20 minutes", "room 12"]),
        ("Marisol needs a bit more time, may Copilot give it", ["a bit more time"]),
        ("how long is Marisol's data retained by the vendor", ["retained"]),
        ("Marisol uses GPT 4 and Claude 3 at home", ["GPT 4", "Claude 3"]),
        ("Marisol read 20 books and A Wrinkle in Time", ["20 books", "A Wrinkle in Time"]),
        ("Marisol and 12 others wrote on Act 2 of Hamlet", ["12 others", "Act 2"]),
        ("two things about Marisol Vega: (1) may she use it, (2) who decides", ["(1)", "(2)"]),
        ("Marisol takes online courses in Lisp", ["online", "Lisp"]),
        ("Marisol is in period 3, unit 2, page 14", ["period 3", "unit 2", "page 14"]),
        ("Marisol read J. K. Rowling and visited Salinas", ["Rowling", "Salinas"]),
        ("Marisol Vega has a 61 in ELA 9 and a 48 in Math 8", ["ELA 9", "Math 8"]),
        ("my student Marisol Vega came to us from Westfield HS", ["Westfield HS"]),
        ("does Act 31 training cover what Marisol told me", ["Act 31"]),
    ],
)
def test_what_says_nothing_of_a_childs_work_stays_beside_one(text: str, kept: list[str]) -> None:
    left = redact(text).text
    assert [piece for piece in kept if piece not in left] == []


@pytest.mark.parametrize(
    "text", ["Diego Salinas failed algebra", "Emily Pearson's essay", "Salinas, Diego 88\nPearson, Emily 71\nhelp"]
)
def test_a_childs_family_name_is_hidden_though_a_place_or_a_company_has_it(text: str) -> None:
    left = redact(text).text
    assert "Salinas" not in left
    assert "Pearson" not in left
