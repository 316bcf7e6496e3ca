"""Answers on Teams, each once. Called by the inbox for claimed work, and by whoever speaks first (welcomes, reminders).

Teams' interface has no way to look for a message of ours, so what is known is kept with the row before and after every request:
the stream's id, the ids of posted parts, and that a part is under way. After a lost answer a stream or a known message is
finished or replaced, which is safe to repeat; a part of which nothing is known is never posted again: a short note with a
button that shows the answer takes its place.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import select, update

from bot import prompts
from bot.adapters.teams import cards, helpers_channel, limits, references
from bot.adapters.teams.activities import PRIVATE, bounded, language
from bot.adapters.teams.connector import Activity, Ambiguous, Connector, NotSent, Reference, Sleep, TooLarge
from bot.adapters.teams.render import first_words, render
from bot.adapters.teams.stream import Stopped, Stream
from bot.errors import NotFound
from bot.handoff.channels import HELPER
from bot.inbox import Work
from bot.messages import Answered, Reply
from bot.outbox import Address
from bot.store import Database
from bot.store.conversation_tables import inbox
from bot.store.outbox import To

STREAM, POSTED, UNDER_WAY, NOTED, SORRY, THREAD = "_stream", "_posted", "_under_way", "_noted", "_sorry", "_thread"
"""Keys of what is known, beside the reference in a row's ``reply_to``."""

