"""The outbox's promises: once, in time, not at night, never after a word against it, to a visible end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from bot.cli.commands import cli
from bot.errors import ConfigurationError, NotFound
from bot.inbox import Inbox, NotSent, Work, ledger
from bot.messages import Answered, Choice, Handling, Outcome, Picture, Reply
from bot.outbox import Address, Outbox
from bot.personal.forgetting import forget_person
from bot.personal.retention import purge
from bot.settings import Settings
from bot.store import Database, outbox
from bot.store.conversation_tables import inbox as rows
from bot.store.conversations import exchanges, history, last_reply
from bot.store.outbox import To
from bot.store.outbox_tables import outbox as table
from bot.store.packed import unpack_answered
from tests.conftest import settings_for
from tests.doubles.clock import Clock
from tests.doubles.inbox import Platform, Thinker, act, open_store, state, until


def said(text: str = "A question for you.", **changes: object) -> Reply:
    return Reply(Outcome.CLARIFY, Handling.ANSWER, text, "en", fixed="lesson.return", **changes)  # type: ignore[arg-type]


@dataclass
class Reaching(Platform):
    """A platform where we may speak first; ``ways`` may refuse."""

    ways: Callable[[To], None] = lambda _to: None
    asked: list[To] = field(default_factory=list)

    async def address(self, to: To) -> Address:
        self.asked.append(to)
        self.ways(to)
        return Address(to.conversation or f"{to.person}:dm", to.reference or {"user": to.person})


@dataclass
class Bench:
    settings: Settings
    database: Database
    platform: Reaching
    clock: Clock
    inbox: Inbox
    outbox: Outbox

    def open(self) -> None:
        """A process of its own: an inbox that was drained takes up nothing more."""
        self.inbox = Inbox(self.database, Thinker(), self.settings, self.clock)
        self.inbox.register("test", self.platform)
        self.outbox = Outbox(self.database, self.inbox, self.settings, self.clock)

    def put(self, key: str = "k", person: str = "test:ann", reply: Reply | None = None, **more: object) -> bool:
        to = more.pop("to", To.to_person(person))
        with self.database.writing() as connection:
            now = self.clock.now.timestamp()
            return outbox.put(connection, key, to, reply or said(), kind="lesson", now=now, **more)  # type: ignore[arg-type]

    def run(self, story: Callable[[], Awaitable[None]]) -> None:
        async def all_of_it() -> None:
            self.inbox.start()
            await story()
            await self.inbox.drain(20)

        asyncio.run(all_of_it())
        self.open()

    def deliver(self) -> None:
        """One look, and the inbox's work to its end."""

        async def story() -> None:
            await self.outbox.deliver()
            await until(lambda: not self.open_rows())

        self.run(story)

    def open_rows(self) -> bool:
        with self.database.reading() as connection:
            return connection.execute(select(rows.c.id).where(rows.c.state.in_(ledger.OPEN))).first() is not None

    def stands(self, key: str = "k") -> str:
        with self.database.reading() as connection:
            found = outbox.sent(connection, key)
        return found.state if found else ""


def bench(folder: Path, **changes: object) -> Bench:
    database, platform, clock = open_store(folder), Reaching(), Clock()
    settings = settings_for(folder, **{"attempts": 3, **changes})
    inbox = Inbox(database, Thinker(), settings, clock)
    inbox.register("test", platform)
    return Bench(settings, database, platform, clock, inbox, Outbox(database, inbox, settings, clock))


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Bench]:
    built = bench(tmp_path)
    yield built
    built.database.close()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.inbox.worker.backoff", lambda _attempt: 0.005)
    monkeypatch.setattr("bot.inbox.worker.APOLOGY_WAITS", (0.005, 0.005, None))
    monkeypatch.setattr("bot.inbox.inbox.SWEEP_SECONDS", 0.02)


# -- once ----------------------------------------------------------------------------------------------------------------


def test_a_message_put_twice_under_one_key_goes_out_once(made: Bench) -> None:
    assert made.put()
    assert not made.put(reply=said("Another wording."))
    made.deliver()
    made.deliver()
    assert [text for _, text in made.platform.posts] == ["A question for you."]
    with made.database.reading() as connection:
        found = outbox.sent(connection, "k")
    assert found is not None
    assert found.state == "sent"
    assert found.platform_id == f"m{made.platform.posts[0][0]}"


