"""Decides what a file is from its bytes, holds it to the limits, and reads it in a process of its own."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.errors import UnreadableFile
from bot.knowledge.blocks import Block, Extract, Finding

EXTENSIONS = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "text",
    ".text": "text",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".pptx": "pptx",
}
MAX_RATIO = 200
"""An office file that unpacks to more than this many times its size is taken for a zip bomb."""


@dataclass(frozen=True)
class Limits:
    """What a file may cost: bytes, unpacked bytes, pages, characters of text, seconds."""

    file_bytes: int = 50_000_000
    unpacked_bytes: int = 200_000_000
    pages: int = 1_000
    text_chars: int = 3_000_000
    seconds: float = 60.0


def _office_kind(content: bytes, limits: Limits) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries}
            unpacked = sum(entry.file_size for entry in entries)
            encrypted = any(entry.flag_bits & 1 for entry in entries)
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError):
        raise UnreadableFile("the file is damaged: its package cannot be opened", code="damaged") from None
    if unpacked > limits.unpacked_bytes or (unpacked > 20_000_000 and unpacked > MAX_RATIO * len(content)):
        raise UnreadableFile(f"the file unpacks to {unpacked:,} bytes, which looks like a zip bomb", code="zip_bomb")
    if encrypted:
        raise UnreadableFile("the file is protected by a password; save it without one", code="encrypted")
    if "word/document.xml" in names:
        return "docx"
    if "ppt/presentation.xml" in names:
        return "pptx"
    raise UnreadableFile("the file is a package of another kind (not DOCX or PPTX)", code="unsupported")


def kind_of(content: bytes, limits: Limits) -> str | None:
    """The kind the bytes show, or None where text could be any of several. Raises UnreadableFile."""
    if b"%PDF-" in content[:1024]:
        return "pdf"
    if content[:4] == b"PK\x03\x04":
        return _office_kind(content, limits)
    if content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise UnreadableFile("the file is protected by a password; save it without one", code="encrypted")
        raise UnreadableFile("old Office files (.doc, .ppt) are not read; save as DOCX or PPTX", code="unsupported")
    if content[:3] == b"\xff\xd8\xff" or content[:4] in (b"\x89PNG", b"GIF8", b"RIFF", b"II*\x00", b"MM\x00*"):
        raise UnreadableFile("the file is a picture or a recording; it has no text to read", code="unsupported")
    if content[:2] == b"\x1f\x8b" or content[:4] == b"7z\xbc\xaf" or content[:4] == b"Rar!":
        raise UnreadableFile("the file is an archive; add the documents in it one by one", code="unsupported")
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    if not wide and b"\x00" in content[:8192]:
        raise UnreadableFile("the file is not text, HTML, PDF, DOCX or PPTX", code="unsupported")
    head = content[:2048].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html", b"<?xml")) and b"<html" in content[:4096].lower():
        return "html"
    return None


def read(path: Path, limits: Limits) -> tuple[Extract, bytes]:
    """Read a file. Returns what it says, its unseen parts as findings still to be judged, and its bytes (for a checksum).
    Raises UnreadableFile; changes nothing."""
    if not path.is_file():
        raise UnreadableFile(f"there is no file at {path}", code="not_found")
    size = path.stat().st_size
    if size == 0:
        raise UnreadableFile("the file is empty", code="empty")
    if size > limits.file_bytes:
        raise UnreadableFile(
            f"the file has {size:,} bytes; the limit is {limits.file_bytes:,} (SIGNPOST_MAX_FILE_BYTES)",
            code="too_large",
        )
    content = path.read_bytes()
    shown = kind_of(content, limits)
    named = EXTENSIONS.get(path.suffix.lower())
    if named is None and shown is None:
        raise UnreadableFile(
            f"'{path.suffix or path.name}' files are not read; use {', '.join(sorted(EXTENSIONS))}",
            code="unsupported",
        )
    if named is not None and shown is not None and named != shown:
        raise UnreadableFile(f"the name says {named} but the content is {shown}; rename the file", code="mislabelled")
    if named in ("pdf", "docx", "pptx") and shown is None:
        raise UnreadableFile(f"the name says {named} but the content is not; rename the file", code="mislabelled")
    kind = shown or named or "text"
    extract = _in_a_process(path, kind, limits) if kind in ("pdf", "docx", "pptx", "html") else _in_place(content, kind)
    length = sum(len(block.text) for block in extract.blocks)
    if length > limits.text_chars:
        raise UnreadableFile(f"the file has {length:,} characters of text, over the limit", code="too_large")
    if not any(character.isalnum() for block in extract.blocks for character in block.text):
        raise UnreadableFile("no text was found; a scanned document needs text recognition (OCR) first", code="no_text")
    return extract, content


def _in_place(content: bytes, kind: str) -> Extract:
    from bot.knowledge.reading.markdown import read_markdown
    from bot.knowledge.reading.text import decode, read_text

    text, findings = decode(content)
    extract = read_markdown(text) if kind == "markdown" else read_text(text)
    return Extract(extract.media_type, extract.blocks, (*findings, *extract.findings), extract.properties)


def _in_a_process(path: Path, kind: str, limits: Limits) -> Extract:
    """A hostile file can hang or exhaust a parser; a child process with limits contains it."""
    command = [
        sys.executable,
        "-m",
        "bot.knowledge.reading.worker",
        kind,
        json.dumps(asdict(limits)),
        str(path.resolve()),
    ]
    try:
        done = subprocess.run(command, capture_output=True, timeout=limits.seconds, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise UnreadableFile(
            f"reading took longer than {limits.seconds:g} seconds (SIGNPOST_READ_SECONDS)", code="timed_out"
        ) from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise UnreadableFile("the file is damaged: reading it failed", code="damaged") from None
    if "error" in answer:
        raise UnreadableFile(answer["error"]["message"], code=answer["error"]["code"])
    return Extract(
        answer["media_type"],
        tuple(
            Block(kind, text, level, page, anchor, tuple((a, b) for a, b in facts))
            for kind, text, level, page, anchor, facts in answer["blocks"]
        ),
        tuple(Finding(*finding) for finding in answer["findings"]),
        answer["properties"],
    )
