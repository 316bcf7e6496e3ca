"""A streamed message in a personal chat: a sign of work, then the growing text, then the final message. Called by ``send``.

The platform's rules (Teams, "Stream agent messages"): each text holds all earlier text; one request at a time, at most one a
second (we leave 1.5); two minutes in all; the final message alone may carry labels, citations and cards. A stream that cannot
go on is finished by replacing its message, except when the person stopped it: then what stands there stays.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from bot.adapters.teams.connector import Activity, Ambiguous, Connector, NotSent, Reference, Sleep, StreamRefused, TooLarge

PACE_SECONDS = 1.5
LIFE_SECONDS = 110.0


class Stopped(Exception):
    """The person pressed Stop. ``activity_id`` is the message that stands."""

    def __init__(self, activity_id: str) -> None:
        super().__init__("stopped")
        self.activity_id = activity_id


class Stream:
    """One streamed message. ``clock`` is monotonic seconds; ``stream_id`` names a stream that was opened before."""

    def __init__(
        self, connector: Connector, to: Reference, clock: Callable[[], float], sleep: Sleep, stream_id: str = ""
    ) -> None:
        self._connector = connector
        self._to = to
        self._clock = clock
        self._sleep = sleep
        self.stream_id = stream_id
        self._sequence = 0
        self._text = self._offered = ""
        self._last = float("-inf")
        self._opened = clock()
        self._dead: str | None = None
        self._flight = asyncio.Lock()
        self._pump: asyncio.Task[None] | None = None

    @property
    def begun(self) -> bool:
        """Whether anything has been sent."""
        return self._sequence > 0

    async def inform(self, words: str) -> bool:
        """Open the stream with a sign of work; True when it is open. Never raises."""
        with contextlib.suppress(NotSent, Ambiguous):
            await self._piece(words, "informative")
        return bool(self.stream_id) and self._dead is None

    def offer(self, text: str) -> None:
        """More of the answer: ``text`` is all of it so far. Sent when the pace allows; the newest wins."""
        if not text.startswith(self._offered) or text == self._offered:
            return
        self._offered = text
        if self._dead is None and (self._pump is None or self._pump.done()):
            self._pump = asyncio.create_task(self._run())

    async def _run(self) -> None:
        with contextlib.suppress(NotSent, Ambiguous):
            while self._dead is None and self._text != self._offered:
                await self._piece(self._offered, "streaming")

    async def shown(self) -> None:
        """Wait until all that was offered is on its way."""
        if self._pump is not None:
            await self._pump

    async def _piece(self, text: str, kind: str) -> None:
        info: dict[str, Any] = {"type": "streaminfo", "streamType": kind}
        if self.stream_id:
            info["streamId"] = self.stream_id
        async with self._flight:
            await self._paced()
            # Words offered while waiting go along: the newest text holds all the older ones.
            text = self._offered if kind == "streaming" else text
            self._sequence += 1
            activity = {"type": "typing", "text": text, "entities": [{**info, "streamSequence": self._sequence}]}
            try:
                made = await self._connector.post(self._to, activity)
            except StreamRefused as refused:
                self._dead = refused.kind
                raise
            except TooLarge:
                self._dead = "too_large"
                raise
            finally:
                self._last = self._clock()
            self.stream_id = self.stream_id or made
            if kind == "streaming":
                self._text = text

    async def _paced(self) -> None:
        wait = self._last + PACE_SECONDS - self._clock()
        if wait > 0:
            await self._sleep(wait)

    async def finish(self, activity: Activity) -> str:
        """The final message; returns its id. Raises Stopped, TooLarge, NotSent or Ambiguous (ask again: it is the same
        message, and a finished stream says so)."""
        if self._pump is not None and not self._pump.done():
            await self._pump
        if self._dead == "cancelled":
            raise Stopped(self.stream_id)
        if not self.stream_id or self._dead == "not_allowed":
            return await self._instead(activity)
        if self._dead is not None or self._clock() - self._opened > LIFE_SECONDS:
            return await self._connector.put(self._to, self.stream_id, activity)
        info = {"type": "streaminfo", "streamId": self.stream_id, "streamType": "final"}
        final = {**activity, "entities": [info, *activity.get("entities", [])]}
        async with self._flight:
            await self._paced()
            try:
                await self._connector.post(self._to, final)
            except StreamRefused as refused:
                return await self._after(refused.kind, activity)
            finally:
                self._last = self._clock()
        return self.stream_id

    async def _after(self, kind: str, activity: Activity) -> str:
        self._dead = kind
        if kind == "cancelled":
            raise Stopped(self.stream_id)
        if kind == "too_large":
            raise TooLarge("the message is too large for Teams", permanent=True)
        if kind == "not_allowed":
            return await self._instead(activity)
        # Completed before (an answer of the platform was lost) or out of time: the message is there, so replace it.
        return await self._connector.put(self._to, self.stream_id, activity)

    async def _instead(self, activity: Activity) -> str:
        """Streaming is not to be had here: a plain message."""
        return await self._connector.post(self._to, activity)