def test_two_processes_looking_at_once_hand_a_message_over_once(made: Bench, tmp_path: Path) -> None:
    other = bench(tmp_path)
    other.platform = made.platform
    other.inbox.register("test", made.platform)
    for n in range(20):
        made.put(f"k{n}", person=f"test:p{n}")

    async def story() -> None:
        other.inbox.start()
        handed = await asyncio.gather(*(one.outbox.deliver() for one in (made, other, made, other)))
        assert sum(handed) == 20
        await until(lambda: not made.open_rows())
        await other.inbox.drain(20)

    made.run(story)
    assert len(made.platform.posts) == 20
    assert len({row for row, _ in made.platform.posts}) == 20
    other.database.close()


def test_a_post_that_may_have_happened_is_looked_for_before_it_is_repeated(made: Bench) -> None:
    failures = [ConnectionError("lost")]

    def trouble(stage: str, _work: Work) -> None:
        if stage == "after" and failures:
            raise failures.pop()

    made.platform.trouble = trouble
    made.put()
    made.deliver()
    assert len(made.platform.posts) == 1
    assert made.stands() == "sent"


def test_a_process_that_dies_after_the_hand_over_leaves_the_message_to_the_next(made: Bench, tmp_path: Path) -> None:
    made.put()
    assert asyncio.run(made.outbox.deliver()) == 1  # and no inbox runs here
    assert made.platform.posts == []
    assert made.stands() == "working"
    after = bench(tmp_path)
    after.deliver()
    assert len(after.platform.posts) == 1
    assert after.stands() == "sent"
    after.database.close()


# -- in time, not at night -------------------------------------------------------------------------------------------------


def test_nothing_goes_out_before_its_time_or_after_it(made: Bench) -> None:
    now = made.clock.now.timestamp()
    made.put("later", not_before=now + 600)
    made.put("past", expires=now - 1)
    made.deliver()
    assert made.platform.posts == []
    assert made.stands("past") == "expired"
    made.clock.pass_(minutes=10)
    made.deliver()
    assert made.stands("later") == "sent"


def test_quiet_hours_hold_in_the_time_zone_of_the_person_then_the_organization_then_everyone(tmp_path: Path) -> None:
    made = bench(tmp_path, time_zones="oak=America/Los_Angeles")
    with made.database.writing() as connection:
        outbox.keep_zone(connection, "test:tokyo", "Asia/Tokyo", 0.0)
        outbox.keep_zone(connection, "test:odd", "Mars/Olympus", 0.0)
    made.clock.now = datetime(2026, 11, 25, 14, tzinfo=UTC)  # 9:00 in New York, 6:00 in Los Angeles, 23:00 in Tokyo
    for person, organization in (("ny", None), ("la", "oak"), ("tokyo", "oak"), ("odd", None)):
        made.put(person, person=f"test:{person}", organization=organization)
    made.put("answer", person="test:la", organization="oak", at_once=True)
    made.deliver()
    assert {key: made.stands(key) for key in ("ny", "la", "tokyo", "odd", "answer")} == {
        "ny": "sent", "la": "waiting", "tokyo": "waiting", "odd": "sent", "answer": "sent",
    }  # fmt: skip
    made.clock.now = datetime(2026, 11, 25, 15, 59, 59, tzinfo=UTC)
    made.deliver()
    assert made.stands("la") == "waiting"
    made.clock.now = datetime(2026, 11, 25, 16, tzinfo=UTC)  # 8:00 in Los Angeles
    made.deliver()
    assert (made.stands("la"), made.stands("tokyo")) == ("sent", "waiting")
    made.clock.now = datetime(2026, 11, 25, 23, tzinfo=UTC)  # 8:00 in Tokyo
    made.deliver()
    assert made.stands("tokyo") == "sent"
    made.database.close()


def test_a_zone_or_hours_that_make_no_sense_are_named_at_the_start(tmp_path: Path) -> None:
    for changes, named in (
        ({"time_zones": "oak"}, "TIME_ZONES"),
        ({"time_zones": "oak=Mars/Olympus"}, "TIME_ZONES"),
        ({"quiet_hours": "late"}, "QUIET_HOURS"),
    ):
        with pytest.raises(ConfigurationError, match=named):
            bench(tmp_path, **changes)


# -- words against it -------------------------------------------------------------------------------------------------------


