"""The ``signpost`` command. Exit status: 0 done, 1 something was found wrong, 2 refused with nothing changed."""

from bot.cli.commands import main

__all__ = ["main"]
