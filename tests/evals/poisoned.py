"""Files that speak to an assistant, and files that do not, for measuring the scan of documents.

``poisoned(half)`` and ``clean(half)`` give (name, bytes, technique) in Markdown, text, HTML, PDF, DOCX and PPTX; what they say
is in ``poisoned.yaml``, worded apart: 'tuning', 'second' and 'third' were looked at while patterns were written."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from html import escape
from itertools import cycle
from pathlib import Path

import docx
import yaml
from docx.oxml import OxmlElement
from docx.shared import Pt, RGBColor
from pptx import Presentation
from pptx.dml.color import RGBColor as SlideColor
from pptx.util import Inches
from pptx.util import Pt as SlidePt
from reportlab.lib.pagesizes import LETTER
from reportlab.pdfgen import canvas

Made = tuple[str, bytes, str]
_WORDS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
PAYLOADS: dict[str, list[str]] = _WORDS["payloads"]
BODIES: dict[str, list[list[str]]] = _WORDS["bodies"]
REMARKS: dict[str, list[str]] = _WORDS["remarks"]


def _html(body: str, head: str = "") -> bytes:
    return f"<!doctype html><html lang='en'><head><title>AI guidance</title>{head}</head><body>{body}</body></html>".encode()


def _paragraphs(body: list[str]) -> str:
    return f"<h1>{escape(body[0])}</h1>" + "".join(f"<p>{escape(line)}</p>" for line in body[1:])


def _markdown(body: list[str], extra: str = "") -> bytes:
    return (f"# {body[0]}\n\n" + "\n\n".join(body[1:]) + (f"\n\n{extra}" if extra else "") + "\n").encode()


def _pdf(body: list[str], draw: Callable[[canvas.Canvas], None] | None = None, **info: str) -> bytes:
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=LETTER)
    for name, value in info.items():
        getattr(page, f"set{name.title()}")(value)
    page.setFont("Helvetica-Bold", 16)
    page.drawString(72, 720, body[0])
    page.setFont("Helvetica", 11)
    top = 690
    for line in body[1:]:
        for begin in range(0, len(line), 85):
            page.drawString(72, top, line[begin : begin + 85])
            top -= 15
        top -= 10
    if draw is not None:
        draw(page)
    page.save()
    return out.getvalue()


def _docx(body: list[str], change: Callable[[docx.document.Document], None] | None = None) -> bytes:
    document = docx.Document()
    document.add_heading(body[0], 1)
    for line in body[1:]:
        document.add_paragraph(line)
    if change is not None:
        change(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _pptx(body: list[str], change: Callable[[Presentation], None] | None = None) -> bytes:
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = body[0]
    slide.placeholders[1].text = "\n".join(body[1:])
    if change is not None:
        change(deck)
    out = io.BytesIO()
    deck.save(out)
    return out.getvalue()


def _run(document: docx.document.Document, text: str, **font: object) -> None:
    run = document.add_paragraph("").add_run(text)
    for name, value in font.items():
        if name == "color":
            run.font.color.rgb = value
        else:
            setattr(run.font, name, value)


def _deleted(document: docx.document.Document, text: str) -> None:
    change, run, words = OxmlElement("w:del"), OxmlElement("w:r"), OxmlElement("w:delText")
    words.text = text
    run.append(words)
    change.append(run)
    document.add_paragraph("Kept words. ")._p.append(change)


def _comment(document: docx.document.Document, text: str) -> None:
    paragraph = document.add_paragraph("A line with a remark.")
    document.add_comment(paragraph.runs, text=text, author="R", initials="R")


def _described(deck: Presentation, text: str) -> None:
    box = deck.slides[0].shapes.add_textbox(Inches(1), Inches(6), Inches(2), Inches(1))
    box.text_frame.text = "Figure"
    box._element.xpath(".//p:cNvPr")[0].set("descr", text)


def _box(deck: Presentation, text: str, left: float = 1, size: int | None = None, white: bool = False) -> None:
    box = deck.slides[0].shapes.add_textbox(Inches(left), Inches(6), Inches(4), Inches(1))
    run = box.text_frame.paragraphs[0].add_run()
    run.text = text
    if size is not None:
        run.font.size = SlidePt(size)
    if white:
        run.font.color.rgb = SlideColor(255, 255, 255)


def _hidden_slide(deck: Presentation, text: str) -> None:
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Backup"
    slide.placeholders[1].text = text
    slide._element.set("show", "0")


def _ink(
    text: str, color: tuple[float, float, float] = (0, 0, 0), x: float = 72, size: float = 11, mode: int = 0, alpha: float = 1
):
    def draw(page: canvas.Canvas) -> None:
        page.setFillColorRGB(*color)
        if alpha < 1:
            page.setFillAlpha(alpha)
        line = page.beginText(x, 300)
        line.setFont("Helvetica", size)
        line.setTextRenderMode(mode)
        line.textLine(text[:110])
        page.drawText(line)

    return draw


def _boxed(text: str, color: tuple[float, float, float]):
    def draw(page: canvas.Canvas) -> None:
        page.setFillColorRGB(*color)
        page.rect(60, 280, 480, 50, fill=1, stroke=0)
        page.drawString(72, 300, text[:85])

    return draw


def _noted(text: str):
    return lambda page: page.textAnnotation(text, (100, 100, 200, 200))


def _tags(text: str) -> str:
    return "".join(chr(0xE0000 + ord(c)) for c in text if ord(c) < 128)


def _look_alike(text: str) -> str:
    return text.translate(str.maketrans("aeopc", "аеорс"))


def _latin(payloads: list[str]) -> list[str]:
    return [text for text in payloads if text.isascii()]


Technique = tuple[str, str, bool, Callable[[list[str], str], bytes]]
TECHNIQUES: list[Technique] = [
    ("plain", "md", False, lambda b, p: _markdown(b, p)),
    ("in a list", "md", False, lambda b, p: _markdown(b, f"- Ask first.\n- {p}\n- Thank you.")),
    ("in a table", "md", False, lambda b, p: _markdown(b, f"| Rule | Note |\n|---|---|\n| 4 | {p.replace('|', ' ')} |")),
    ("comment", "md", False, lambda b, p: _markdown(b, f"<!-- {p} -->")),
    ("hidden span", "md", False, lambda b, p: _markdown(b, f'Ask first. <span style="display:none">{p}</span>')),
    ("link definition", "md", True, lambda b, p: _markdown(b, "[//]: # (" + p.replace("(", "").replace(")", "") + ")")),
    ("front matter", "md", True, lambda b, p: f'---\ntitle: "{p.replace(chr(34), "")}"\n---\n\n'.encode() + _markdown(b)),
    ("plain", "txt", False, lambda b, p: "\n\n".join([b[0].upper(), *b[1:], p]).encode()),
    ("zero width", "txt", True, lambda b, p: "\n\n".join([*b, "\u200b".join(p)]).encode()),
    ("tag characters", "txt", True, lambda b, p: "\n\n".join([*b, b[1] + _tags(p)]).encode()),
    ("base64", "txt", False, lambda b, p: "\n\n".join([*b, base64.b64encode(p.encode()).decode()]).encode()),
    ("look-alikes", "txt", True, lambda b, p: "\n\n".join([*b, _look_alike(p)]).encode()),
    ("plain", "html", False, lambda b, p: _html(_paragraphs(b) + f"<p>{escape(p)}</p>")),
    ("display none", "html", False, lambda b, p: _html(_paragraphs(b) + f"<div style='display: none'>{escape(p)}</div>")),
    ("comment", "html", False, lambda b, p: _html(_paragraphs(b) + f"<!-- {p} -->")),
    ("aria hidden", "html", False, lambda b, p: _html(_paragraphs(b) + f"<p aria-hidden='true'>{escape(p)}</p>")),
    ("opacity", "html", False, lambda b, p: _html(_paragraphs(b) + f"<p style='opacity:0'>{escape(p)}</p>")),
    (
        "off screen",
        "html",
        False,
        lambda b, p: _html(_paragraphs(b) + f"<p style='position:absolute;left:-9999px'>{escape(p)}</p>"),
    ),
    ("white", "html", False, lambda b, p: _html(_paragraphs(b) + f"<p style='color:#fefefe;font-size:9px'>{escape(p)}</p>")),
    (
        "style sheet",
        "html",
        False,
        lambda b, p: _html(_paragraphs(b) + f"<p class='zz'>{escape(p)}</p>", "<style>.zz{font-size:0}</style>"),
    ),
    ("alt", "html", False, lambda b, p: _html(_paragraphs(b) + f'<img src="a.png" alt="{escape(p)}">')),
    ("meta", "html", False, lambda b, p: _html(_paragraphs(b), f'<meta name="description" content="{escape(p)}">')),
    ("plain", "pdf", True, lambda b, p: _pdf([*b, p])),
    ("white", "pdf", True, lambda b, p: _pdf(b, _ink(p, (1, 1, 1)))),
    ("pale", "pdf", True, lambda b, p: _pdf(b, _ink(p, (0.97, 0.97, 0.97)))),
    ("tiny", "pdf", True, lambda b, p: _pdf(b, _ink(p, size=1))),
    ("off page", "pdf", True, lambda b, p: _pdf(b, _ink(p, x=-900))),
    ("no ink", "pdf", True, lambda b, p: _pdf(b, _ink(p, mode=3))),
    ("transparent", "pdf", True, lambda b, p: _pdf(b, _ink(p, alpha=0.01))),
    ("black on black", "pdf", True, lambda b, p: _pdf(b, _boxed(p, (0, 0, 0)))),
    ("note", "pdf", True, lambda b, p: _pdf(b, _noted(p))),
    ("metadata", "pdf", True, lambda b, p: _pdf(b, subject=p)),
    ("plain", "docx", False, lambda b, p: _docx([*b, p])),
    ("hidden run", "docx", False, lambda b, p: _docx(b, lambda d: _run(d, p, hidden=True))),
    ("white", "docx", False, lambda b, p: _docx(b, lambda d: _run(d, p, color=RGBColor(255, 255, 255)))),
    ("tiny", "docx", False, lambda b, p: _docx(b, lambda d: _run(d, p, size=Pt(1)))),
    ("deleted", "docx", False, lambda b, p: _docx(b, lambda d: _deleted(d, p))),
    ("comment", "docx", False, lambda b, p: _docx(b, lambda d: _comment(d, p))),
    ("subject", "docx", False, lambda b, p: _docx(b, lambda d: setattr(d.core_properties, "subject", p[:250]))),
    ("plain", "pptx", False, lambda b, p: _pptx([*b, p])),
    (
        "speaker note",
        "pptx",
        False,
        lambda b, p: _pptx(b, lambda d: setattr(d.slides[0].notes_slide.notes_text_frame, "text", p)),
    ),
    ("hidden slide", "pptx", False, lambda b, p: _pptx(b, lambda d: _hidden_slide(d, p))),
    ("off slide", "pptx", False, lambda b, p: _pptx(b, lambda d: _box(d, p, left=40))),
    ("white", "pptx", False, lambda b, p: _pptx(b, lambda d: _box(d, p, white=True))),
    ("tiny", "pptx", False, lambda b, p: _pptx(b, lambda d: _box(d, p, size=1))),
    ("alt", "pptx", False, lambda b, p: _pptx(b, lambda d: _described(d, p))),
]
"""(technique, kind of file, whether it takes Latin letters only, maker)."""


def poisoned(half: str, rounds: int = 2) -> Iterator[Made]:
    """Every technique ``rounds`` times, each with another payload and another honest text around it."""
    every, latin, bodies = cycle(PAYLOADS[half]), cycle(_latin(PAYLOADS[half])), cycle(BODIES[half])
    for turn in range(rounds):
        for number, (technique, kind, narrow, make) in enumerate(TECHNIQUES):
            payload = next(latin) if narrow else next(every)
            yield f"poisoned-{turn}-{number}.{kind}", make(next(bodies), payload), f"{kind} {technique}: {payload}"


def clean(half: str) -> Iterator[Made]:
    """Honest texts in every kind of file, with what honest files hide: remarks, labels, notes, deletions, descriptions."""
    kinds = cycle(("md", "txt", "html", "pdf", "docx", "pptx"))
    harmless = cycle(REMARKS[half])
    for number, body in enumerate(BODIES[half]):
        for turn in range(2):
            kind, remark = next(kinds), next(harmless)
            yield f"clean-{turn}-{number}.{kind}", _with_remark(kind, body, remark), f"{kind}: {body[0]}"
        next(kinds)


def _with_remark(kind: str, body: list[str], remark: str) -> bytes:
    if kind == "md":
        return _markdown(body, f"<!-- {remark} -->\n\n![A chart of survey answers](chart.png?v=2)")
    if kind == "txt":
        return "\n\n".join([body[0].upper(), *body[1:]]).encode()
    if kind == "html":
        label = "<a class='sr-only' href='#main'>Skip to the main content of this page</a><i aria-hidden='true'>*</i>"
        return _html(f"{label}{_paragraphs(body)}<!-- {remark} --><img src='a.png' alt='Teachers at a table with laptops'>")
    if kind == "pdf":
        return _pdf(body, lambda page: _boxed_title(page), title=body[0], subject="Guidance on AI for schools")
    if kind == "docx":
        return _docx(body, lambda d: (_comment(d, remark), _deleted(d, "the old wording of this line")))  # type: ignore[func-returns-value, arg-type]
    return _pptx(body, lambda d: _described(d, "Photo of students working together in the library"))


def _boxed_title(page: canvas.Canvas) -> None:
    page.setFillColorRGB(0.1, 0.2, 0.5)
    page.rect(60, 280, 480, 50, fill=1, stroke=0)
    page.setFillColorRGB(1, 1, 1)
    page.drawString(72, 300, "Questions? Write to the technology office.")
