"""Sending: each answer once, within Teams' pace, size and time, whatever the network does. Over real HTTP, in moved time."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from bot.adapters.teams.connector import Ambiguous, Connector, NotSent, Reference, Tokens, TooLarge, scope, token_url
from bot.adapters.teams.references import keep
from bot.adapters.teams.send import TeamsSender
from bot.adapters.teams.service_hosts import ServiceHosts
from bot.adapters.teams.stream import Stopped, Stream
from bot.errors import NotFound
from bot.inbox import Inbox, Sender, Work
from bot.knowledge.library import utc_now
from bot.messages import Answered, Message, Receipt, Reply
from bot.outbox import Address, Outbox
from bot.store import Database, open_database, outbox
from bot.store.conversation_tables import inbox
from bot.store.outbox import To
from tests.adapters.teams.conftest import answer, citation, plain
from tests.conftest import settings_for
from tests.doubles.inbox import Thinker, until
from tests.doubles.teams import APP_ID, ISSUER, TENANT, Clock, Fault, TeamsDouble

LONG = Reply(**{**answer().__dict__, "markdown": "First statement. [1]\n\nSecond statement.\n\nThird statement."})


@dataclass
class Bench:
    """A sender before a double, sharing one clock that only moves when told."""

    teams: TeamsDouble
    clock: Clock
    connector: Connector
    sender: TeamsSender
    database: Database

    def anew(self, jitter: float = 0.5) -> Connector:
        """Another connector: a client's connections belong to one event loop."""
        client = httpx.AsyncClient()
        tokens = Tokens(self.teams.token_url, APP_ID, "secret", scope(ISSUER), client, self.clock)
        return Connector(client, tokens, ServiceHosts.read("127.0.0.1"), self.clock.sleep, lambda: jitter)

    def again(self) -> TeamsSender:
        """The sender of a process that was started anew."""
        return TeamsSender(self.connector, self.database, 0.8, self.clock, self.clock.sleep)

    def work(self, conversation: str = "a:chat", **changes: Any) -> Work:
        """A claimed act, as it stands in its row."""
        to = self.reference(conversation).stored()
        with self.database.writing() as connection:
            made = connection.execute(
                inbox.insert().values(
                    identity=f"test:{conversation}:{self.clock.now}:{len(self.teams.requests)}:{changes}",
                    platform="teams",
                    conversation=f"teams:{TENANT}:{conversation}",
                    message="",
                    reply_to=to,
                    state="answered",
                    received_at=0.0,
                )
            )
        row_id = made.inserted_primary_key[0]
        return Work(row_id, "i", f"teams:{TENANT}:{conversation}", Message("q"), to, 1, False, **changes)

    def taken_up(self, work: Work) -> Work:
        """The same act on its next attempt."""
        with self.database.reading() as connection:
            stored = connection.execute(select(inbox.c.reply_to).where(inbox.c.id == work.row_id)).scalar()
        return replace(work, reply_to=dict(stored or {}), attempt=work.attempt + 1, maybe_sent=True)

    def reference(self, conversation: str = "a:chat") -> Reference:
        """Where it is."""
        kind = "personal" if conversation.startswith("a:") else "group"
        return Reference(self.teams.url, conversation, kind, "m1", "29:ana", "", f"28:{APP_ID}", TENANT, "en-US")

    def stream(self, stream_id: str = "") -> Stream:
        """A stream in the personal chat."""
        return Stream(self.connector, self.reference(), self.clock, self.clock.sleep, stream_id)


def answered(reply: Reply | None = None) -> Answered:
    """A reply with a receipt."""
    return Answered(reply or answer(), Receipt("answer01", {}, None, "test", {}))


@pytest.fixture
def clock() -> Clock:
    """Time that tests move."""
    return Clock()


@pytest.fixture
def bench(tmp_path: Path, blank: Path, clock: Clock) -> Iterator[Bench]:
    """The bench."""
    database = open_database(f"sqlite:///{shutil.copy(blank, tmp_path / 'signpost.db')}")
    with TeamsDouble(clock) as teams:
        client = httpx.AsyncClient()
        tokens = Tokens(teams.token_url, APP_ID, "secret", scope(ISSUER), client, clock)
        connector = Connector(client, tokens, ServiceHosts.read("127.0.0.1"), clock.sleep, lambda: 0.5)
        yield Bench(teams, clock, connector, TeamsSender(connector, database, 0.8, clock, clock.sleep), database)
    database.close()