def test_what_is_withdrawn_does_not_go_out_and_the_rest_does(made: Bench) -> None:
    made.put("a", subject="round1")
    made.put("b", subject="round2")
    made.put("c", person="test:ben", subject="round1")
    now = made.clock.now.timestamp()
    with made.database.writing() as connection:
        assert outbox.withdraw(connection, "test:ann", "readiness", now) == 0
        assert outbox.withdraw(connection, "test:ann", "lesson", now, "round1") == 1
    made.deliver()
    assert [made.stands(key) for key in "abc"] == ["withdrawn", "sent", "sent"]
    with made.database.writing() as connection:
        assert outbox.withdraw(connection, "test:ann", "lesson", now) == 0  # it is out
        assert not outbox.cancel(connection, "b", now)


def test_a_word_against_it_wins_while_its_address_is_looked_for(made: Bench) -> None:
    def stop(_to: To) -> None:
        with made.database.writing() as connection:
            outbox.withdraw(connection, "test:ann", "lesson", made.clock.now.timestamp())

    made.platform.ways = stop
    made.put()
    made.deliver()
    assert made.platform.posts == []
    assert made.stands() == "withdrawn"


def test_nothing_is_left_of_a_person_who_deletes_their_data(made: Bench, tmp_path: Path) -> None:
    made.put("waits", not_before=made.clock.now.timestamp() + 600)
    made.put("went")
    made.deliver()
    with made.database.writing() as connection:
        outbox.keep_zone(connection, "test:ann", "Asia/Tokyo", 0.0)
    forget_person(made.database, tmp_path, "test:ann", made.clock.now.timestamp())
    with made.database.reading() as connection:
        assert connection.execute(select(table)).first() is None
        assert outbox.zone_of(connection, "test:ann") is None
        assert connection.execute(select(rows.c.answered).where(rows.c.answered.is_not(None))).first() is None


# -- to a visible end -------------------------------------------------------------------------------------------------------


def test_a_person_who_cannot_be_reached_is_tried_again_until_the_message_is_past_its_time(made: Bench) -> None:
    def nowhere(_to: To) -> None:
        raise NotFound("not installed")

    made.platform.ways = nowhere
    made.put("dies", expires=made.clock.now.timestamp() + 7_000)
    made.put("lives", person="test:ben")
    made.deliver()
    made.deliver()
    assert len(made.platform.asked) == 2  # not again within the hour
    made.platform.ways = lambda to: nowhere(to) if to.person == "test:ann" else None
    made.clock.pass_(hours=1)
    made.deliver()
    assert (made.stands("dies"), made.stands("lives")) == ("waiting", "sent")
    made.clock.pass_(hours=1)
    made.deliver()
    assert made.stands("dies") == "expired"
    with made.database.reading() as connection:
        listed = outbox.listed(connection)
    assert [(row["state"], row["reason"]) for row in listed if row["state"] == "expired"] == [("expired", "unreachable")]


def test_an_address_refused_for_good_ends_for_an_operator(made: Bench) -> None:
    def refuse(_to: To) -> None:
        raise NotSent("gone", permanent=True)

    made.platform.ways = refuse
    made.put()
    made.deliver()
    assert made.stands() == "failed"
    with made.database.reading() as connection:
        row = outbox.listed(connection)[0]
    assert row["reason"] == "refused"
    assert row["incident"]


def test_an_address_that_fails_now_is_tried_again_later_and_not_for_ever(made: Bench) -> None:
    def broken(_to: To) -> None:
        raise ConnectionError("away")

    made.platform.ways = broken
    made.put()
    for _ in range(5):
        made.deliver()
        made.clock.pass_(minutes=15)
    assert len(made.platform.asked) == 3
    assert made.stands() == "failed"


def test_a_post_refused_for_good_ends_for_an_operator_without_an_apology(made: Bench) -> None:
    def trouble(stage: str, _work: Work) -> None:
        if stage == "before":
            raise NotSent("blocked", permanent=True)

    made.platform.trouble = trouble
    made.put()
    made.deliver()
    assert made.stands() == "failed"
    assert made.platform.sorry == []
    with made.database.reading() as connection:
        failed = ledger.listed(connection, failed=True)
    assert [row["reason"] for row in failed] == ["refused"]
    made.platform.trouble = lambda _stage, _work: None
    with made.database.writing() as connection:
        assert ledger.retry(connection, failed[0]["id"])
    made.deliver()
    assert len(made.platform.posts) == 1


