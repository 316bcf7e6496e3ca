"""Pictures: made quickly, readable on a phone, never by colour alone, and their text says all of them."""

from __future__ import annotations

import io
import time
from datetime import date

import pytest
from PIL import Image
from pypdf import PdfReader

from bot.readiness.export import answers_csv, page_pdf, picture
from bot.readiness.figure import EMPTY, FILL, INK, MARGIN, PAPER, SOFT, WIDTH, draw_lines
from bot.readiness.instrument import instrument
from bot.readiness.result import Result, Words, result_of

CONTENT = instrument()


def made(language: str = "en", form: str = "full") -> Result:
    answers: dict[str, int | None] = {item: 1 + n % 4 for n, item in enumerate(CONTENT.rules.forms[form].items)}  # type: ignore[index]
    return result_of(CONTENT, language, form, answers, date(2026, 11, 25))


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("a", "b", "least"), [(INK, PAPER, 7), (SOFT, PAPER, 7), (FILL, PAPER, 4.5), (FILL, EMPTY, 4.5)])
def test_colours_have_the_contrast_text_and_figures_need(a: str, b: str, least: float) -> None:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= least


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_picture_is_small_wide_enough_for_a_phone_and_has_every_level_in_its_text(language: str) -> None:
    result = made(language)
    png, alt = picture(CONTENT, language, result)
    image = Image.open(io.BytesIO(png))
    assert image.width == WIDTH
    assert image.height < 1.5 * WIDTH
    assert len(png) < 100_000
    words = Words(CONTENT, language, result)
    for line in words.bar_lines():
        assert line.rstrip(".") in alt
    assert words.headline() in alt
    assert words.foot() in alt


def test_filled_quarters_show_the_level_and_survive_without_colour() -> None:
    png, _ = picture(CONTENT, "en", made())
    grey = Image.open(io.BytesIO(png)).convert("L")
    dark = round(255 * 0.35)
    column = [grey.getpixel((MARGIN + 60, y)) for y in range(grey.height)]
    runs = "".join("#" if value < dark + 30 else "." for value in column).split(".")
    assert sum(len(run) >= 28 for run in runs) == 6


def test_a_picture_takes_less_than_four_tenths_of_a_second() -> None:
    picture(CONTENT, "en", made())
    taken = []
    for _ in range(5):
        begun = time.process_time()
        picture(CONTENT, "en", made())
        taken.append(time.process_time() - begun)
    assert sorted(taken)[2] <= 0.4


def test_lines_leave_a_gap_where_nothing_was_shown() -> None:
    series = {"Overall": [2.1, None, 3.0], "Rules": [1.0, 2.0, 3.0]}
    image = Image.open(io.BytesIO(draw_lines("Group", ["2026-01", "2026-05", "2026-09"], series, "x"))).convert("L")
    half = image.width // 2
    dark = [
        sum(image.getpixel((x, y)) < 120 for x in range(*span) for y in range(150, 420))
        for span in ((0, half), (half, image.width))
    ]
    assert dark[1] > dark[0]


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_pdf_is_one_page_with_title_language_and_words(language: str) -> None:
    result = made(language)
    words = Words(CONTENT, language, result)
    parts = [
        words.stage(),
        words.strengths(),
        words.move("e1"),
        words.balance(),
        words.limits(date(2027, 1, 24), "x@example.org"),
    ]
    reader = PdfReader(io.BytesIO(page_pdf(CONTENT, language, result, parts)))
    assert len(reader.pages) == 1
    text = " ".join(reader.pages[0].extract_text().split())
    assert CONTENT.texts[language].items["e1"].moves[result.score.answers["e1"]].do.split(":")[0] in text  # type: ignore[index]
    assert words.headline() in str(reader.metadata.title)  # type: ignore[union-attr]
    assert reader.trailer["/Root"]["/Lang"] == language  # type: ignore[index]


def test_the_csv_has_no_cell_that_a_spreadsheet_would_run() -> None:
    rows = answers_csv(CONTENT, "es", made("es")).decode("utf-8-sig").splitlines()
    assert len(rows) == 16
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.split(","))