def run(task: Callable[[], Awaitable[Any]]) -> Any:
    """Run to the end."""

    async def main() -> Any:
        return await task()

    return asyncio.run(main())


def message_posts(teams: TeamsDouble) -> int:
    """How often a message was posted."""
    return sum(1 for _, method, _, body, _ in teams.requests if method == "POST" and body.get("type") == "message")


def is_message(_path: str, body: dict[str, Any]) -> bool:
    """Whether a request carries a message."""
    return body.get("type") == "message"


# -- the connector -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["429", "412", "502", "504"])
def test_what_teams_asks_to_repeat_is_repeated_with_growing_waits(status: str, bench: Bench) -> None:
    bench.teams.faults += [Fault(status, when=is_message) for _ in range(3)]
    run(lambda: bench.connector.post(bench.reference(), {"type": "message", "text": "x"}))
    assert bench.teams.texts() == ["x"]
    assert bench.clock.waits == sorted(bench.clock.waits)
    assert bench.clock.waits[-1] >= 2 * bench.clock.waits[0]


def test_waits_are_spread_so_that_senders_do_not_march_in_step(bench: Bench) -> None:
    spread = []
    for jitter in (0.0, 0.9):
        bench.clock.waits.clear()
        bench.teams.faults.append(Fault("429", when=is_message))
        connector = bench.anew(jitter)
        run(lambda: connector.post(bench.reference(), {"type": "message", "text": "x"}))  # noqa: B023 - run at once
        spread.append(bench.clock.waits[0])
    assert spread[1] > 2 * spread[0]


def test_retry_after_is_honoured(bench: Bench) -> None:
    bench.teams.faults.append(Fault("429", {"Retry-After": "17"}, when=is_message))
    run(lambda: bench.connector.post(bench.reference(), {"type": "message", "text": "x"}))
    assert 17 <= bench.clock.waits[0] < 18


def test_a_longer_retry_after_than_we_may_wait_is_handed_on(bench: Bench) -> None:
    bench.teams.faults.append(Fault("429", {"Retry-After": "600"}, when=is_message))
    with pytest.raises(NotSent) as raised:
        run(lambda: bench.connector.post(bench.reference(), {"type": "message", "text": "x"}))
    assert raised.value.retry_after is not None
    assert raised.value.retry_after >= 600
    assert not raised.value.permanent
    assert bench.clock.waits == []


@pytest.mark.parametrize("status", ["400", "403", "404", "500", "503"])
def test_nothing_else_is_repeated(status: str, bench: Bench) -> None:
    bench.teams.faults += [Fault(status, when=is_message) for _ in range(5)]
    with pytest.raises(NotSent if int(status) < 500 else Ambiguous):
        run(lambda: bench.connector.post(bench.reference(), {"type": "message", "text": "x"}))
    assert message_posts(bench.teams) == 1


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_a_lost_answer_is_ambiguous_and_the_post_is_not_repeated(kind: str, bench: Bench) -> None:
    bench.teams.faults.append(Fault(kind, when=is_message))
    with pytest.raises(Ambiguous):
        run(lambda: bench.connector.post(bench.reference(), {"type": "message", "text": "x"}))
    assert message_posts(bench.teams) == 1


def test_a_service_that_cannot_be_reached_took_nothing(bench: Bench) -> None:
    nowhere = replace(bench.reference(), service_url="http://127.0.0.1:9/amer/")
    with pytest.raises(NotSent) as raised:
        run(lambda: bench.connector.post(nowhere, {"type": "message", "text": "x"}))
    assert not raised.value.permanent


@pytest.mark.parametrize(
    "url", ["https://evil.example/", "http://10.0.0.1/", "https://127.0.0.1@evil.example/", "file:///etc", ""]
)
def test_our_token_never_goes_to_a_host_off_the_list(url: str, bench: Bench) -> None:
    with pytest.raises(NotSent) as raised:
        run(lambda: bench.connector.post(replace(bench.reference(), service_url=url), {"type": "message", "text": "x"}))
    assert raised.value.permanent
    assert bench.teams.issued_tokens == 0