SMALLER = (limits.BUDGET, limits.BUDGET // 2, limits.BUDGET // 8)
"""Bytes of a message: the usual budget, then less where the platform counts otherwise than we do."""


class TeamsSender:
    """Implements :class:`bot.inbox.Sender`. ``clock`` is monotonic seconds; ``stream_after`` is in seconds."""

    def __init__(
        self,
        connector: Connector,
        database: Database,
        stream_after: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._connector = connector
        self._database = database
        self._stream_after = stream_after
        self._clock = clock
        self._sleep = sleep
        self._openings: dict[int, tuple[Stream, asyncio.Task[None]]] = {}

    async def working(self, work: Work) -> None:
        """A typing sign at once; in a personal chat a stream, once the answer takes longer."""
        to = Reference.of(work.reply_to)
        if to.kind == "personal" and work.attempt == 1 and work.row_id not in self._openings:
            stream = Stream(self._connector, to, self._clock, self._sleep)
            self._openings[work.row_id] = (stream, asyncio.create_task(self._open(work, stream)))
        with contextlib.suppress(NotSent, Ambiguous):
            await self._connector.post(to, {"type": "typing"}, repeat=False)

    async def _open(self, work: Work, stream: Stream) -> None:
        await self._sleep(self._stream_after)
        words = prompts.messages(language(work.reply_to.get("locale", "")))
        if await stream.inform(words.door_working_steps.split("|")[1]):
            await self._note(work, {STREAM: stream.stream_id})

    async def _opened(self, work: Work, known: str) -> Stream | None:
        """The stream of this work where one is open: of this process, or (``known``) of one that ended before it could answer."""
        stream, task = self._openings.pop(work.row_id, (None, None))
        if stream is not None and task is not None:
            if not stream.begun:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            if stream.stream_id:
                return stream
        return Stream(self._connector, Reference.of(work.reply_to), self._clock, self._sleep, known) if known else None

    async def send(self, work: Work, answered: Answered) -> str:
        """Post the reply; returns the id of its last message. Raises NotSent or Ambiguous."""
        to, reply = Reference.of(work.reply_to), answered.reply
        known = await self._known(work)
        if HELPER in work.reply_to:
            return await self._ask_helpers(work, to, answered, known)
        stream = await self._opened(work, known.get(STREAM, ""))
        if (reply.private or PRIVATE in work.reply_to) and to.kind != "personal":
            return await self._privately(work, to, answered, known)
        if stream is not None and not work.maybe_sent and (words := first_words(reply)):
            stream.offer(words)
            await stream.shown()
        posted = known.get(POSTED, "").split()
        if stream is None and known.get(UNDER_WAY) == str(len(posted)):
            return await self._instead(work, to, answered, known)
        for budget in SMALLER:
            made = render(reply, answered.receipt.answer_id, personal=to.kind == "personal", asker=to.user, budget=budget)
            try:
                return await self._parts(work, to, made, posted, stream)
            except TooLarge:
                # Parts that stand cannot be cut anew.
                if posted:
                    raise
        raise NotSent("the answer is too large for Teams in any form", permanent=True)

    async def _parts(self, work: Work, to: Reference, made: list[Activity], posted: list[str], stream: Stream | None) -> str:
        """Post what is not posted yet; ``posted`` grows with it."""
        for number in range(len(posted), len(made)):
            if number == 0 and stream is not None:
                try:
                    posted.append(await stream.finish(made[0]))
                except Stopped as stopped:
                    # What the person stopped stays as it stands, and nothing more of it is sent.
                    return stopped.activity_id
            else:
                posted.append(await self._once(work, UNDER_WAY, str(number), to, made[number]))
            await self._note(work, {POSTED: " ".join(posted), UNDER_WAY: "", STREAM: ""})
        return posted[-1]

    async def _once(self, work: Work, key: str, value: str, to: Reference, activity: Activity, *, targeted: bool = False) -> str:
        """Post with a mark before; the mark goes when the platform certainly took nothing."""
        await self._note(work, {key: value})
        try:
            return await self._connector.post(to, activity, targeted=targeted) or "sent"
        except NotSent:
            await self._note(work, {key: ""})
            raise

    async def _instead(self, work: Work, to: Reference, answered: Answered, known: dict[str, str]) -> str:
        """The note that stands for an answer of which nothing is known. It is not repeated either."""
        if known.get(NOTED):
            return "unknown"
        reply = answered.reply
        said = prompts.messages(reply.language).door_maybe_sent
        activity: Activity = {
            "type": "message",
            "text": said,
            "summary": said,
            "locale": reply.language,
            "attachments": [cards.attachment(cards.unsure(reply.language, answered.receipt.answer_id))],
        }
        return await self._once(work, NOTED, "yes", to, activity)

    async def _privately(self, work: Work, to: Reference, answered: Answered, known: dict[str, str]) -> str:
        """To the asker only: in place where the client can, else in the chat of one."""
        if known.get(UNDER_WAY):
            return await self._instead(work, await self._connector.open_personal(to), answered, known)
        first, *rest = render(answered.reply, answered.receipt.answer_id, personal=True, asker=to.user)
        here: Activity = {"recipient": {"id": to.user}}
        try:
            last = await self._once(work, UNDER_WAY, "0", to, {**first, **here}, targeted=True)
        except NotSent:
            to, here = await self._connector.open_personal(to), {}
            last = await self._once(work, UNDER_WAY, "0", to, first)
        for part in rest:
            last = await self._connector.post(to, {**part, **here}, targeted=bool(here))
        return last

    async def _ask_helpers(self, work: Work, to: Reference, answered: Answered, known: dict[str, str]) -> str:
        """Start a thread with a question; returns its first message's id. When one may stand already, with a note instead."""
        if known.get(POSTED):
            thread = replace(to, conversation=known[THREAD])
            await asyncio.to_thread(helpers_channel.posted, self._database, work, thread)
            return known[POSTED]
        if known.get(NOTED):
            raise NotSent("neither the question nor the note about it is known to stand", permanent=True)
        unsure = bool(known.get(UNDER_WAY))
        answer = answered.receipt.answer_id
        made = [helpers_channel.unsure(answered)] if unsure else render(answered.reply, answer, personal=False)
        mark = NOTED if unsure else UNDER_WAY
        await self._note(work, {mark: "yes"})
        try:
            thread, activity_id = await self._connector.open_thread(to, made[0])
        except NotSent:
            await self._note(work, {mark: ""})
            raise
        await asyncio.to_thread(helpers_channel.posted, self._database, work, thread)
        await self._note(work, {POSTED: activity_id or "sent", THREAD: thread.conversation})
        for part in made[1:]:
            await self._connector.post(thread, part)
        return activity_id or "sent"

    async def apologise(self, work: Work, incident: str) -> None:
        """Say that no answer could be given, once."""
        to = Reference.of(work.reply_to)
        words = prompts.messages(language(to.locale))
        text = words.door_apology.format(incident=incident)
        activity: Activity = {"type": "message", "text": text, "summary": limits.shorten(text, limits.SUMMARY)}
        known = await self._known(work)
        stream = await self._opened(work, known.get(STREAM, ""))
        if stream is not None:
            with contextlib.suppress(Stopped):
                await stream.finish(activity)
        elif known.get(SORRY):
            return
        else:
            await self._once(work, SORRY, incident, to, activity)

    async def address(self, to: To) -> Address:
        """Where a person or place is written to first. Where only a group or channel with a person is known, the chat of one is
        opened, which Teams does once. Raises NotFound where the app is not installed, NotSent, Ambiguous."""
        if HELPER in to.reference:
            there = await asyncio.to_thread(helpers_channel.channel, self._database, to.reference)
            key = bounded(f"teams:{there.tenant}:{there.conversation}", 400)
            return Address(key, {**there.stored(), HELPER: to.reference[HELPER]})
        if to.reference:
            known = Reference.of(to.reference)
        elif to.conversation:
            known = await asyncio.to_thread(references.find, self._database, to.conversation)
        else:
            known = await self._chat_of_one(to.person)
        return Address(to.conversation or bounded(f"teams:{known.tenant}:{known.conversation}", 400), known.stored(), known.zone)

    async def _chat_of_one(self, person: str) -> Reference:
        try:
            return await asyncio.to_thread(references.personal, self._database, person)
        except NotFound:
            seen = await asyncio.to_thread(references.anywhere, self._database, person)
            return await self._connector.open_personal(seen)

    async def say(self, to: Reference, reply: Reply, answer_id: str = "", suggested: Activity | None = None) -> str:
        """Speak first in a conversation that is known, for welcomes and reminders; returns the last message's id. Raises
        NotSent, or Ambiguous when the message may stand: then it is not tried again here."""
        last = ""
        for part in render(reply, answer_id, personal=to.kind == "personal", asker=to.user):
            last = await self._connector.post(to, {**part, **(suggested or {})})
        return last

    async def tell(self, conversation: str, reply: Reply, answer_id: str = "") -> str:
        """Speak first in a conversation by its key (``teams:TENANT:ID``). Raises NotFound where the app is not installed."""
        to = await asyncio.to_thread(references.find, self._database, conversation)
        return await self.say(to, reply, answer_id)

    async def tell_person(self, person: str, reply: Reply, answer_id: str = "") -> str:
        """Speak first to a person in the chat of one. Raises NotFound where there is none."""
        to = await asyncio.to_thread(references.personal, self._database, person)
        return await self.say(to, reply, answer_id)

    async def _known(self, work: Work) -> dict[str, str]:
        """What is kept with the row. A crash may have come since ``work`` was read."""

        def read() -> dict[str, str]:
            with self._database.reading() as connection:
                return dict(connection.execute(select(inbox.c.reply_to).where(inbox.c.id == work.row_id)).scalar() or {})

        return await asyncio.to_thread(read)

    async def _note(self, work: Work, values: dict[str, str]) -> None:
        """Keep something with the row; an empty value forgets it. Committed when this returns."""

        def write() -> None:
            mine = inbox.c.id == work.row_id
            with self._database.writing() as connection:
                kept = dict(connection.execute(select(inbox.c.reply_to).where(mine)).scalar() or {})
                merged = {name: value for name, value in {**kept, **values}.items() if value}
                connection.execute(update(inbox).where(mine).values(reply_to=merged))

        await asyncio.to_thread(write)
