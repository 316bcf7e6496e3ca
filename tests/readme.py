"""Writes what the README shows of the demo: ``python -m tests.readme``. ``tests/test_docs.py`` checks that it is current."""

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


def main() -> None:
    """Run the demo in a folder of its own and write the picture and the README's block."""
    with tempfile.TemporaryDirectory() as folder:
        text = shown(demo_output(Path(folder)))
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture(text), encoding="utf-8")
    readme = ROOT / "README.md"
    block = f"<!-- demo -->\n```text\n{text}\n```\n<!-- /demo -->"
    readme.write_text(re.sub(r"<!-- demo -->.*?<!-- /demo -->", lambda _: block, readme.read_text("utf-8"), flags=re.S), "utf-8")


if __name__ == "__main__":
    main()