def test_redirects_are_not_followed_with_our_token(bench: Bench) -> None:
    bench.teams.faults.append(Fault("307", {"Location": "https://evil.example/"}, when=is_message))
    with pytest.raises(NotSent):
        run(lambda: bench.connector.post(bench.reference(), {"type": "message", "text": "x"}))
    assert message_posts(bench.teams) == 1


def test_one_token_serves_until_shortly_before_its_end(bench: Bench) -> None:
    async def talk() -> None:
        for wait in (0, 3000, 400):
            bench.clock.now += wait
            await bench.connector.post(bench.reference(), {"type": "message", "text": "x"})

    run(talk)
    assert bench.teams.issued_tokens == 2


def test_many_senders_at_once_ask_for_one_token(bench: Bench) -> None:
    async def talk() -> None:
        to = [replace(bench.reference(), conversation=f"a:{n}") for n in range(20)]
        await asyncio.gather(*(bench.connector.post(one, {"type": "message", "text": "x"}) for one in to))

    run(talk)
    assert bench.teams.issued_tokens == 1


def test_a_refused_token_is_renewed_once(bench: Bench) -> None:
    async def talk() -> None:
        await bench.connector.post(bench.reference(), {"type": "message", "text": "x"})
        bench.teams.revoke()
        await bench.connector.post(bench.reference(), {"type": "message", "text": "y"})

    run(talk)
    assert bench.teams.texts() == ["x", "y"]
    assert bench.teams.issued_tokens == 2


@pytest.mark.parametrize("kind", ["500", "drop_before", "401"])
def test_without_a_token_nothing_is_sent(kind: str, bench: Bench) -> None:
    bench.teams.faults.append(Fault(kind, when=lambda path, body: path == "token"))
    with pytest.raises(NotSent) as raised:
        run(lambda: bench.connector.post(bench.reference(), {"type": "message", "text": "x"}))
    assert not raised.value.permanent
    assert bench.teams.requests == []


def test_where_tokens_come_from_follows_the_tenant_and_the_cloud() -> None:
    assert token_url("", "contoso") == "https://login.microsoftonline.com/contoso/oauth2/v2.0/token"
    assert token_url("", "").endswith("/botframework.com/oauth2/v2.0/token")
    assert token_url("https://x.example/t", "contoso") == "https://x.example/t"
    assert scope("https://api.botframework.us") == "https://api.botframework.us/.default"


def test_an_update_is_repeated_after_a_lost_answer_because_it_changes_nothing(bench: Bench) -> None:
    async def talk() -> None:
        name = await bench.connector.post(bench.reference(), {"type": "message", "text": "x"})
        bench.teams.faults.append(Fault("drop_after", when=is_message))
        await bench.connector.put(bench.reference(), name, {"type": "message", "text": "y"})

    run(talk)
    assert bench.teams.texts() == ["y"]


# -- streams -----------------------------------------------------------------------------------------------------------


def gaps(teams: TeamsDouble) -> list[float]:
    """Seconds between the requests of a stream."""
    times = [at for at, _, _, body, _ in teams.requests if any(e.get("type") == "streaminfo" for e in body.get("entities", []))]
    return [later - earlier for earlier, later in pairwise(times)]


def test_failure_24_a_burst_of_fifty_updates_is_paced_and_meets_no_429(bench: Bench) -> None:
    async def talk() -> str:
        stream = bench.stream()
        assert await stream.inform("Looking")
        text = ""
        for n in range(50):
            text += f"word{n} "
            stream.offer(text)
            if n % 10 == 0:
                await stream.shown()
        return await stream.finish({"type": "message", "text": text})

    name = run(talk)
    assert bench.teams.texts() == ["".join(f"word{n} " for n in range(50))]
    assert min(gaps(bench.teams)) >= 1.5
    state = bench.teams.streams[name]
    assert state.kinds[0] == "informative"
    assert state.kinds[-1] == "final"
    assert 1 <= state.kinds.count("streaming") < 50
    assert state.kinds.count("informative") == 1
    sequences = [e["streamSequence"] for _, _, _, b, _ in bench.teams.requests for e in b["entities"] if "streamSequence" in e]
    assert sequences == list(range(1, len(sequences) + 1))


