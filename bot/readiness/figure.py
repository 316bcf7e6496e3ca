"""Draws pictures of results: bars for one check or group, small lines for three rounds or more. Pure; PNG bytes out.

One hue, and every bar also has its level in words and as filled quarters, so nothing rests on colour (WCAG 1.4.1). The
type is Bitstream Vera, which comes with the PDF library under a licence that allows this use. The readiness skill imports
this module when something is drawn: a question answered in a new process waits for no drawing library."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import reportlab
from PIL import Image, ImageDraw, ImageFont

from bot.readiness.result import Bar

WIDTH = 1080
"""Pixels across: twice and a half the width of a phone's screen in points."""

MARGIN = 60
INK, SOFT, FILL, EMPTY, EDGE, PAPER = "#14202B", "#44525E", "#1F5F99", "#EDF1F5", "#A9B6C2", "#FFFFFF"
"""Contrast on paper: ink 16:1, soft 8:1, fill 6.6:1."""

_BAR_HEIGHT, _ROW = 34, 142


@cache
def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    name = "VeraBd.ttf" if bold else "Vera.ttf"
    return ImageFont.truetype(str(Path(reportlab.__file__).parent / "fonts" / name), size)


def wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Lines of ``text`` no wider than ``width`` pixels, broken between words."""
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines


class _Sheet:
    """A white sheet written from the top down; cut to length at the end."""

    def __init__(self, height: int) -> None:
        self.image = Image.new("RGB", (WIDTH, height), PAPER)
        self.pen = ImageDraw.Draw(self.image)
        self.y = MARGIN

    def write(self, text: str, size: int, *, bold: bool = False, colour: str = INK, gap: int = 0) -> None:
        """A paragraph across the sheet."""
        font = _font(size, bold)
        for line in wrapped(text, font, WIDTH - 2 * MARGIN):
            self.pen.text((MARGIN, self.y), line, font=font, fill=colour)
            self.y += int(size * 1.35)
        self.y += gap

    def png(self) -> bytes:
        """The sheet as PNG with few colours, which keeps it small enough for a chat."""
        whole = self.image.crop((0, 0, WIDTH, self.y + MARGIN // 2))
        cut = whole.quantize(32, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        # The quick quantizer moves white a little; the first pixel is paper.
        palette, paper = cut.getpalette() or [], cut.getpixel((0, 0))
        assert isinstance(paper, int)
        palette[3 * paper : 3 * paper + 3] = [255, 255, 255]
        cut.putpalette(palette)
        out = io.BytesIO()
        cut.save(out, "PNG", compress_level=6)
        return out.getvalue()


def _bar(sheet: _Sheet, level: int | None) -> None:
    gap = 8
    width = (WIDTH - 2 * MARGIN - 3 * gap) // 4
    for quarter in range(4):
        left = MARGIN + quarter * (width + gap)
        full = level is not None and quarter < level
        box = (left, sheet.y, left + width, sheet.y + _BAR_HEIGHT)
        sheet.pen.rounded_rectangle(box, 6, fill=FILL if full else EMPTY, outline=FILL if full else EDGE, width=2)
    sheet.y += _BAR_HEIGHT


def draw_bars(title: str, stage: str, shown: Sequence[Bar], lines: Sequence[str], foot: str) -> bytes:
    """Bars of four quarters. ``lines`` are the bars in words ("Rules: Level 3 of 4, In practice"), in the same order."""
    sheet = _Sheet(700 + _ROW * (len(shown) + 2))
    sheet.write(title, 32, colour=SOFT, gap=6)
    sheet.write(stage, 50, bold=True, gap=26)
    for bar, line in zip(shown, lines, strict=True):
        sheet.write(bar.name, 34, bold=True)
        sheet.write(line.removeprefix(f"{bar.name}:").strip(), 29, colour=SOFT, gap=8)
        _bar(sheet, bar.level)
        sheet.y += 30
    sheet.write(foot, 25, colour=SOFT)
    return sheet.png()


def draw_lines(title: str, dates: Sequence[str], series: Mapping[str, Sequence[float | None]], foot: str) -> bytes:
    """Small line pictures, one a name, over at least three rounds; a round in which a figure was not shown is a gap."""
    rows = (len(series) + 1) // 2
    sheet = _Sheet(400 + 330 * rows)
    sheet.write(title, 40, bold=True, gap=24)
    width = (WIDTH - 3 * MARGIN) // 2
    top = sheet.y
    for number, (name, values) in enumerate(series.items()):
        left = MARGIN + (number % 2) * (width + MARGIN)
        _panel(sheet, left, top + (number // 2) * 330, width, name, dates, values)
    sheet.y = top + rows * 330
    sheet.write(foot, 25, colour=SOFT)
    return sheet.png()


def _panel(
    sheet: _Sheet, left: int, top: int, width: int, name: str, dates: Sequence[str], values: Sequence[float | None]
) -> None:
    pen = sheet.pen
    for n, line in enumerate(wrapped(name, _font(27, bold=True), width)[:2]):
        pen.text((left, top + n * 33), line, font=_font(27, bold=True), fill=INK)
    base, height, inner = top + 250, 170, left + 34
    for level in (1, 2, 3, 4):
        y = base - (level - 1) * height // 3
        pen.line((inner, y, left + width, y), fill=EDGE, width=1)
        pen.text((left, y - 14), str(level), font=_font(22), fill=SOFT)
    step = (width - 90) / max(1, len(dates) - 1)
    points = [
        (inner + 24 + n * step, base - (value - 1) * height / 3) if value is not None else None for n, value in enumerate(values)
    ]
    for before, after in pairwise(points):
        if before and after:
            pen.line((*before, *after), fill=FILL, width=6)
    for point in points:
        if point:
            pen.ellipse((point[0] - 9, point[1] - 9, point[0] + 9, point[1] + 9), fill=FILL, outline=PAPER, width=2)
    pen.text((inner + 24, base + 10), dates[0], font=_font(20), fill=SOFT, anchor="la")
    pen.text((left + width, base + 10), dates[-1], font=_font(20), fill=SOFT, anchor="ra")
