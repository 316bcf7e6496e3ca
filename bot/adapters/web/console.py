"""The console: one read-only page for the people who run Signpost. Mounted by the server, which knows its doors.

It opens on this machine in development, elsewhere for a signed link with the role ``admin`` (``signpost link --role admin``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

import bot
from bot import prompts
from bot.adapters.web.app import House, language_of, pages, sessions_for
from bot.adapters.web.sessions import is_local
from bot.knowledge.library import utc_now
from bot.store.overview import overview


@dataclass(frozen=True)
class Condition:
    """What the server knows of itself: each door with "open" or why it is not, and what keeps it from being ready."""

    doors: dict[str, str]
    missing: tuple[str, ...]


Look = Callable[[], Awaitable[Condition]]


def routes(app: House, look: Look) -> list[BaseRoute]:
    """The console's address. Always mounted: where nobody may enter, it says how one may."""
    sessions = sessions_for(app.settings)
    shown = pages()

    def may_enter(request: Request) -> bool:
        session = sessions.of(request, utc_now())
        if session is None:
            return False
        # Without a signed link a session is given to this machine only, and only in development.
        return session.role == "admin" or (app.settings.env == "development" and is_local(request))

    async def console(request: Request) -> Response:
        web = prompts.web_words(language_of(request))
        if not may_enter(request):
            refused = shown.get_template("notice.html")
            page = refused.render(web=web, title=web.no_entry_title, text=web.console_no_entry, back=False)
            return HTMLResponse(page, 403)
        condition = await look()
        counts = await asyncio.to_thread(overview, app.database, utc_now().date())
        page = shown.get_template("console.html").render(web=web, condition=condition, counts=counts, version=bot.__version__)
        return HTMLResponse(page, headers={"Cache-Control": "no-store"})

    async def elsewhere(_: Request) -> Response:
        return RedirectResponse("/console", 303)

    return [Route("/console", console, methods=["GET"]), Route("/console/{rest:path}", elsewhere, methods=["GET"])]