def test_text_that_is_not_a_continuation_is_never_streamed(bench: Bench) -> None:
    async def talk() -> None:
        stream = bench.stream()
        await stream.inform("Looking")
        stream.offer("One two")
        await stream.shown()
        stream.offer("Something else")
        await stream.shown()
        await stream.finish({"type": "message", "text": "One two three"})

    run(talk)
    assert bench.teams.texts() == ["One two three"]


def test_failure_25_a_stream_out_of_time_is_finished_by_replacing_its_message(bench: Bench) -> None:
    async def talk() -> str:
        stream = bench.stream()
        await stream.inform("Looking")
        bench.clock.now += 119
        stream._opened = bench.clock.now  # as if our clock had run late
        bench.clock.now += 5
        return await stream.finish({"type": "message", "text": "whole"})

    name = run(talk)
    assert bench.teams.texts() == ["whole"]
    assert bench.teams.sent()[0]["id"] == name
    assert "streaminfo" not in json.dumps(bench.teams.sent()[0])


def test_a_stream_near_its_end_is_not_even_tried(bench: Bench) -> None:
    async def talk() -> None:
        stream = bench.stream()
        await stream.inform("Looking")
        bench.clock.now += 121
        bench.teams.streams[stream.stream_id].ended = "time"
        await stream.finish({"type": "message", "text": "whole"})

    run(talk)
    assert bench.teams.texts() == ["whole"]
    assert [method for _, method, _, _, _ in bench.teams.requests] == ["POST", "PUT"]


def test_failure_25_what_the_person_stopped_stays_and_nothing_is_resent(bench: Bench) -> None:
    async def talk() -> None:
        stream = bench.stream()
        await stream.inform("Looking")
        bench.teams.streams[stream.stream_id].ended = "cancelled"
        with pytest.raises(Stopped):
            await stream.finish({"type": "message", "text": "whole"})

    run(talk)
    assert bench.teams.texts() == []
    assert message_posts(bench.teams) == 1


def test_a_stop_while_text_streams_ends_the_stream_quietly(bench: Bench) -> None:
    async def talk() -> None:
        stream = bench.stream()
        await stream.inform("Looking")
        bench.teams.streams[stream.stream_id].ended = "cancelled"
        stream.offer("More")
        await stream.shown()
        stream.offer("More and more")
        with pytest.raises(Stopped):
            await stream.finish({"type": "message", "text": "More and more."})

    run(talk)
    assert len(bench.teams.requests) == 2


def test_failure_25_a_stream_that_is_too_large_asks_for_smaller_parts(bench: Bench) -> None:
    async def talk() -> None:
        stream = bench.stream()
        await stream.inform("Looking")
        bench.teams.streams[stream.stream_id].ended = "size"
        with pytest.raises(TooLarge):
            await stream.finish({"type": "message", "text": "whole"})

    run(talk)


def test_failure_25_where_streams_are_not_allowed_a_plain_message_is_sent(bench: Bench) -> None:
    async def talk() -> None:
        stream = bench.stream()
        bench.teams.refuse_streams = True
        assert not await stream.inform("Looking")
        stream.offer("More")
        await stream.finish({"type": "message", "text": "whole"})

    run(talk)
    assert bench.teams.texts() == ["whole"]


def test_a_405_in_a_group_means_a_plain_message(bench: Bench) -> None:
    async def talk() -> None:
        stream = Stream(bench.connector, bench.reference("19:group@x"), bench.clock, bench.clock.sleep)
        assert not await stream.inform("Looking")
        await stream.finish({"type": "message", "text": "whole"})

    run(talk)
    assert bench.teams.texts("19:group@x") == ["whole"]


def test_a_final_message_whose_answer_was_lost_is_not_doubled(bench: Bench) -> None:
    async def talk() -> None:
        stream = bench.stream()
        await stream.inform("Looking")
        bench.teams.faults.append(Fault("drop_after", when=is_message))
        with pytest.raises(Ambiguous):
            await stream.finish({"type": "message", "text": "whole"})
        await bench.stream(stream.stream_id).finish({"type": "message", "text": "whole"})

    run(talk)
    assert bench.teams.texts() == ["whole"]


