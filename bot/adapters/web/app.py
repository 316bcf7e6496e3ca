"""The web chat's routes. ``routes(app)`` is what the server mounts; everything else is reached from there."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from bot import prompts
from bot.adapters.web import view
from bot.adapters.web.door import WebSender, event
from bot.adapters.web.sessions import CONVERSATION, IDENTITY, Session, Sessions, is_own
from bot.errors import ConfigurationError, FormatError, NotFound
from bot.inbox import Inbox, Received
from bot.knowledge.library import utc_now
from bot.knowledge.opening import open_citation
from bot.messages import Action, Choice, Message, Person, Place
from bot.outbox import Outbox
from bot.settings import Settings
from bot.store import Database
from bot.store.conversations import REASONS, Exchange, exchange, exchanges, give_feedback, spoken
from bot.store.forgotten import pseudonym
from bot.store.packed import unpack_answered

HERE = Path(__file__).parent
MAX_CHARS = 4_000
"""Longest question; a longer one is asked to be shortened."""

MAX_BODY = 64_000
FORM_SECONDS = 8.0
"""A page without JavaScript waits this long for its answer before it shows the sign of work."""

STREAM_SECONDS = 110.0
ARRIVALS, ARRIVALS_LOOK = 10, 1.0
"""How often one request for what is said unasked looks, and the seconds in between."""


class House(Protocol):
    """What this door needs of the whole."""

    @property
    def settings(self) -> Settings:
        """Every setting."""

    @property
    def database(self) -> Database:
        """The database."""

    @property
    def inbox(self) -> Inbox:
        """Where acts are handed in."""


def nothing(_person: Person, _language: str) -> tuple[Choice, ...]:
    """No checks or lessons: an application without ``home_choices``."""
    return ()


def routes(app: House) -> list[BaseRoute]:
    """The web chat's routes. Raises ConfigurationError when it may not open: production needs signed links."""
    if app.settings.env == "production" and app.settings.web_secret is None:
        raise ConfigurationError("SIGNPOST_WEB_SECRET is not set; in production the web chat opens by signed links only")
    return WebChat(app).routes()


def sessions_for(settings: Settings) -> Sessions:
    """Sessions as the settings want them."""
    secret = settings.web_secret.get_secret_value().encode() if settings.web_secret else None
    local = settings.env == "development"
    return Sessions(secret, local=local, organization=settings.organization, days=settings.keep_days)


