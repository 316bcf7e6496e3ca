"""The commands of the running server: serve, link, and the inbox as an operator sees it."""

from __future__ import annotations

import logging
import os
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import Annotated, Optional

import typer

from bot.cli.output import Bar, refusals, say
from bot.errors import ConfigurationError, NotFound

inbox = typer.Typer(help="Messages that were accepted.", no_args_is_help=True, rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


def serve(
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on.", min=0, max=65_535)] = 8080,
) -> None:
    """Open every door that has its secrets: Slack, Teams, the web chat."""
    with refusals(False):
        from bot.app import App
        from bot.server import run

        # Only what we log ourselves is known to hold no message text: other libraries speak up from warnings on.
        logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
        logging.getLogger("signpost").setLevel(logging.INFO)
        sys.stderr.write(f"Signpost at http://{f'[{host}]' if ':' in host else host}:{port}\n")
        run(App(progress=Bar()), host, port)
        _leave()


def _leave() -> None:
    """End with status 0 although a thread may still load the library or think about an abandoned question: nothing waits for
    such a thread, and the interpreter cannot be taken down around one that is inside a library."""
    if any(thread.daemon and thread is not threading.current_thread() for thread in threading.enumerate()):
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def link(
    url: Annotated[str, typer.Option("--url", help="Where people reach the web chat, as https://host.")],
    org: Annotated[Optional[str], typer.Option("--org", help="Organization whose own documents come first.")] = None,  # noqa: UP045
    role: Annotated[Optional[str], typer.Option("--role", help="educator, leader or admin.")] = None,  # noqa: UP045
    days: Annotated[int, typer.Option("--days", help="Days until the link ends.", min=1, max=3_650)] = 90,
) -> None:
    """Make a signed link to the web chat. Each browser that opens it becomes a person of its own."""
    with refusals(False):
        from bot.adapters.web.app import sessions_for
        from bot.settings import load

        settings = load()
        if settings.web_secret is None:
            raise ConfigurationError("SIGNPOST_WEB_SECRET is not set; links are signed with it")
        if role not in (None, "educator", "leader", "admin"):
            raise ConfigurationError("--role is educator, leader or admin")
        until = datetime.now(UTC) + timedelta(days=days)
        key = sessions_for(settings).link(org or settings.organization, role, until)
        say(None, json_wanted=False, text=f"{url.rstrip('/')}/enter?key={key}")


@inbox.command("list")
def inbox_list(
    failed: Annotated[bool, typer.Option("--failed", help="Only those that ended with an apology.")] = False,
    json_wanted: Json = False,
) -> None:
    """Show accepted messages, newest first: states and incidents, never words."""
    with refusals(json_wanted):
        from bot.app import App
        from bot.inbox import ledger

        with App().database.reading() as connection:
            rows = ledger.listed(connection, failed=failed)
        if json_wanted:
            for row in rows:
                say(row, json_wanted=True)
            return
        for row in rows:
            at = datetime.fromtimestamp(row["received_at"], UTC).isoformat(timespec="seconds")
            parts = (row["id"], at, row["platform"], row["state"], f"tries {row['attempts']}", row["incident"], row["reason"])
            say(None, json_wanted=False, text="  ".join(str(part) for part in parts if part is not None))
        if not rows:
            say(None, json_wanted=False, text="Nothing.")


@inbox.command("retry")
def inbox_retry(row: Annotated[int, typer.Argument(help="The number shown by list.")], json_wanted: Json = False) -> None:
    """Answer a failed message after all; the running server takes it up."""
    with refusals(json_wanted):
        from bot.app import App
        from bot.inbox import ledger

        with App().database.writing() as connection:
            if not ledger.retry(connection, row):
                raise NotFound(f"message {row} has not failed, or its words were not kept")
        say({"id": row, "state": "received"}, json_wanted=json_wanted, text=f"Message {row} will be answered.")


def register(cli: typer.Typer) -> None:
    """Add these commands to the command line."""
    cli.command()(serve)
    cli.command()(link)
    cli.add_typer(inbox, name="inbox")