# -- the sender --------------------------------------------------------------------------------------------------------


def test_it_is_a_sender(bench: Bench) -> None:
    sender: Sender = bench.sender
    assert callable(sender.send)


def test_failure_7_a_quick_answer_is_one_message_without_a_stream(bench: Bench) -> None:
    async def talk() -> str:
        work = bench.work()
        bench.sender._sleep = _never
        await bench.sender.working(work)
        return await bench.sender.send(work, answered())

    name = run(talk)
    assert [m["id"] for m in bench.teams.sent()] == [name]
    assert bench.teams.streams == {}
    assert bench.teams.typing == ["a:chat"]


async def _never(_seconds: float) -> None:
    await asyncio.Event().wait()


async def _opened(bench: Bench) -> None:
    for _ in range(400):
        if bench.teams.streams:
            return
        await asyncio.sleep(0.005)
    raise AssertionError("no stream was opened")


def test_a_slow_answer_streams_and_ends_as_one_message(bench: Bench) -> None:
    async def talk() -> str:
        work = bench.work()
        await bench.sender.working(work)
        await _opened(bench)
        return await bench.sender.send(work, answered(LONG))

    name = run(talk)
    [sent] = bench.teams.sent()
    assert sent["id"] == name
    assert sent["text"].endswith("Third statement.")
    assert sent["attachments"]
    assert sent["channelData"]["feedbackLoop"]
    [state] = bench.teams.streams.values()
    assert state.kinds == ["informative", "streaming", "final"]
    assert state.text == r"First statement. [1]"
    assert bench.teams.violations == []


def test_groups_and_channels_get_a_typing_sign_and_no_stream(bench: Bench) -> None:
    async def talk() -> None:
        work = bench.work("19:group@x")
        await bench.sender.working(work)
        await asyncio.sleep(0)
        await bench.sender.send(work, answered())

    run(talk)
    assert bench.teams.streams == {}
    assert len(bench.teams.sent("19:group@x")) == 1


def test_a_failing_sign_of_work_does_not_hold_up_the_answer(bench: Bench) -> None:
    bench.teams.faults += [Fault("502", when=lambda path, body: body.get("type") == "typing") for _ in range(3)]

    async def talk() -> None:
        work = bench.work("19:group@x")
        await bench.sender.working(work)
        assert bench.clock.waits == []
        await bench.sender.send(work, answered())

    run(talk)
    assert len(bench.teams.sent("19:group@x")) == 1


@pytest.mark.parametrize("conversation", ["a:chat", "19:group@x"])
def test_failure_8_after_an_ambiguous_post_the_answer_is_never_posted_again(conversation: str, bench: Bench) -> None:
    async def talk() -> str:
        work = bench.work(conversation)
        bench.teams.faults.append(Fault("drop_after", when=is_message))
        with pytest.raises(Ambiguous):
            await bench.sender.send(work, answered())
        again = bench.taken_up(work)
        return await bench.sender.send(again, answered())

    name = run(talk)
    first, note = bench.teams.sent(conversation)
    assert first["text"].startswith("Schools")
    assert note["id"] == name
    assert "Schools" not in json.dumps(note)
    assert "Show the answer" in json.dumps(note)
    assert bench.teams.violations == []


def test_even_the_note_is_not_repeated(bench: Bench) -> None:
    async def talk() -> None:
        work = bench.work()
        bench.teams.faults += [Fault("drop_before", when=is_message), Fault("drop_after", when=is_message)]
        for _ in range(2):
            with pytest.raises(Ambiguous):
                await bench.sender.send(work, answered())
            work = bench.taken_up(work)
        await bench.sender.send(work, answered())

    run(talk)
    assert len(bench.teams.sent()) == 1
    assert message_posts(bench.teams) == 2


def test_after_a_crash_before_any_request_the_answer_is_posted_normally(bench: Bench) -> None:
    work = bench.work()
    run(lambda: bench.again().send(bench.taken_up(work), answered()))
    assert bench.teams.texts() == ["Schools may not disclose education records without consent. [1]"]


