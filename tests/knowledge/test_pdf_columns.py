"""Tables that no lines are drawn around are read with their headers; text that only looks like one is left as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from reportlab.lib.pagesizes import letter
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import ListFlowable, ListItem, Paragraph, SimpleDocTemplate, Table

from bot.knowledge.blocks import Block
from bot.knowledge.reading.files import Limits
from bot.knowledge.reading.pdf import read_pdf

STYLES = getSampleStyleSheet()
BODY = STYLES["BodyText"]
PROSE = (
    "Teachers say at the start of each assignment whether AI may be used, and how, so that nobody has to guess what the rule "
    "of the day is, and so that families can read the same rule at home before the work is due. "
)


def read(path: Path, *parts: Any) -> tuple[Block, ...]:
    SimpleDocTemplate(str(path)).build(list(parts))
    return read_pdf(path, Limits()).blocks


def rows(blocks: tuple[Block, ...]) -> list[str]:
    return [block.text for block in blocks if block.kind == "row"]


@pytest.mark.parametrize("align", ["LEFT", "RIGHT", "CENTER"])
def test_rows_keep_their_headers_however_the_columns_are_aligned(tmp_path: Path, align: str) -> None:
    table = Table([["Tool", "Grades", "Owner"], ["Khanmigo", "6-12", "Digital learning"], ["Canva", "9-12", "Arts"]])
    table.setStyle([("ALIGN", (0, 0), (-1, -1), align)])
    blocks = read(tmp_path / "a.pdf", Paragraph(PROSE, BODY), table, Paragraph("Requests go to the office.", BODY))
    assert rows(blocks) == [
        "Tool: Khanmigo | Grades: 6-12 | Owner: Digital learning",
        "Tool: Canva | Grades: 9-12 | Owner: Arts",
    ]
    assert [b.text for b in blocks if b.kind == "paragraph"] == [PROSE.strip(), "Requests go to the office."]


@pytest.mark.parametrize("align", ["TOP", "MIDDLE", "BOTTOM"])
def test_a_cell_of_several_lines_stays_one_cell(tmp_path: Path, align: str) -> None:
    wrapped = Paragraph("Ask the privacy office before the first use, and name the school", BODY)
    data = [["Tool", "What to do"], ["Otter", wrapped], ["Copilot", "Sign in with the district account"], ["Suno", "Not allowed"]]
    table = Table(data, colWidths=[90, 170], rowHeights=[24, 40, 24, 24], style=[("VALIGN", (0, 0), (-1, -1), align)])
    blocks = read(tmp_path / "a.pdf", Paragraph(PROSE, BODY), table)
    assert "Tool: Otter | What to do: Ask the privacy office before the first use, and name the school" in rows(blocks)
    assert len(rows(blocks)) == 3


def test_an_empty_cell_shifts_nothing(tmp_path: Path) -> None:
    data = [["Office", "Phone", "Room"], ["IT", "4410", "12"], ["Privacy", "", "14"], ["Library", "4433", "2"]]
    assert "Office: Privacy | Room: 14" in rows(read(tmp_path / "a.pdf", Table(data)))


@pytest.mark.parametrize("style", ["Heading1", "Heading2", "Heading3"])
def test_a_heading_below_a_table_is_no_row(tmp_path: Path, style: str) -> None:
    data = [["Grade", "Hours"], ["6", "two"], ["7", "three"], ["8", "four"]]
    blocks = read(tmp_path / "a.pdf", Table(data, hAlign="LEFT"), Paragraph("Who decides", STYLES[style]), Paragraph(PROSE, BODY))
    assert [b.text for b in blocks if b.kind == "heading"] == ["Who decides"]
    assert len(rows(blocks)) == 3


def test_lists_are_no_tables(tmp_path: Path) -> None:
    items = [ListItem(Paragraph(text, BODY), leftIndent=40) for text in ("Say what is allowed", "Keep names out", "Ask first")]
    for kind in ("bullet", "1"):
        blocks = read(tmp_path / f"{kind}.pdf", Paragraph(PROSE, BODY), ListFlowable(items, bulletType=kind, leftIndent=40))
        assert rows(blocks) == [], kind


def test_two_columns_of_prose_are_no_table(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=letter)
    words = (PROSE * 12).split()
    for column, x in ((0, 60), (1, 330)):
        text = canvas.beginText(x, 720)
        text.setFont("Helvetica", 10)
        for line in range(30):
            begin = (column * 30 + line) * 7 % (len(words) - 7)
            text.textLine(" ".join(words[begin : begin + 7]))
        canvas.drawText(text)
    canvas.save()
    assert rows(read_pdf(tmp_path / "a.pdf", Limits()).blocks) == []


def test_lines_set_to_full_width_are_no_table(tmp_path: Path) -> None:
    justified = BODY.clone("justified", alignment=4)
    narrow = [Paragraph(PROSE * 3, justified)]
    assert rows(read(tmp_path / "a.pdf", *narrow)) == []


def test_headings_one_above_the_other_stay_two(tmp_path: Path) -> None:
    blocks = read(
        tmp_path / "a.pdf",
        Paragraph("Staff Guidance on Generative AI in Schools", STYLES["Title"]),
        Paragraph("Approved tools", STYLES["Heading1"]),
        Paragraph(PROSE, BODY),
    )
    assert [b.text for b in blocks if b.kind == "heading"] == ["Staff Guidance on Generative AI in Schools", "Approved tools"]


def test_a_heading_of_two_lines_stays_one(tmp_path: Path) -> None:
    long = "What to do before a new tool that makes text or pictures is used with students for the first time"
    blocks = read(tmp_path / "a.pdf", Paragraph(long, STYLES["Heading1"]), Paragraph(PROSE, BODY))
    assert [b.text for b in blocks if b.kind == "heading"] == [long]
