"""A result to keep: one page as PDF, the answers as CSV, the picture. Pure; bytes out."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path

from bot.readiness.figure import draw_bars
from bot.readiness.instrument import Instrument
from bot.readiness.result import Result, Words, bars


def picture(instrument: Instrument, language: str, result: Result) -> tuple[bytes, str]:
    """The picture of a result (PNG) and the text that says all of it."""
    words = Words(instrument, language, result)
    title = instrument.say(language, "figure_title")
    shown = bars(instrument, language, result)
    return draw_bars(title, words.headline(), shown, words.bar_lines(), words.foot()), words.alt()


def answers_csv(instrument: Instrument, language: str, result: Result) -> bytes:
    """The person's own answers: item, question, level, its words, when. UTF-8 with a mark, so that Excel reads accents.

    Only numbers and the instrument's own words are written, so no cell can begin with a formula."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(["item", "question", "level", "answer", "date"])
    items = instrument.texts[language].items
    for item, level in result.score.answers.items():
        chosen = result.quotes[item] if level else instrument.say(language, "not_sure")
        table.writerow([item, items[item].ask, level or "", chosen, result.on.isoformat()])
    return out.getvalue().encode("utf-8-sig")


@cache
def _type() -> None:
    """Register the typeface of the page once."""
    import reportlab
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    folder = Path(reportlab.__file__).parent / "fonts"
    for name, file in (("Sign", "Vera.ttf"), ("SignBold", "VeraBd.ttf")):
        pdfmetrics.registerFont(TTFont(name, str(folder / file)))


def page_pdf(instrument: Instrument, language: str, result: Result, parts: Sequence[str]) -> bytes:
    """One US Letter page: the picture's bars beside the words. ``parts`` are paragraphs of the result in Markdown."""
    from reportlab.lib.colors import HexColor
    from reportlab.lib.pagesizes import letter
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Image, KeepInFrame, Paragraph, SimpleDocTemplate, Table

    _type()
    words = Words(instrument, language, result)
    png, alt = picture(instrument, language, result)
    width, height = letter
    margin = 40
    body = ParagraphStyle("body", fontName="Sign", fontSize=9, leading=12.4, spaceAfter=5, textColor=HexColor("#14202B"))
    drawn = Image(io.BytesIO(png), width=225, height=225 * _ratio(png))
    drawn.alt = alt
    paragraphs = [Paragraph(_markup(part), body) for part in parts]
    side = KeepInFrame(width - 2 * margin - 245, height - 2 * margin - 20, paragraphs, mode="shrink")
    out = io.BytesIO()
    title = f"{instrument.say(language, 'figure_title')}: {words.headline()}"
    page = SimpleDocTemplate(
        out,
        pagesize=letter,
        leftMargin=margin,
        rightMargin=margin,
        topMargin=margin,
        bottomMargin=margin,
        title=title,
        lang=language,
    )
    columns = Table([[drawn, side]], colWidths=[240, width - 2 * margin - 240])
    columns.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)])
    page.build([columns])
    return out.getvalue()


def _ratio(png: bytes) -> float:
    width, height = int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
    return height / width


def _markup(markdown: str) -> str:
    """Our own Markdown (bold, list lines) as the PDF library's markup."""
    lines = []
    for line in escape(markdown, quote=False).split("\n"):
        pieces = line.split("**")
        bold = "".join(f'<font name="SignBold">{p}</font>' if n % 2 else p for n, p in enumerate(pieces))
        lines.append(f"• {bold[2:]}" if bold.startswith("- ") else bold)
    return "<br/>".join(line for line in lines if line)
