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
    ],
)
def test_figures_of_everyone_stay(text: str) -> None:
    assert redact(text).text == text


@pytest.mark.parametrize("text", ["my student Marisol Vega reads for 20 minutes a day on Lexia in room 12, is that too much"])
def test_times_and_rooms_beside_a_child_stay(text: str) -> None:
    left = redact(text).text
    assert "20 minutes" in left
    assert "room 12" in left