def test_after_a_crash_behind_a_posted_part_the_rest_follows_and_nothing_twice(bench: Bench) -> None:
    long = answer("\n\n".join(f"Paragraph {n}. " + "word " * 900 for n in range(12)))

    async def talk() -> None:
        work = bench.work("19:group@x")
        seen: list[int] = []

        def second(path: str, body: dict[str, Any]) -> bool:
            seen.append(1) if body.get("type") == "message" else None
            return len(seen) == 2

        bench.teams.faults.append(Fault("400", when=second))
        with pytest.raises(NotSent):
            await bench.sender.send(work, answered(long))
        await bench.again().send(bench.taken_up(work), answered(long))

    run(talk)
    whole = "\n".join(bench.teams.texts("19:group@x"))
    for n in range(12):
        assert whole.count(f"Paragraph {n}.") == 1


def test_after_a_crash_an_open_stream_is_finished_by_the_next_process(bench: Bench) -> None:
    async def talk() -> str:
        work = bench.work()
        await bench.sender.working(work)
        await _opened(bench)
        for _ in range(400):
            if "_stream" in bench.taken_up(work).reply_to:
                break
            await asyncio.sleep(0.005)
        return await bench.again().send(bench.taken_up(work), answered())

    name = run(talk)
    assert [m["id"] for m in bench.teams.sent()] == [name]
    assert name in bench.teams.streams


def test_a_message_that_teams_finds_too_large_is_split_further(bench: Bench) -> None:
    bench.teams.faults.append(Fault("413", body={"error": {"code": "MessageSizeTooBig"}}, when=is_message))
    long = answer("\n\n".join(f"Paragraph {n}. " + "word " * 500 for n in range(12)))
    run(lambda: bench.sender.send(bench.work("19:group@x"), answered(long)))
    whole = "\n".join(bench.teams.texts("19:group@x"))
    for n in range(12):
        assert whole.count(f"Paragraph {n}.") == 1
    assert len(bench.teams.sent("19:group@x")) > 1


def test_a_removed_app_is_told_to_the_inbox_as_final(bench: Bench) -> None:
    bench.teams.gone.add("a:chat")
    with pytest.raises(NotSent) as raised:
        run(lambda: bench.sender.send(bench.work(), answered()))
    assert raised.value.permanent


def test_a_stopped_stream_ends_the_work(bench: Bench) -> None:
    async def talk() -> str:
        work = bench.work()
        await bench.sender.working(work)
        await _opened(bench)
        next(iter(bench.teams.streams.values())).ended = "cancelled"
        return await bench.sender.send(work, answered())

    assert run(talk) in bench.teams.streams
    assert bench.teams.texts() == []


def test_an_apology_carries_the_incident_and_is_said_once(bench: Bench) -> None:
    async def talk() -> None:
        work = bench.work("19:group@x")
        bench.teams.faults.append(Fault("drop_after", when=is_message))
        with pytest.raises(Ambiguous):
            await bench.sender.apologise(work, "ab12cd34")
        await bench.sender.apologise(bench.taken_up(work), "ab12cd34")

    run(talk)
    [text] = bench.teams.texts("19:group@x")
    assert "ab12cd34" in text


def test_an_apology_closes_an_open_stream(bench: Bench) -> None:
    async def talk() -> None:
        work = bench.work()
        await bench.sender.working(work)
        await _opened(bench)
        await bench.sender.apologise(work, "ab12cd34")

    run(talk)
    assert len(bench.teams.sent()) == 1
    assert [s.ended for s in bench.teams.streams.values()] == ["done"]


# -- speaking first ----------------------------------------------------------------------------------------------------


def test_a_stored_conversation_can_be_spoken_in_first(bench: Bench) -> None:
    keep(bench.database, f"teams:{TENANT}:a:chat", bench.reference(), f"teams:{TENANT}:ana", 1.0)
    run(lambda: bench.sender.tell(f"teams:{TENANT}:a:chat", plain("A reminder.")))
    later = TeamsSender(bench.anew(), bench.database, 0.8, bench.clock, bench.clock.sleep)
    run(lambda: later.tell_person(f"teams:{TENANT}:ana", plain("Another.")))
    assert bench.teams.texts() == ["A reminder.", "Another."]