# -- beside what people ask ---------------------------------------------------------------------------------------------------


def test_what_we_say_becomes_part_of_the_conversation_and_counts_against_nobodys_limit(tmp_path: Path) -> None:
    made = bench(tmp_path, limit_person=2, limit_organization=2)
    picture = Picture(b"\x89PNG", "a figure")
    for n in range(5):
        made.put(f"k{n}", to=To("test", "test:ann", "test:c"), organization="oak", reply=said(f"Line {n}.", picture=picture))

    async def story() -> None:
        await made.outbox.deliver()
        await until(lambda: not made.open_rows())
        accepted = await made.inbox.accept(act("hello", organization="oak"))
        await until(lambda: state(made.database, accepted.row_id) == "sent")

    made.run(story)
    assert [text for _, text in made.platform.posts] == [*(f"Line {n}." for n in range(5)), "re: hello"]
    assert [line.text for line in history(made.database, "test:c")][-3:] == ["Line 4.", "hello", "re: hello"]
    past = exchanges(made.database, "test:c")
    assert [line.unasked for line in past] == [True] * 5 + [False]
    packed = past[0].answered
    assert packed is not None
    assert unpack_answered(packed).reply.picture == picture
    assert last_reply(made.database, "test:c") == past[-1].answered
    made.database.close()


def test_whoever_comes_to_look_is_shown_what_waits_once(made: Bench) -> None:
    made.put("a", person="web:ann", reply=said("First."))
    made.put("b", person="web:ann", reply=said("Second."), not_before=made.clock.now.timestamp() + 60)
    made.put("c", person="web:ben")
    made.deliver()
    assert made.stands("a") == "waiting"  # nothing is pushed where people come by themselves
    assert [reply.markdown for reply in made.outbox.shown("web:ann", "web", "web:ann:talk")] == ["First."]
    assert made.outbox.shown("web:ann", "web", "web:ann:talk") == []
    past = exchanges(made.database, "web:ann:talk")
    assert [(line.state, line.asked, line.unasked) for line in past] == [("sent", "", True)]
    assert made.stands("a") == "sent"
    made.clock.pass_(minutes=1)
    assert [reply.markdown for reply in made.outbox.shown("web:ann", "web")] == ["Second."]
    assert made.stands("b") == "shown"


def test_times_of_a_week_are_counted_and_ended_rows_are_purged_after_it(made: Bench, tmp_path: Path) -> None:
    made.put("a")
    made.put("b", expires=made.clock.now.timestamp() - 1)
    made.deliver()
    now = made.clock.now.timestamp()
    with made.database.reading() as connection:
        assert outbox.times(connection, "test:ann", ("lesson",), now - 60) == [now]
        assert outbox.times(connection, "test:ann", ("lesson",), now) == []
        assert outbox.times(connection, "test:ann", ("other",), 0.0) == []
    settings = settings_for(tmp_path, keep_days=1)
    purge(made.database, settings, made.clock.now + timedelta(days=8))
    assert made.stands("a") == "sent"
    purge(made.database, settings, made.clock.now + timedelta(days=10))
    assert made.stands("a") == ""


def test_a_door_that_cannot_speak_first_is_left_alone(made: Bench) -> None:
    class Still:
        async def working(self, work: Work) -> None: ...

        async def send(self, work: Work, answered: Answered) -> str:
            raise AssertionError

        async def apologise(self, work: Work, incident: str) -> None: ...

    made.inbox.register("test", Still())
    made.put()
    assert asyncio.run(made.outbox.deliver()) == 0
    assert made.stands() == "waiting"


def test_the_terminal_shows_what_waits_at_the_next_chat_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = open_store(tmp_path)
    now = datetime.now(UTC).timestamp()
    with database.writing() as connection:
        reply = said("Do you still know?", choices=(Choice("1", "lesson:a"),))
        outbox.put(connection, "k", To.to_person("terminal:local"), reply, kind="lesson", now=now)
    database.close()
    monkeypatch.setenv("SIGNPOST_DATABASE_URL", f"sqlite:///{tmp_path / 'inbox.db'}")
    monkeypatch.setenv("SIGNPOST_STARTER_LIBRARY", "false")
    monkeypatch.chdir(tmp_path)
    shown = [CliRunner().invoke(cli, ["chat"], input="quit\n").output for _ in range(2)]
    assert ["Do you still know?" in text for text in shown] == [True, False]
