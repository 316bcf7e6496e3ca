"""Writes what the documents show of the program: the README's demo and the evaluation's figures (``python -m tests.readme``).

``tests/test_docs.py`` checks that the demo is current."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "pictures" / "demo.svg"
INK, PAPER = (31, 41, 51), (250, 250, 247)
THEME = TerminalTheme(PAPER, INK, [INK] * 8)


def demo_output(folder: Path) -> str:
    """What ``signpost demo`` prints, without the answers' random ids."""
    environment = {**os.environ, "SIGNPOST_DATA_DIR": str(folder), "SIGNPOST_SAMPLE_ORGANIZATION": "1"}
    done = subprocess.run([sys.executable, "-m", "bot", "demo"], capture_output=True, text=True, check=True, env=environment)
    return re.sub(r"\(answer [0-9a-f]+\)\n", "", done.stdout).strip()


def shown(output: str) -> str:
    """The part of the demo that the README shows: the first question and the last."""
    parts = re.split(r"\n(?=> )", output)
    last = parts[-1].split("\nOpen the web chat", 1)[0]
    return f"{parts[0].strip()}\n\n{last.strip()}"


def picture(text: str) -> str:
    """The demo as a terminal would show it, in SVG."""
    console = Console(width=96, record=True, file=io.StringIO())
    for line in text.splitlines():
        console.print(line, style="bold" if line.startswith("> ") and "(" in line else "", markup=False, highlight=False)
    return console.export_svg(title="make demo", theme=THEME, unique_id="demo")


def figures(folder: Path) -> str:
    """What ``signpost eval`` says of the never-tuned questions."""
    files = [str(path) for path in sorted((ROOT / "tests" / "evals" / "questions").glob("held*.jsonl"))]
    environment = {**os.environ, "SIGNPOST_DATA_DIR": str(folder)}
    command = [sys.executable, "-m", "bot", "eval", *files]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.strip()


def between(path: Path, name: str, text: str) -> None:
    """Put a text between a document's marks."""
    block = f"<!-- {name} -->\n```text\n{text}\n```\n<!-- /{name} -->"
    marks = rf"<!-- {name} -->.*?<!-- /{name} -->"
    path.write_text(re.sub(marks, lambda _: block, path.read_text("utf-8"), flags=re.S), "utf-8")


def main() -> None:
    """Run both in a folder of their own and write the picture and the blocks."""
    with tempfile.TemporaryDirectory() as folder:
        text = shown(demo_output(Path(folder)))
        measured = figures(Path(folder))
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture(text), encoding="utf-8")
    between(ROOT / "README.md", "demo", text)
    between(ROOT / "docs" / "evaluation.md", "figures", measured)


if __name__ == "__main__":
    main()