@pytest.mark.parametrize("how", ["tell", "tell_person"])
def test_where_the_app_is_not_installed_nothing_is_said(how: str, bench: Bench) -> None:
    with pytest.raises(NotFound):
        run(lambda: getattr(bench.sender, how)("teams:x:y", plain("A reminder.")))


def _address(bench: Bench, to: To) -> Address:
    sender = TeamsSender(bench.anew(), bench.database, 0.8, bench.clock, bench.clock.sleep)
    found: Address = run(lambda: sender.address(to))
    return found


def test_a_person_is_written_to_in_their_own_chat_or_in_one_that_is_opened(bench: Bench) -> None:
    person, ana = f"teams:{TENANT}:ana", To.to_person(f"teams:{TENANT}:ana")
    with pytest.raises(NotFound):
        _address(bench, ana)
    keep(bench.database, f"teams:{TENANT}:19:group@x", bench.reference("19:group@x"), person, 1.0)
    opened = _address(bench, ana)
    assert opened == _address(bench, ana)
    assert opened.conversation == f"teams:{TENANT}:a:with-29:ana"
    assert Reference.of(opened.reply_to).kind == "personal"
    chat = replace(bench.reference(), zone="Asia/Tokyo")
    keep(bench.database, f"teams:{TENANT}:a:chat", chat, person, 2.0)
    assert _address(bench, ana) == Address(f"teams:{TENANT}:a:chat", chat.stored(), "Asia/Tokyo")


def test_a_conversation_is_written_to_by_its_key_or_its_reference(bench: Bench) -> None:
    key, group = f"teams:{TENANT}:19:group@x", bench.reference("19:group@x")
    with pytest.raises(NotFound):
        _address(bench, To("teams", conversation=key))
    keep(bench.database, key, group, "", 1.0)
    assert _address(bench, To("teams", conversation=key)) == Address(key, group.stored())
    assert _address(bench, To("teams", reference=group.stored())) == Address(key, group.stored())


def test_what_we_say_first_and_may_have_said_is_not_said_again_but_offered(bench: Bench) -> None:
    folder = Path(bench.database.engine.url.database or "").parent
    keep(bench.database, f"teams:{TENANT}:a:chat", bench.reference(), f"teams:{TENANT}:ana", 1.0)
    bench.teams.faults.append(Fault("drop_after", when=is_message))

    async def story() -> None:
        settings = settings_for(folder)
        receiving = Inbox(bench.database, Thinker(), settings, utc_now)
        receiving.register("teams", TeamsSender(bench.anew(), bench.database, 0.8, bench.clock, bench.clock.sleep))
        with bench.database.writing() as connection:
            reply, now = plain("A reminder."), utc_now().timestamp()
            outbox.put(connection, "k", To.to_person(f"teams:{TENANT}:ana"), reply, kind="lesson", now=now, at_once=True)
        receiving.start()
        assert await Outbox(bench.database, receiving, settings, utc_now).deliver() == 1

        def ended() -> bool:
            with bench.database.reading() as connection:
                found = outbox.sent(connection, "k")
            return found is not None and found.state == "sent"

        await until(ended)
        await receiving.drain(20)

    run(story)
    said = bench.teams.texts()
    assert said.count("A reminder.") == 1
    assert len(said) == 2


def test_a_refreshed_reference_is_not_new(bench: Bench) -> None:
    key = f"teams:{TENANT}:a:chat"
    assert keep(bench.database, key, bench.reference(), "p", 1.0)
    assert not keep(
        bench.database, key, replace(bench.reference(), service_url="https://smba.trafficmanager.net/emea/"), "p", 2.0
    )


def test_citations_reach_the_double_within_its_limits(bench: Bench) -> None:
    many = tuple(citation(n, title="T" * 300, quote="q " * 300) for n in range(1, 31))
    marks = " ".join(f"[{n}]" for n in range(1, 31))
    run(lambda: bench.sender.send(bench.work(), answered(answer(f"All {marks}", citations=many))))
    assert len(bench.teams.sent()[0]["entities"][0]["citation"]) == 20
    assert bench.teams.violations == []