def pages() -> Environment:
    """The templates; everything shown is escaped."""
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class WebChat:
    """The web chat over one app."""

    def __init__(self, app: House) -> None:
        self._app = app
        self._sessions = sessions_for(app.settings)
        self._sender = WebSender(app.database)
        app.inbox.register("web", self._sender)
        self._outbox = Outbox(app.database, app.inbox, app.settings, utc_now)
        self._pages = pages()

    def routes(self) -> list[BaseRoute]:
        """Every address of the web chat."""
        return [
            Route("/", self.page, methods=["GET"]),
            Route("/ask", self.ask, methods=["POST"]),
            Route("/new", self.new, methods=["POST"]),
            Route("/own", self.own, methods=["GET"]),
            Route("/events/{row:int}", self.events, methods=["GET"]),
            Route("/arrivals", self.arrivals, methods=["GET"]),
            Route("/passages/{answer:str}/{n:int}", self.passage, methods=["GET"]),
            Route("/feedback", self.feedback, methods=["POST"]),
            Route("/pictures/{row:int}", self.picture, methods=["GET"]),
            Route("/enter", self.enter, methods=["GET"]),
            Route("/static/{name:str}", self.static, methods=["GET"]),
        ]

    # -- pages -------------------------------------------------------------------------------------------------------

    async def page(self, request: Request) -> Response:
        """The conversation, with a passage open beside it where one is asked for."""
        session = self._admitted(request, page=True)
        if isinstance(session, Response):
            return session
        language = language_of(request)
        await asyncio.to_thread(self._outbox.shown, session.as_person().id, "web", session.conversation)
        past = await asyncio.to_thread(exchanges, self._app.database, session.conversation)
        turns = [view.turn(line, language) for line in past]
        opened = await asyncio.to_thread(self._opened, request.query_params.get("open", ""), language)
        text = self._render(
            "conversation.html",
            language,
            turns=turns,
            opened=opened,
            working=any(turn.working for turn in turns),
            reasons=REASONS,
            key=secrets.token_urlsafe(12),
            thanks=request.query_params.get("thanks", ""),
        )
        return self._kept(HTMLResponse(text), session, request)

    async def own(self, request: Request) -> Response:
        """A person's checks and lessons: begin or go on, results, delete. Each button leads back into the conversation."""
        session = self._admitted(request, page=True)
        if isinstance(session, Response):
            return session
        language = language_of(request)
        home = getattr(self._app, "home_choices", nothing)
        choices = await asyncio.to_thread(home, session.as_person(), language)
        text = self._render("own.html", language, choices=choices, key=secrets.token_urlsafe(12))
        return self._kept(HTMLResponse(text), session, request)

    def _opened(self, wanted: str, language: str) -> view.Passage | None:
        answer, _, number = wanted.partition(".")
        if not number.isdigit() or len(number) > 3:
            return None
        try:
            return view.passage(open_citation(self._app.database, answer, int(number)), answer, language)
        except NotFound:
            return None

    async def passage(self, request: Request) -> Response:
        """A passage alone, for the script that opens it beside the answer."""
        if isinstance(refused := self._admitted(request), Response):
            return refused
        language = language_of(request)
        wanted = f"{request.path_params['answer']}.{request.path_params['n']}"
        opened = await asyncio.to_thread(self._opened, wanted, language)
        if opened is None:
            return self._said(language, "missing", 404)
        return HTMLResponse(self._render("passage.html", language, opened=opened))

    async def picture(self, request: Request) -> Response:
        """A reply's picture."""
        session = self._admitted(request)
        if isinstance(session, Response):
            return session
        line = await self._own_exchange(request.path_params["row"], session)
        made = unpack_answered(line.answered).reply.picture if line is not None and line.answered else None
        if made is None:
            return self._said(language_of(request), "missing", 404)
        return Response(made.png, media_type="image/png", headers={"Cache-Control": "private, max-age=86400"})

    async def static(self, request: Request) -> Response:
        """The style sheet, the script and the mark."""
        name = request.path_params["name"]
        if name not in ("signpost.css", "signpost.js", "signpost.svg"):
            return self._said(language_of(request), "missing", 404)
        return FileResponse(HERE / "static" / name, headers={"Cache-Control": "public, max-age=300"})

    async def enter(self, request: Request) -> Response:
        """A signed link: the browser becomes a person of its own with what the link grants."""
        identity = self._sessions.enter(request.query_params.get("key", ""), utc_now())
        if identity is None:
            return self._said(language_of(request), "no_entry", 403)
        response = RedirectResponse("/", 303)
        self._sessions.remember(response, IDENTITY, identity, secure=request.url.scheme == "https")
        return response

    # -- acts --------------------------------------------------------------------------------------------------------

    async def ask(self, request: Request) -> Response:
        """Take in a question or a pressed button. Answers with JSON for the script, else with the page once it is answered."""
        session = self._admitted(request, acts=True)
        if isinstance(session, Response):
            return session
        language = language_of(request)
        scripted = "application/json" in request.headers.get("accept", "")
        try:
            fields = await _form(request)
            text, value = fields.get("text", "").strip(), fields.get("action", "").strip()
            if not (text or value) or len(text) > MAX_CHARS or len(value) > MAX_CHARS:
                web = prompts.web_words(language)
                raise FormatError(web.too_long if text or value else web.blank, where="")
        except FormatError as error:
            problem = error.message.removeprefix(": ")
            return JSONResponse({"problem": problem}, 422) if scripted else RedirectResponse("/", 303)
        act = _received(session, text, value, fields.get("key", ""), language)
        accepted = await self._app.inbox.accept(act)
        if not scripted:
            async for done in self._sender.waits(accepted.row_id, FORM_SECONDS):
                if done:
                    break
            return self._kept(RedirectResponse(f"/#r{accepted.row_id}", 303), session, request)
        line = await self._own_exchange(accepted.row_id, session)
        shown = self._turn(line, language) if line is not None else ""
        body = {"row": accepted.row_id, "html": shown, "key": secrets.token_urlsafe(12)}
        return self._kept(JSONResponse(body), session, request)

    async def new(self, request: Request) -> Response:
        """Begin a new conversation."""
        session = self._admitted(request, acts=True)
        if isinstance(session, Response):
            return session
        return self._kept(RedirectResponse("/", 303), replace(session, talk=secrets.token_urlsafe(12)), request)

    async def feedback(self, request: Request) -> Response:
        """One person's verdict on one answer."""
        session = self._admitted(request, acts=True)
        if isinstance(session, Response):
            return session
        language = language_of(request)
        try:
            fields = await _form(request)
            helpful = {"up": True, "down": False}[fields.get("verdict", "")]
            reason = "" if helpful else fields.get("reason", "")
            person, now = session.as_person().id, utc_now().timestamp()
            answer = fields.get("answer", "")
            await asyncio.to_thread(give_feedback, self._app.database, answer, person, helpful, now, reason)
        except (FormatError, KeyError, NotFound):
            return self._said(language, "missing", 404)
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"said": prompts.messages(language).door_thanks})
        return RedirectResponse(f"/?thanks={answer}#a{answer}", 303)

    async def events(self, request: Request) -> Response:
        """The stream of one exchange: ``part`` for each inspected block, then ``done`` with the whole, or a beat while
        nothing is ready. Asked again after a break, it begins again; the script replaces what it has."""
        session = self._admitted(request)
        if isinstance(session, Response):
            return session
        row_id = request.path_params["row"]
        if await self._own_exchange(row_id, session) is None:
            return self._said(language_of(request), "missing", 404)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        stream = self._stream(row_id, session, language_of(request))
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    async def _stream(self, row_id: int, session: Session, language: str) -> AsyncIterator[str]:
        yield "retry: 1000\n\n"
        async for done in self._sender.waits(row_id, STREAM_SECONDS):
            if not done:
                yield ": still here\n\n"
                continue
            line = await self._own_exchange(row_id, session)
            if line is None:
                yield event("done", {"html": ""})
                return
            turn = view.turn(line, language)
            for number, part in enumerate(turn.shown.parts if turn.shown else ()):
                yield event("part", {"n": str(number), "html": str(part)})
            yield event("done", {"html": self._turn(line, language)})

    async def arrivals(self, request: Request) -> Response:
        """What is said unasked while a page is open, a helper's answer above all: ``said`` for each, in order, from behind the
        row that the page names. It ends soon and is asked again, so that a server which stops need not wait for it."""
        session = self._admitted(request)
        if isinstance(session, Response):
            return session
        after = request.headers.get("last-event-id") or request.query_params.get("after", "")
        known = int(after) if after.isdigit() and len(after) < 16 else 0
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        stream = self._arrivals(session, known, language_of(request))
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    async def _arrivals(self, session: Session, after: int, language: str) -> AsyncIterator[str]:
        yield "retry: 1000\n\n"
        for _ in range(ARRIVALS):
            await asyncio.to_thread(self._outbox.shown, session.as_person().id, "web", session.conversation)
            for line in await asyncio.to_thread(spoken, self._app.database, session.conversation, after):
                after = line.row_id
                data = {"row": str(after), "html": self._turn(line, language)}
                yield f"id: {after}\n{event('said', data)}"
            await asyncio.sleep(ARRIVALS_LOOK)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _turn(self, line: Exchange, language: str) -> str:
        turn = view.turn(line, language)
        key = secrets.token_urlsafe(12)
        return self._render("turn.html", language, turn=turn, reasons=REASONS, key=key, thanks="")

    async def _own_exchange(self, row_id: int, session: Session) -> Exchange | None:
        """An exchange, if it is this browser's own."""
        line = await asyncio.to_thread(exchange, self._app.database, row_id)
        mine = session.as_person().id
        return line if line is not None and line.person in (mine, pseudonym(mine)) else None

    def _admitted(self, request: Request, *, page: bool = False, acts: bool = False) -> Session | Response:
        """The request's session, or the page that says why there is none."""
        session = self._sessions.of(request, utc_now())
        if session is None or (session.fresh and not page and not acts):
            return self._said(language_of(request), "no_entry", 403)
        if acts and not is_own(request):
            return self._said(language_of(request), "wrong_place", 403)
        return session

    def _kept(self, response: Response, session: Session, request: Request) -> Response:
        """The response with the browser's cookies, where they are new or changed."""
        secure = request.url.scheme == "https"
        if session.fresh:
            self._sessions.remember(response, IDENTITY, session.fresh, secure=secure)
        if request.cookies.get(CONVERSATION) != session.talk:
            self._sessions.remember(response, CONVERSATION, session.talk, secure=secure)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def _said(self, language: str, what: str, status: int) -> Response:
        web = prompts.web_words(language)
        title, text = getattr(web, f"{what}_title"), getattr(web, f"{what}_text")
        return HTMLResponse(self._render("notice.html", language, title=title, text=text, back=status == 404), status)

    def _render(self, template: str, language: str, **values: object) -> str:
        values.setdefault("thanks", "")
        page = self._pages.get_template(template)
        return page.render(web=prompts.web_words(language), words=prompts.messages(language), **values)


