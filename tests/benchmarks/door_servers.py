"""The servers that ``door_load`` measures, each run in a process of its own:

``bare``: a Bolt app that only acknowledges. ``door``: the whole server and its Slack door with the durable inbox, a turn that
answers at once, and a sender that only counts. ``whole``: the whole server, library and all, posting to a Slack double.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from tests.doubles.slack import SECRET, TOKEN

KINDS = ("bare", "door", "whole")


def bare() -> Any:
    """A Bolt app that only acknowledges."""
    from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
    from slack_bolt.async_app import AsyncApp
    from slack_bolt.authorization import AuthorizeResult
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def authorize(**_: Any) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T01", bot_token=TOKEN, bot_user_id="U0BOT")

    bolt = AsyncApp(signing_secret=SECRET, authorize=authorize)

    @bolt.event("message")
    async def _message() -> None:
        return None

    handler = AsyncSlackRequestHandler(bolt)

    async def events(arrived: Request) -> Response:
        return await handler.handle(arrived)

    return Starlette(routes=[Route("/slack/events", events, methods=["POST"])])


def settings(folder: Path, slack: str) -> Any:
    """Settings for load: one workspace, no rate limits."""
    from pydantic import SecretStr

    from bot.settings import Settings

    return Settings(
        _env_file=None,  # type: ignore[call-arg]
        data_dir=folder,
        slack_bot_token=SecretStr(TOKEN),
        slack_signing_secret=SecretStr(SECRET),
        slack_api_url=slack or "http://127.0.0.1:9/api/",
        limit_person=0,
        limit_organization=0,
    )


def door(folder: Path) -> Any:
    """The server with a turn that answers at once and a platform that counts what is posted."""
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    from bot.app import App
    from bot.inbox import Work
    from bot.messages import Answered
    from bot.server import Server
    from tests.doubles.inbox import Thinker

    posted: Counter[str] = Counter()

    class Counting:
        async def working(self, work: Work) -> None:
            pass

        async def send(self, work: Work, answered: Answered) -> str:
            posted[work.identity] += 1
            return "x"

        async def apologise(self, work: Work, incident: str) -> None:
            posted["apologies"] += 1

    class Quick(Server):
        def _load(self) -> None:
            pass

    app = App(settings(folder, ""))
    app.__dict__["turn"] = Thinker()
    server = Quick(app)
    app.inbox.register("slack", Counting())

    async def counts(_: Request) -> JSONResponse:
        return JSONResponse({"posts": sum(posted.values()), "acts": len(posted), "apologies": posted["apologies"]})

    server.asgi.router.routes.insert(0, Route("/counts", counts))
    return server.asgi


def whole(folder: Path, slack: str) -> Any:
    """Everything a user meets, without a model."""
    from bot.app import App
    from bot.server import Server

    return Server(App(settings(folder, slack))).asgi


def main() -> None:
    """Run one of the servers."""
    import uvicorn

    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--slack", default="")
    given = parser.parse_args()
    made = {"bare": bare, "door": lambda: door(given.folder), "whole": lambda: whole(given.folder, given.slack)}[given.kind]()
    uvicorn.run(made, port=given.port, log_level="error", access_log=False, timeout_keep_alive=600)


if __name__ == "__main__":
    main()
