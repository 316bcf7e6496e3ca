"""Answers go out: a sign of work, one message (or its parts), looked for before it is posted again. The inbox calls it.

A post may arrive although the call failed. So the client never retries, every message of ours carries its inbox row in its
metadata, and after an unclear failure the conversation is searched for it first (docs.slack.dev/messaging/message-metadata).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot import prompts
from bot.adapters import markdown_tree as tree
from bot.adapters.slack import render, stream
from bot.adapters.slack.api import LOST, Api, Busy, Refused, Unclear, Unreachable
from bot.adapters.slack.limits import MARKDOWN
from bot.adapters.slack.marks import metadata, parts_of, picture_name
from bot.adapters.slack.render import Frame, Post
from bot.errors import NotFound
from bot.handoff.channels import HELPER
from bot.inbox import NotSent, Work
from bot.messages import Answered, Handling, Outcome, Reply
from bot.outbox import Address
from bot.store.outbox import To

Json = dict[str, Any]

STATUS_SECONDS = 0.9
"""A sign of work that takes longer is no sign."""
LOOK_BACK = 100
"""Messages of a thread that are searched for one of ours."""
PERMANENT = LOST | {"channel_not_found", "not_in_channel", "is_archived", "not_installed", "missing_scope", "no_permission"}
TOO_MUCH = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long"})
NO_STREAM = frozenset({"unknown_method", "method_not_supported_for_channel_type", "not_allowed_token_type", "missing_scope"})
CLOSED = frozenset({"message_not_in_streaming_state", "streaming_state_conflict"})

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Spot:
    """Where an answer goes."""

    team: str
    enterprise: str
    channel: str
    thread: str
    user: str
    kind: str
    response_url: str
    aloud: str = ""

    @classmethod
    def of(cls, reply_to: dict[str, str]) -> Spot:
        """The place an inbox row names."""
        names = ("team", "enterprise", "channel", "thread", "user", "kind", "response_url", "aloud")
        return cls(*(reply_to.get(name, "") for name in names))

    @property
    def at(self) -> dict[str, str]:
        """The workspace, as calls take it."""
        return {"team": self.team, "enterprise": self.enterprise}

    @property
    def place(self) -> dict[str, str]:
        """The channel and thread, as posting takes them."""
        return {"channel": self.channel} | ({"thread_ts": self.thread} if self.thread else {})

    @property
    def shown(self) -> Json:
        """Whether a reply in a thread is shown to the whole channel too."""
        return {"reply_broadcast": True} if self.thread and self.aloud else {}


class SlackSender:
    """Implements the inbox's Sender for Slack. ``stream_chars``: longer answers in direct messages are streamed, 0 never.
    ``remember`` keeps, before an answer goes out, with whom and where its conversation is held; ``known`` says what is kept of
    a person's direct messages or of a conversation; ``posted`` is told the workspace and ts of a question to helpers. All run
    in a thread."""

    def __init__(
        self,
        api: Api,
        stream_chars: int,
        remember: Callable[[Work], None] = lambda _work: None,
        known: Callable[[To], dict[str, str]] = lambda _to: {},
        posted: Callable[[Work, str, str], None] = lambda _work, _team, _ts: None,
    ) -> None:
        self._api = api
        self._stream_chars = stream_chars
        self._remember = remember
        self._known = known
        self._posted = posted
        self._no_stream: set[str] = set()

    async def working(self, work: Work) -> None:
        """The status line under the question, within a second or not at all."""
        spot = Spot.of(work.reply_to)
        if not spot.thread or work.reply_to.get("private"):
            return
        words = prompts.messages(work.message.language or "en")
        steps = words.door_working_steps.split("|")
        status = self._api.call(
            "assistant.threads.setStatus",
            **spot.at,
            channel_id=spot.channel,
            thread_ts=spot.thread,
            status=words.door_working,
            loading_messages=steps,
        )
        await asyncio.wait_for(status, STATUS_SECONDS)

    async def send(self, work: Work, answered: Answered) -> str:
        """Post the reply once. Returns the ts of its first message."""
        reply = answered.reply
        if reply.fixed != "forgotten":
            await asyncio.to_thread(self._remember, work)
        private = self._private(work, reply)
        frame = render.frame_for(reply, answered.receipt.answer_id, share=private and bool(work.reply_to.get("share")))
        try:
            ts = await self._send(work, reply, frame, private)
            if HELPER in work.reply_to:
                await self._tell_posted(work, ts)
            return ts
        except Busy as error:
            raise NotSent(error.message, retry_after=error.seconds) from None
        except Unreachable as error:
            raise NotSent(error.message) from None
        except Refused as error:
            raise NotSent(error.message, permanent=error.error in PERMANENT) from None

    async def _tell_posted(self, work: Work, ts: str) -> None:
        """Before the row ends: what is written below the question from now on is its answer."""
        spot = Spot.of(work.reply_to)
        workspace = await self._api.workspace(spot.team, spot.enterprise)
        team = spot.team or (workspace.team if workspace else "")
        await asyncio.to_thread(self._posted, work, team, ts)

    async def apologise(self, work: Work, incident: str) -> None:
        """Say that no answer could be given, with the incident id."""
        words = prompts.messages(work.message.language or "en")
        text = words.door_apology.format(incident=incident)
        reply = Reply(Outcome.REFUSED, Handling.ANSWER, text, words.language, fixed="apology")
        private = self._private(work, reply)
        if work.maybe_sent and work.answered is not None and not private:
            there = await self._ours(Spot.of(work.reply_to), str(work.row_id), work.answered.reply)
            if "1" in there:
                return
        await self._send(work, reply, Frame(feedback=False), private, name=f"{work.row_id}:apology")

    async def address(self, to: To) -> Address:
        """Where a person or place is written to first. A person's direct messages are opened where they are not known; asking
        again gives the same. Raises NotFound for a person or place that this workspace does not have, NotSent, Unclear."""
        known = to.reference or await asyncio.to_thread(self._known, to)
        if not known and to.person.count(":") == 2:
            known = await self._opened(*to.person.split(":")[1:])
        if not known.get("channel"):
            raise NotFound("no way to that person or place is known")
        if not to.reference and not to.conversation:
            known = {name: value for name, value in known.items() if name != "thread"}
        key = f"slack:{known.get('team', '')}:{known['channel']}"
        if known.get("thread") and known.get("kind") != "personal":
            key = f"{key}:{known['thread']}"
        zone = await self._zone(Spot.of(known)) if to.person and known.get("kind") == "personal" else ""
        return Address(to.conversation or key, known, zone)

    async def _zone(self, spot: Spot) -> str:
        """A person's time zone as their profile says; empty where it does not."""
        try:
            about = await self._api.call("users.info", **spot.at, user=spot.user)
        except (Refused, Busy, Unclear, Unreachable):
            return ""
        return str((about.get("user") or {}).get("tz") or "")

    async def _opened(self, team: str, user: str) -> dict[str, str]:
        try:
            opened = await self._api.call("conversations.open", team=team, enterprise="", users=user)
        except Busy as error:
            raise NotSent(error.message, retry_after=error.seconds) from None
        except Unreachable as error:
            raise NotSent(error.message) from None
        except Refused as error:
            raise NotSent(error.message, permanent=True) from None
        channel = str((opened.get("channel") or {}).get("id", ""))
        return {"team": team, "channel": channel, "user": user, "kind": "personal"}

    async def say(
        self, where: dict[str, str], reply: Reply, key: str, frame: Frame | None = None, *, maybe_said: bool = False
    ) -> str:
        """Say something that answers no inbox row, once for each ``key``: a shared answer, a question to a helper, a
        reminder. ``where`` is a row's ``reply_to`` or a stored reference. Returns its ts; raises what a call raises."""
        spot = Spot.of(where)
        frame = frame or render.frame_for(reply, "")
        found = await self._ours(spot, key, reply) if maybe_said else {}
        first = await self._parts(spot, reply, frame, key, found)
        if reply.picture is not None and "picture" not in found:
            await self._picture(spot, reply, key, first)
        return first

    @staticmethod
    def _private(work: Work, reply: Reply) -> bool:
        """Whether only the asker may see it. What nobody asked us by name is answered aloud only with an answer."""
        if work.reply_to.get("response_url") or work.reply_to.get("private"):
            return True
        if work.reply_to.get("kind") == "personal":
            return False
        return reply.private or (bool(work.reply_to.get("listening")) and reply.outcome is not Outcome.ANSWERED)

    async def _send(self, work: Work, reply: Reply, frame: Frame, private: bool, name: str = "") -> str:
        spot = Spot.of(work.reply_to)
        row = name or str(work.row_id)
        if private:
            return await self._whisper(spot, reply, frame)
        found = await self._ours(spot, row, reply) if work.maybe_sent else {}
        if not found and self._streams(spot, reply):
            ts = await self._stream(spot, reply, frame, row)
            if ts:
                return ts
        if "stream" in found:
            return await self._mend(spot, found["stream"], reply, frame, row)
        first = await self._parts(spot, reply, frame, row, found)
        if reply.picture is not None and "picture" not in found:
            await self._picture(spot, reply, row, first)
        return first

    # -- posting ------------------------------------------------------------------------------------------------------

    async def _parts(self, spot: Spot, reply: Reply, frame: Frame, row: str, found: dict[str, str]) -> str:
        """Every part of the reply that is not there yet, in order."""
        posts = render.posts(reply, frame)
        first = found.get("1", "")
        for n, post in enumerate(posts, 1):
            if str(n) in found:
                continue
            try:
                ts = await self._post(spot, post, row, n)
            except (Refused, Busy, Unreachable) as error:
                if n == 1 and isinstance(error, Refused) and error.error in TOO_MUCH:
                    return await self._bare(spot, reply, frame, row)
                if n == 1:
                    raise
                # Part of it stands already: the next attempt must look before it posts.
                raise Unclear(error.message) from None
            first = first or ts
        return first

    async def _bare(self, spot: Spot, reply: Reply, frame: Frame, row: str) -> str:
        """The words alone, where a workspace does not take the blocks."""
        _log.warning("slack refused the blocks of an answer; it was sent as text")
        first = ""
        for n, post in enumerate(render.without_blocks(reply, frame), 1):
            ts = await self._post(spot, post, row, n)
            first = first or ts
        return first

    async def _post(self, spot: Spot, post: Post, row: str, part: int) -> str:
        body: Json = {
            **spot.place,
            **spot.shown,
            "text": post.text,
            "mrkdwn": False,
            "unfurl_links": False,
            "unfurl_media": False,
            "metadata": metadata(row, str(part)),
        }
        if post.blocks:
            body["blocks"] = list(post.blocks)
        try:
            answer = await self._api.call("chat.postMessage", **spot.at, **body)
        except Refused as error:
            if error.error not in ("thread_not_found", "cannot_reply_to_message") or "thread_ts" not in body:
                raise
            del body["thread_ts"]
            body.pop("reply_broadcast", None)
            answer = await self._api.call("chat.postMessage", **spot.at, **body)
        return str(answer.get("ts", ""))

    async def _whisper(self, spot: Spot, reply: Reply, frame: Frame) -> str:
        """An answer for one person. Slack keeps no record of these, so one cannot be looked for: after an unclear failure
        it may be seen twice, by that person only."""
        posts = render.posts(reply, frame)
        for post in posts:
            body: Json = {"text": post.text, "blocks": list(post.blocks)}
            if spot.response_url and await self._respond(spot, {"response_type": "ephemeral", "replace_original": False, **body}):
                continue
            try:
                await self._api.call("chat.postEphemeral", **spot.at, **spot.place, user=spot.user, **body)
            except Refused as error:
                if error.error in TOO_MUCH:
                    await self._api.call("chat.postEphemeral", **spot.at, **spot.place, user=spot.user, text=post.text)
                elif error.error in ("channel_not_found", "not_in_channel", "user_not_in_channel"):
                    await self._direct(spot, post)
                else:
                    raise
        return "ephemeral"

    async def _respond(self, spot: Spot, body: Json) -> bool:
        """Through the address that came with a command; False when it no longer works."""
        try:
            await self._api.respond(spot.response_url, body)
        except Refused:
            return False
        return True

    async def _direct(self, spot: Spot, post: Post) -> None:
        """In a direct message, where the channel is not open to us."""
        opened = await self._api.call("conversations.open", **spot.at, users=spot.user)
        channel = str((opened.get("channel") or {}).get("id", ""))
        await self._api.call("chat.postMessage", **spot.at, channel=channel, text=post.text, blocks=list(post.blocks))

    # -- looking for our own message -----------------------------------------------------------------------------------

    async def _ours(self, spot: Spot, row: str, reply: Reply) -> dict[str, str]:
        """Parts of this answer that are already there: part to ts; ``stream`` for one left open, ``picture`` for its file."""
        if spot.thread:
            body: Json = {"channel": spot.channel, "ts": spot.thread}
            method = "conversations.replies"
        else:
            body, method = {"channel": spot.channel}, "conversations.history"
        try:
            answer = await self._api.call(method, **spot.at, **body, limit=LOOK_BACK, include_all_metadata=True)
        except Refused as error:
            if error.error in ("thread_not_found", "missing_scope", "method_not_supported_for_channel_type"):
                return {}
            raise Unclear("our own message could not be looked for") from None
        workspace = await self._api.workspace(spot.team, spot.enterprise)
        us = workspace.bot_user if workspace else ""
        return parts_of(answer.get("messages") or [], row, us, _first_step(reply))

    # -- streams -------------------------------------------------------------------------------------------------------

    def _streams(self, spot: Spot, reply: Reply) -> bool:
        return (
            0 < self._stream_chars < len(reply.markdown) < MARKDOWN // 2
            and spot.kind == "personal"
            and bool(spot.thread)
            and reply.picture is None
            and spot.team not in self._no_stream
        )

    async def _stream(self, spot: Spot, reply: Reply, frame: Frame, row: str) -> str:
        """The whole, inspected reply in steps; its ts, or nothing where the workspace has no streams."""
        steps = stream.gathered(stream.steps(render.body(reply)))
        whole = "".join(steps)
        if stream.weighed(whole) > MARKDOWN or not steps:
            return ""
        to = {"recipient_user_id": spot.user, "recipient_team_id": spot.team}
        try:
            began = await self._api.call("chat.startStream", **spot.at, **spot.place, markdown_text=steps[0], **to)
        except Refused as error:
            if error.error in NO_STREAM or error.error.startswith("status_"):
                self._no_stream.add(spot.team)
            return ""
        ts = str(began.get("ts", ""))
        place = {"channel": spot.channel, "ts": ts}
        tail = render.buttons(reply, frame, prompts.messages(reply.language))
        try:
            for step in steps[1:]:
                await self._api.call("chat.appendStream", **spot.at, **place, markdown_text=step)
            await self._api.call("chat.stopStream", **spot.at, **place, blocks=tail, metadata=metadata(row, "1"))
        except (Refused, Busy, Unreachable) as error:
            if isinstance(error, Refused) and error.error in CLOSED | TOO_MUCH:
                return await self._mend(spot, ts, reply, frame, row)
            raise Unclear(error.message) from None
        return ts

    async def _mend(self, spot: Spot, ts: str, reply: Reply, frame: Frame, row: str) -> str:
        """Finish a stream that was closed on us: the same message, with the whole text and its buttons."""
        place = {"channel": spot.channel, "ts": ts}
        whole = "".join(stream.gathered(stream.steps(render.body(reply))))
        tail = render.buttons(reply, frame, prompts.messages(reply.language))
        blocks = [{"type": "markdown", "text": whole}, *tail]
        text = render.spoken(tree.text(render.body(reply)))
        with contextlib.suppress(Refused, Busy):  # Most often it was closed already, which is why we are here.
            await self._api.call("chat.stopStream", **spot.at, **place)
        try:
            await self._api.call("chat.update", **spot.at, **place, text=text, blocks=blocks, metadata=metadata(row, "1"))
        except (Refused, Busy, Unreachable) as error:
            raise Unclear(error.message) from None
        return ts

    # -- pictures ------------------------------------------------------------------------------------------------------

    async def _picture(self, spot: Spot, reply: Reply, row: str, first: str) -> None:
        """The picture behind the words, with the text that says all of it. The words stand without it."""
        if reply.picture is None:
            return
        name = picture_name(row)
        try:
            given = await self._api.call(
                "files.getUploadURLExternal",
                **spot.at,
                filename=name,
                length=len(reply.picture.png),
                alt_txt=tree.clean(reply.picture.alt)[:1_000],
            )
            await self._api.upload(str(given["upload_url"]), reply.picture.png)
            await self._api.call(
                "files.completeUploadExternal",
                **spot.at,
                files=_files(str(given["file_id"]), name),
                channel_id=spot.channel,
                thread_ts=spot.thread or first,
            )
        except (Refused, Busy, Unreachable, KeyError) as error:
            _log.warning("a picture was not taken by slack: %s", type(error).__name__)


def _files(file: str, name: str) -> str:
    return json.dumps([{"id": file, "title": name}])


def _first_step(reply: Reply) -> str:
    steps = stream.gathered(stream.steps(render.body(reply)))
    return steps[0] if steps else ""