def _received(session: Session, text: str, value: str, key: str, language: str) -> Received:
    """The act as the inbox takes it. The form's key makes a second sending of the same form the same act."""
    message = Message(
        text=text,
        organization=session.organization,
        role=session.role,
        person=session.as_person(),
        place=Place("web", channel=session.talk),
        language=language if value else None,
        action=Action(value) if value else None,
        at=utc_now(),
    )
    pressed = (
        f":{hashlib.sha256(value.encode()).hexdigest()[:24]}" if value else ""
    )  # whoever posts it could write anything in it
    identity = (
        f"web:{session.person}:{hashlib.sha256(key.encode()).hexdigest()[:24] if key else secrets.token_urlsafe(12)}{pressed}"
    )
    return Received("web", identity, session.conversation, message, sent_at=utc_now())


def language_of(request: Request) -> str:
    """The page's language: Spanish where the browser asks for it first, else English."""
    first = request.headers.get("accept-language", "").split(",")[0].split(";")[0].strip().lower()
    return "es" if first.startswith("es") else "en"


async def _form(request: Request) -> dict[str, str]:
    """The fields of a posted form. Raises FormatError for anything else, or when it is too long."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise FormatError("expected a form", where="form")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise FormatError("the form is too long", where="form")
    try:
        return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=20))
    except ValueError:
        raise FormatError("the form cannot be read", where="form") from None
