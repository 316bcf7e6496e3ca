"""The command that copies the data directory's database while the server runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.output import refusals, say


def backup(
    path: Annotated[Path, typer.Argument(help="A new file, or a folder that gets one named by the time.")],
    json_wanted: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
) -> None:
    """Copy the database, consistent and checked, also while the server runs."""
    with refusals(json_wanted):
        from bot.knowledge.library import utc_now
        from bot.settings import load
        from bot.store.backup import back_up

        made = back_up(load().url, path, utc_now())
        size = made.stat().st_size
        text = f"{made} ({size:,} bytes). It holds everything; keep it as safe as the data directory."
        say({"path": str(made), "bytes": size}, json_wanted=json_wanted, text=text)


def register(cli: typer.Typer) -> None:
    """Add this command to the command line."""
    cli.command()(backup)
