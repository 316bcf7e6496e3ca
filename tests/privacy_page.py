"""The tables of ``docs/privacy.md``, written from the map of what is kept. ``python -m tests.privacy_page`` writes them anew."""

from __future__ import annotations

import re
from pathlib import Path

from bot.personal.map import KEPT, NOTHING_OF_PEOPLE

PAGE = Path(__file__).parent.parent / "docs" / "privacy.md"
PART = re.compile(r"(<!-- map -->\n).*(<!-- /map -->)", re.S)


def tables() -> str:
    """The map as Markdown: a section a table, then the tables that hold nothing of a person."""
    parts = []
    for kept in KEPT.values():
        sealed = dict.fromkeys(kept.sealed, ", sealed")
        rows = [f"| `{name}` | {what}{sealed.get(name, '')} |" for name, what in kept.columns.items()]
        other = f"\nOther columns: {', '.join(f'`{name}`' for name in kept.other)}." if kept.other else ""
        parts.append(
            f"### `{kept.table}`\n\n"
            f"- Why: {kept.why}.\n- How long: {kept.days}.\n- Who can see it: {kept.seen}.\n- How it goes: {kept.gone}.\n\n"
            "| column | what it holds |\n|---|---|\n" + "\n".join(rows) + "\n" + other
        )
    rest = "\n".join(f"| `{name}` | {what} |" for name, what in NOTHING_OF_PEOPLE.items())
    parts.append(f"### Tables that hold nothing of a person\n\n| table | what it holds |\n|---|---|\n{rest}")
    return "\n\n".join(part.strip() for part in parts) + "\n"


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(PART.sub(lambda found: f"{found[1]}\n{tables()}\n{found[2]}", text), encoding="utf-8")
