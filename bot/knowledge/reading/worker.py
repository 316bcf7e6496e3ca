"""The child process that reads one file: ``python -m bot.knowledge.reading.worker KIND LIMITS PATH`` prints JSON."""

from __future__ import annotations

import contextlib
import json
import logging
import resource
import sys
import warnings
from dataclasses import astuple
from pathlib import Path

from bot.errors import UnreadableFile
from bot.knowledge.blocks import Extract
from bot.knowledge.reading.files import Limits

MEMORY_BYTES = 3_000_000_000


def read_as(kind: str, path: Path, limits: Limits) -> Extract:
    """Read ``path`` with the reader for ``kind``."""
    if kind == "pdf":
        from bot.knowledge.reading.pdf import read_pdf

        return read_pdf(path, limits)
    if kind == "docx":
        from bot.knowledge.reading.docx import read_docx

        return read_docx(path, limits)
    if kind == "pptx":
        from bot.knowledge.reading.pptx import read_pptx

        return read_pptx(path, limits)
    from bot.knowledge.reading.html import read_html

    return read_html(path.read_bytes())


def main() -> None:
    """Print the extract, or the error, as one JSON object."""
    kind, limits, path = sys.argv[1:4]
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    answer: dict[str, object]
    try:
        extract = read_as(kind, Path(path), Limits(**json.loads(limits)))
        answer = {
            "media_type": extract.media_type,
            "blocks": [astuple(block) for block in extract.blocks],
            "findings": [astuple(finding) for finding in extract.findings],
            "properties": extract.properties,
        }
    except UnreadableFile as error:
        answer = {"error": {"code": error.code, "message": error.message}}
    except Exception as error:  # any parser failure means the same to the person who sent the file
        answer = {"error": {"code": "damaged", "message": f"the file is damaged ({type(error).__name__})"}}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
