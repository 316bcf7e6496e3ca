"""The inbox's promises. Numbers in names are rows of the list of failures seen in peers."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.inbox import Accepted, Inbox, NotSent, Work, ledger
from bot.inbox.figures import Figures
from bot.inbox.journal import GIVE_WAY_SECONDS, PRESSED_SECONDS, PRESSING, Journal
from bot.inbox.ledger import Lease, Limits
from bot.knowledge.library import utc_now
from bot.messages import Action, Answered, Citation, Handling, Message, Outcome, Picture, Receipt, Reply
from bot.personal.forgetting import forget_person
from bot.personal.retention import purge
from bot.store import Database
from bot.store.conversation_tables import inbox as rows
from bot.store.conversations import exchanges, give_feedback
from bot.store.packed import pack_answered, pack_message, unpack_answered, unpack_message
from tests.conftest import settings_for
from tests.doubles.inbox import Platform, Thinker, act, make_inbox, open_store, state, until


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    database = open_store(tmp_path)
    yield database
    database.close()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.inbox.worker.backoff", lambda _attempt: 0.005)
    monkeypatch.setattr("bot.inbox.worker.APOLOGY_WAITS", (0.005, 0.005, None))
    monkeypatch.setattr("bot.inbox.inbox.SWEEP_SECONDS", 0.02)


def run(inbox: Inbox, story: Callable[[], Awaitable[None]], seconds: float = 20.0) -> bool:
    """Start the inbox, tell the story, drain."""

    async def all_of_it() -> bool:
        inbox.start()
        await story()
        return await inbox.drain(seconds)

    return asyncio.run(all_of_it())


# -- once ----------------------------------------------------------------------------------------------------------------


def test_row_1_an_act_delivered_four_times_to_two_processes_at_once_is_answered_once(tmp_path: Path) -> None:
    thinker, platform = Thinker(), Platform()
    stores = [open_store(tmp_path) for _ in range(2)]

    async def story() -> None:
        inboxes = [make_inbox(store, tmp_path, thinker, platform) for store in stores]
        for inbox in inboxes:
            inbox.start()
        accepted = await asyncio.gather(*(inbox.accept(act("m1")) for inbox in inboxes for _ in range(4)))
        assert sum(a.new for a in accepted) == 1
        assert len({a.row_id for a in accepted}) == 1
        for inbox in inboxes:
            assert await inbox.drain(20)
        again = make_inbox(stores[0], tmp_path, thinker, platform)
        again.start()
        assert not (await again.accept(act("m1"))).new
        assert await again.drain(20)

    asyncio.run(story())
    assert thinker.asked == ["m1"]
    assert len(platform.posts) == 1
    for store in stores:
        store.close()


@pytest.mark.parametrize("order", [("mention", "message"), ("message", "mention")])
def test_row_2_a_mention_and_its_message_twin_are_one_act_in_either_order(
    store: Database, tmp_path: Path, order: tuple[str, str]
) -> None:
    thinker, platform = Thinker(), Platform()
    inbox = make_inbox(store, tmp_path, thinker, platform)

    async def story() -> None:
        first = await inbox.accept(act("T1:C1:1700.1", text=f"hello by {order[0]}"))
        second = await inbox.accept(act("T1:C1:1700.1", text=f"hello by {order[1]}"))
        assert (first.new, second.new) == (True, False)

    assert run(inbox, story)
    assert [text for _, text in platform.posts] == [f"re: hello by {order[0]}"]


def test_row_4_acknowledgement_does_not_wait_for_the_answer(store: Database, tmp_path: Path) -> None:
    free = threading.Event()
    thinker, platform = Thinker(before=lambda _: free.wait(30) and None), Platform()
    inbox = make_inbox(store, tmp_path, thinker, platform)
    times: list[float] = []

    async def one(n: int) -> None:
        started = time.perf_counter()
        await inbox.accept(act(f"m{n}", conversation=f"c{n}"))
        times.append(time.perf_counter() - started)

    async def story() -> None:
        await asyncio.gather(*(one(n) for n in range(50)))
        assert platform.posts == []
        free.set()

    assert run(inbox, story)
    assert max(times) < 0.5
    assert len(platform.posts) == 50


def test_work_gives_way_to_a_crowd_of_arrivals_for_a_moment_and_not_to_a_few(store: Database) -> None:
    journal = Journal(store, lambda _, arrivals: [Accepted(1, True)] * len(arrivals))

    async def waited() -> float:
        began = time.perf_counter()
        await journal.give_way()
        return time.perf_counter() - began

    async def story() -> tuple[float, float, float]:
        await asyncio.gather(*(journal.claim(act(f"a{n}")) for n in range(PRESSING - 1)))
        few = await waited()
        # The last of them came together with the next: one commit, or several, makes no difference.
        crowd = asyncio.gather(*(journal.claim(act(f"b{n}")) for n in range(PRESSING)))
        await asyncio.sleep(0)
        many = await waited()
        await crowd
        return few, many, await waited()

    few, many, after = asyncio.run(story())
    journal.close()
    assert few < PRESSED_SECONDS / 2
    assert PRESSED_SECONDS / 2 < many < GIVE_WAY_SECONDS + 0.2
    assert after < PRESSED_SECONDS / 2


def test_row_6_a_resend_under_a_new_id_is_the_same_act_for_a_short_while(store: Database, tmp_path: Path) -> None:
    thinker, platform = Thinker(), Platform()
    inbox = make_inbox(store, tmp_path, thinker, platform)

    async def story() -> None:
        first = await inbox.accept(act("id-1", twin="conversation:ann:payload"))
        second = await inbox.accept(act("id-2", twin="conversation:ann:payload"))
        other = await inbox.accept(act("id-3", twin="conversation:ann:other"))
        assert second == type(second)(first.row_id, False)
        assert other.new

    assert run(inbox, story)
    assert len(platform.posts) == 2
    with store.reading() as connection:
        now = datetime.now(UTC).timestamp() + ledger.TWIN_SECONDS + 1
        late = ledger.claim(connection, [act("id-4", twin="conversation:ann:payload")], Lease("x", now, 1.0))
        assert late[0].new
        connection.rollback()


def test_row_6_resends_that_arrive_together_are_one_act(store: Database, tmp_path: Path) -> None:
    thinker, platform = Thinker(), Platform()
    inbox = make_inbox(store, tmp_path, thinker, platform)

    async def story() -> None:
        names = [("id-1", "same"), ("id-2", "same"), ("id-3", "other"), ("id-1", "same"), ("id-4", "same"), ("id-5", "")]
        accepted = await asyncio.gather(*(inbox.accept(act(name, twin=twin)) for name, twin in names))
        assert [one.new for one in accepted] == [True, False, True, False, False, True]
        assert len({accepted[n].row_id for n in (0, 1, 3, 4)}) == 1
        assert len({one.row_id for one in accepted}) == 3

    assert run(inbox, story)
    assert len(platform.posts) == 3


def test_row_6_a_resend_beside_a_delivery_that_was_claimed_long_ago_is_that_one(store: Database) -> None:
    now = datetime.now(UTC).timestamp()
    lease = Lease("x", now, 1.0)
    with store.writing() as connection:
        old = ledger.claim(connection, [act("id-1", twin="same")], Lease("x", now - 3_600, 1.0))[0]
        # The platform repeats the old one, and in the same commit the person presses the same again.
        again, pressed = ledger.claim(connection, [act("id-1", twin="same"), act("id-2", twin="same")], lease)
    assert (again.row_id, again.new) == (old.row_id, False)
    assert pressed.new
    assert pressed.row_id != old.row_id


def test_row_8_a_post_that_was_stored_before_the_connection_broke_is_not_posted_again(store: Database, tmp_path: Path) -> None:
    broken: list[int] = []

    def trouble(stage: str, work: Work) -> None:
        if stage == "after" and not broken:
            broken.append(work.row_id)
            raise ConnectionResetError

    thinker, platform = Thinker(), Platform(trouble=trouble)
    inbox = make_inbox(store, tmp_path, thinker, platform)

    async def story() -> None:
        await inbox.accept(act("m1"))

    assert run(inbox, story)
    assert broken
    assert len(platform.posts) == 1
    assert thinker.asked == ["m1"]
    assert platform.sorry == []


def test_a_refused_post_is_posted_again_after_the_time_the_platform_names(store: Database, tmp_path: Path) -> None:
    seen: list[tuple[float, bool]] = []

    def trouble(stage: str, work: Work) -> None:
        if stage == "before":
            seen.append((time.monotonic(), work.maybe_sent))
            if len(seen) == 1:
                raise NotSent("slow down", retry_after=0.2)

    platform = Platform(trouble=trouble)
    inbox = make_inbox(store, tmp_path, Thinker(), platform)

    async def story() -> None:
        await inbox.accept(act("m1"))

    assert run(inbox, story)
    assert len(platform.posts) == 1
    assert seen[1][0] - seen[0][0] >= 0.2
    assert [maybe for _, maybe in seen] == [False, False]


# -- a visible end -------------------------------------------------------------------------------------------------------


def test_row_5_a_message_that_always_fails_is_apologised_for_once_and_can_be_retried(store: Database, tmp_path: Path) -> None:
    failing = [True]

    def fail(_: Message) -> None:
        if failing:
            raise RuntimeError("secret words of the message")

    thinker, platform = Thinker(before=fail), Platform()
    inbox = make_inbox(store, tmp_path, thinker, platform, attempts=2)

    async def story() -> None:
        row = (await inbox.accept(act("m1"))).row_id
        await until(lambda: state(store, row) == "failed")
        assert len(platform.sorry) == 1
        assert len(thinker.asked) == 2
        with store.reading() as connection:
            listed = ledger.listed(connection, failed=True)
        assert [(line["id"], line["incident"]) for line in listed] == [(row, platform.sorry[0][1])]
        failing.clear()
        with store.writing() as connection:
            assert ledger.retry(connection, row)
        await until(lambda: state(store, row) == "sent")

    assert run(inbox, story)
    assert [text for _, text in platform.posts] == ["re: m1"]
    assert len(platform.sorry) == 1


@pytest.mark.parametrize("stage", ["walk", "hang", "working", "before", "after", "permanent", "apology", "apologised", "redact"])
def test_row_20_a_fault_at_any_stage_still_ends_visibly_exactly_once(
    store: Database, tmp_path: Path, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.inbox.worker.REDACT_SECONDS", 0.1)
    free = threading.Event()
    met: list[str] = []

    def think(_: Message) -> None:
        if stage in ("walk", "apology", "apologised", "redact"):
            raise RuntimeError
        if stage == "hang":
            free.wait(20)

    def keeps(message: Message) -> str:
        if stage == "redact":
            raise RuntimeError
        return message.text

    def trouble(now: str, _: Work) -> None:
        if now == stage and met.count(now) < 2:
            met.append(now)
            raise ConnectionError
        if now == "before" and stage == "permanent":
            raise NotSent("the channel is archived", permanent=True)

    thinker, platform = Thinker(before=think, keeps=keeps), Platform(trouble=trouble)
    inbox = make_inbox(store, tmp_path, thinker, platform, answer_seconds=0.2)
    found: list[int] = []

    async def story() -> None:
        found.append((await inbox.accept(act("m1"))).row_id)
        started = time.monotonic()
        await until(lambda: state(store, found[0]) in ("sent", "failed"))
        assert time.monotonic() - started < 5
        free.set()

    assert run(inbox, story)
    assert platform.ends(found[0]) == 1
    expected = "sent" if stage in ("working", "before", "after") else "failed"
    assert state(store, found[0]) == expected


def test_when_nothing_can_be_posted_at_all_the_row_says_so_to_an_operator(store: Database, tmp_path: Path) -> None:
    def trouble(stage: str, _: Work) -> None:
        if stage in ("before", "apology"):
            raise ConnectionError

    platform = Platform(trouble=trouble)
    inbox = make_inbox(store, tmp_path, Thinker(), platform)

    async def story() -> None:
        row = (await inbox.accept(act("m1"))).row_id
        await until(lambda: state(store, row) == "failed")

    assert run(inbox, story)
    with store.reading() as connection:
        assert [line["reason"] for line in ledger.listed(connection, failed=True)] == ["unsaid"]


def test_row_22_other_bots_are_claimed_and_never_answered(store: Database, tmp_path: Path) -> None:
    thinker, platform = Thinker(), Platform()
    inbox = make_inbox(store, tmp_path, thinker, platform)

    async def story() -> None:
        for n in range(10):
            await inbox.accept(act(f"bot{n}", from_bot=True))
        await inbox.accept(act("person"))

    assert run(inbox, story)
    assert thinker.asked == ["person"]


# -- order, limits, memory -----------------------------------------------------------------------------------------------


def test_a_conversation_is_answered_in_order_and_others_meanwhile_within_the_bound(store: Database, tmp_path: Path) -> None:
    thinker, platform = Thinker(before=lambda _: time.sleep(0.01)), Platform()
    inbox = make_inbox(store, tmp_path, thinker, platform, turns=3)

    async def story() -> None:
        for n in range(24):
            await inbox.accept(act(f"m{n}", conversation=f"c{n % 4}"))

    assert run(inbox, story)
    for c in range(4):
        mine = [text for _, text in platform.posts if int(text.removeprefix("re: m")) % 4 == c]
        assert mine == [f"re: m{n}" for n in range(24) if n % 4 == c]
    assert 1 < thinker.most_at_once <= 3


def test_over_the_limit_a_person_is_told_once_and_then_left_in_silence(store: Database, tmp_path: Path) -> None:
    thinker, platform = Thinker(), Platform()
    inbox = make_inbox(store, tmp_path, thinker, platform, limit_person=3)

    async def story() -> None:
        for n in range(8):
            await inbox.accept(act(f"m{n}", conversation=f"c{n}"))
            await until(lambda n=n: inbox_idle(store))
        await inbox.accept(act("other", person="test:ben"))

    assert run(inbox, story)
    assert thinker.asked == ["m0", "m1", "m2", "other"]
    limited = [text for _, text in platform.posts if not text.startswith("re:")]
    assert len(limited) == 1
    assert "minute" in limited[0]


def test_an_organizations_limit_counts_all_its_people(store: Database, tmp_path: Path) -> None:
    thinker, platform = Thinker(), Platform()
    inbox = make_inbox(store, tmp_path, thinker, platform, limit_organization=4)

    async def story() -> None:
        for n in range(6):
            await inbox.accept(act(f"m{n}", person=f"test:p{n}", organization="north"))
            await until(lambda: inbox_idle(store))
        await inbox.accept(act("south", person="test:s", organization="south"))

    assert run(inbox, story)
    assert thinker.asked == ["m0", "m1", "m2", "m3", "south"]
    assert len(platform.posts) == 7  # each of the two others is told once


def inbox_idle(store: Database) -> bool:
    with store.reading() as connection:
        return not set(ledger.counts(connection)) & set(ledger.OPEN)


def test_row_21_history_outlives_a_restart_and_holds_only_what_may_be_kept(store: Database, tmp_path: Path) -> None:
    thinker, platform = Thinker(keeps=lambda m: m.text.replace("Maria Lopez", "[name]")), Platform()

    async def say(text: str) -> None:
        inbox = make_inbox(store, tmp_path, thinker, platform)
        inbox.start()
        await inbox.accept(act(text, text=text))
        assert await inbox.drain(20)

    asyncio.run(say("May I paste an essay of Maria Lopez?"))
    asyncio.run(say("And hers from last year?"))
    assert thinker.histories[1] == ("May I paste an essay of [name]?", "re: May I paste an essay of Maria Lopez?")
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("inbox.db*"))
    assert b"hers from last year" in stored
    asked = [line.asked for line in exchanges(store, "test:c")]
    assert asked == ["May I paste an essay of [name]?", "And hers from last year?"]
    with store.reading() as connection:
        assert {row.message for row in connection.execute(rows.select())} == {""}


@pytest.mark.parametrize("seed", [2, 3, 5, 7])
def test_no_copy_of_what_was_said_is_left_where_a_page_was_split(store: Database, tmp_path: Path, seed: int) -> None:
    """Rows that wait together and then grow by their answers: what SQLite leaves behind when it splits a page holds no words."""
    chance, lease = random.Random(seed), Lease("a", 10.0, 60.0)
    said = [act(f"m{n}", f"Secretive-{n} " + "word " * chance.randint(1, 20), f"c{n}") for n in range(90)]
    with store.writing() as connection:
        waiting = [accepted.row_id for accepted in ledger.claim(connection, said, lease)]
    assert b"Secretive-89" in b"".join(path.read_bytes() for path in tmp_path.glob("inbox.db*"))
    for row in waiting:
        with store.writing() as connection:
            begun = ledger.begin(connection, row, lease, Limits())
            assert begun
        for change in (
            {"state": "answered", "message": "{}", "answered": "x" * chance.randint(500, 3_000), "answer": "a" * 16},
            {"send_started": True},
        ):
            with store.writing() as connection:
                assert ledger.mark(connection, row, begun.fence, **change)
        with store.writing() as connection:
            assert ledger.end(connection, row, begun.fence, 20.0, "sent", platform_id="p1")
    assert store.flush_log()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("inbox.db*"))
    assert b"test:m89" in stored
    assert b"Secretive-" not in stored


def test_what_was_said_is_blanked_when_no_answer_came_and_screening_failed_too(store: Database, tmp_path: Path) -> None:
    def fail(_: Message) -> str:
        raise RuntimeError

    def think(_: Message) -> None:
        raise RuntimeError

    inbox = make_inbox(store, tmp_path, Thinker(before=think, keeps=fail), Platform(), attempts=1)

    async def story() -> None:
        row = (await inbox.accept(act("m1", text="Maria Lopez, grade 4"))).row_id
        await until(lambda: state(store, row) == "failed")
        with store.writing() as connection:
            assert not ledger.retry(connection, row)

    assert run(inbox, story)
    with store.reading() as connection:
        assert {row.message for row in connection.execute(rows.select())} == {""}


def test_threads_we_take_part_in_are_remembered_until_told_otherwise(store: Database, tmp_path: Path) -> None:
    inbox = make_inbox(store, tmp_path, Thinker(), Platform())
    assert not inbox.engaged("test:c")
    inbox.engage("test:c", "test")
    assert make_inbox(store, tmp_path, Thinker(), Platform()).engaged("test:c")
    inbox.disengage("test:c")
    assert not inbox.engaged("test:c")
    inbox.engage("test:c", "test")
    assert inbox.engaged("test:c")


def test_feedback_is_one_verdict_a_person_and_everything_of_a_person_can_be_forgotten(store: Database, tmp_path: Path) -> None:
    inbox = make_inbox(store, tmp_path, Thinker(), Platform())

    async def story() -> None:
        await inbox.accept(act("m1"))
        await inbox.accept(act("m2", person="test:ben", conversation="d"))

    assert run(inbox, story)
    line = exchanges(store, "test:c")[0]
    assert line.answered
    answer_id = unpack_answered(line.answered).receipt.answer_id
    give_feedback(store, answer_id, "test:ann", True, 1.0)
    give_feedback(store, answer_id, "test:ann", False, 2.0, "outdated")
    with sqlite3.connect(tmp_path / "inbox.db") as plain:
        assert plain.execute("SELECT helpful, reason FROM feedback").fetchall() == [(0, "outdated")]
        assert forget_person(store, tmp_path, "test:ann", 3.0).total > 0
        for table in ("utterances", "feedback", "inbox"):
            assert plain.execute(f"SELECT count(*) FROM {table} WHERE person='test:ann'").fetchone() == (0,)
    assert exchanges(store, "test:c") == []
    assert len(exchanges(store, "test:d")) == 1


def test_old_conversations_are_purged(store: Database, tmp_path: Path) -> None:
    inbox = make_inbox(store, tmp_path, Thinker(), Platform())

    async def story() -> None:
        await inbox.accept(act("m1"))

    assert run(inbox, story)
    kept = settings_for(tmp_path)
    assert purge(store, kept, utc_now() + timedelta(days=29)).deleted == {}
    assert purge(store, kept, utc_now() + timedelta(days=31)).deleted == {"inbox": 1, "utterances": 2}
    assert exchanges(store, "test:c") == []


# -- whatever crashes ----------------------------------------------------------------------------------------------------


def test_a_restart_takes_up_what_a_dead_process_left(store: Database, tmp_path: Path) -> None:
    dead = f"{ledger.owner_name('x').split(':')[0]}:999999999:1:dead"
    with store.writing() as connection:
        claimed = ledger.claim(connection, [act("a"), act("b"), act("c")], Lease(dead, time.time(), 3600.0))
        begun = ledger.begin(connection, claimed[0].row_id, Lease(dead, time.time(), 3600.0), ledger.Limits())
        assert isinstance(begun, ledger.Begun)
    thinker, platform = Thinker(), Platform()
    inbox = make_inbox(store, tmp_path, thinker, platform)

    async def story() -> None:
        await until(lambda: len(platform.posts) == 3)

    assert run(inbox, story)
    assert thinker.asked == ["a", "b", "c"]


def test_a_living_process_of_another_machine_keeps_its_rows_until_its_lease_ends(store: Database, tmp_path: Path) -> None:
    with store.writing() as connection:
        held = ledger.claim(connection, [act("a")], Lease("elsewhere:1:1:x", time.time(), 3600.0))[0]
        gone = ledger.claim(connection, [act("b", conversation="d")], Lease("elsewhere:1:1:x", time.time() - 60, 30.0))[0]
    platform = Platform()
    inbox = make_inbox(store, tmp_path, Thinker(), platform)

    async def story() -> None:
        await until(lambda: state(store, gone.row_id) == "sent")

    assert run(inbox, story)
    assert state(store, held.row_id) == "received"
    assert [row for row, _ in platform.posts] == [gone.row_id]


def test_a_zombie_that_wakes_after_its_row_was_taken_over_says_nothing(store: Database, tmp_path: Path) -> None:
    free = threading.Event()
    sleepy, platform = Thinker(before=lambda _: free.wait(20) and None), Platform()
    zombie = make_inbox(store, tmp_path, sleepy, platform)
    found: list[int] = []

    async def story() -> None:
        zombie.start()
        found.append((await zombie.accept(act("m1"))).row_id)
        await until(lambda: bool(sleepy.asked))
        later = Lease("other:1:1:x", time.time() + 3600, 60.0)
        with store.writing() as connection:
            begun = ledger.begin(connection, found[0], later, ledger.Limits())
            assert isinstance(begun, ledger.Begun)
            assert ledger.end(connection, found[0], begun.fence, later.now, "sent")
        free.set()
        assert await zombie.drain(20)

    asyncio.run(story())
    assert platform.posts == []
    assert platform.sorry == []


def test_draining_leaves_what_it_cannot_finish_to_the_next_start(store: Database, tmp_path: Path) -> None:
    free = threading.Event()
    inbox = make_inbox(store, tmp_path, Thinker(before=lambda _: free.wait(20) and None), Platform())

    async def story() -> None:
        await inbox.accept(act("m1"))

    assert not run(inbox, story, seconds=0.05)
    free.set()
    platform = Platform()

    async def next_story() -> None:
        await until(lambda: len(platform.posts) == 1)

    assert run(make_inbox(store, tmp_path, Thinker(), platform), next_story)


def test_a_message_accepted_before_the_work_starts_is_answered_once_it_does(store: Database, tmp_path: Path) -> None:
    platform = Platform()
    inbox = make_inbox(store, tmp_path, Thinker(), platform)

    async def story() -> None:
        await inbox.accept(act("m1"))
        inbox.start()
        await until(lambda: len(platform.posts) == 1)
        assert await inbox.drain(20)

    asyncio.run(story())


def test_a_row_whose_door_is_closed_waits_for_one_where_it_is_open(store: Database, tmp_path: Path) -> None:
    closed = make_inbox(store, tmp_path, Thinker(), Platform())
    closed._senders.clear()

    async def story() -> None:
        await closed.accept(act("m1"))

    assert run(closed, story)
    platform = Platform()

    async def next_story() -> None:
        await until(lambda: len(platform.posts) == 1)

    assert run(make_inbox(store, tmp_path, Thinker(), platform), next_story)


Arrival = st.tuples(st.integers(0, 9), st.integers(0, 2))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrivals=st.lists(Arrival, min_size=1, max_size=40), breaks=st.sets(st.integers(0, 60), max_size=8))
def test_whatever_arrives_however_often_is_posted_once_and_in_order(
    tmp_path: Path, arrivals: list[tuple[int, int]], breaks: set[int]
) -> None:
    folder = tmp_path / str(time.perf_counter_ns())
    folder.mkdir()
    store = open_store(folder)
    calls = [0]

    def trouble(stage: str, _: Work) -> None:
        calls[0] += 1
        if stage in ("before", "after") and calls[0] in breaks:
            raise ConnectionError

    platform = Platform(trouble=trouble)
    inbox = make_inbox(store, folder, Thinker(), platform, attempts=20)

    async def story() -> None:
        await asyncio.gather(*(inbox.accept(act(f"{n}-{c}", conversation=f"c{c}")) for n, c in arrivals))

    assert run(inbox, story)
    store.close()
    for c in range(3):
        first_come = list(dict.fromkeys(f"re: {n}-{d}" for n, d in arrivals if d == c))
        assert [text for _, text in platform.posts if text.endswith(f"-{c}")] == first_come
    assert platform.sorry == []


# -- the parts -----------------------------------------------------------------------------------------------------------


def test_a_claim_that_fails_tells_the_door_and_spares_its_companions(store: Database, tmp_path: Path) -> None:
    inbox = make_inbox(store, tmp_path, Thinker(), Platform())

    async def story() -> None:
        def bad(_: object) -> None:
            raise ValueError

        good = inbox.accept(act("m1"))
        results = await asyncio.gather(good, inbox._journal.do(bad), return_exceptions=True)
        assert not isinstance(results[0], BaseException)
        assert isinstance(results[1], ValueError)

    assert run(inbox, story)


def test_an_act_that_comes_after_the_end_is_refused_so_that_the_platform_comes_again(store: Database, tmp_path: Path) -> None:
    inbox = make_inbox(store, tmp_path, Thinker(), Platform())

    async def story() -> None:
        inbox.start()
        assert await inbox.drain(5)
        with pytest.raises(RuntimeError):
            await asyncio.wait_for(inbox.accept(act("late")), 5)

    asyncio.run(story())


def test_a_process_is_known_to_be_alive_or_gone() -> None:
    mine = ledger.owner_name("x")
    host, pid, started, token = mine.split(":")
    assert not ledger.owner_is_gone(mine)
    assert ledger.owner_is_gone("")
    assert ledger.owner_is_gone(f"{host}:{pid}:{int(started or 0) + 1}:{token}")
    assert ledger.owner_is_gone(f"{host}:999999999:{started}:{token}")
    assert not ledger.owner_is_gone(f"other{host}:999999999:{started}:{token}")


TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)


@settings(deadline=None)
@given(text=TEXTS, value=st.none() | TEXTS, png=st.none() | st.binary(max_size=50))
def test_messages_and_replies_come_back_from_the_row_as_they_went_in(text: str, value: str | None, png: bytes | None) -> None:
    message = Message(text, action=Action(value) if value is not None else None, at=datetime(2026, 1, 2, tzinfo=UTC))
    assert unpack_message(pack_message(message)) == message
    citation = Citation(1, "d", "d@1", "s", "p", text, "u", "", "2026", "", "", "state", text, 0, 1)
    picture = Picture(png, text) if png is not None else None
    reply = Reply(Outcome.ANSWERED, Handling.ANSWER, text, "en", (citation,), picture=picture)
    answered = Answered(reply, Receipt("a", {"base": 1}, None, "v", {"total": 1.5}, considered=(("x", 0.5),)))
    assert unpack_answered(pack_answered(answered)) == answered


def test_figures_hold_counts_and_times_and_nothing_else() -> None:
    figures = Figures()
    figures.count("received", platform="slack")
    figures.observe("claim", 0.02, platform="slack")
    figures.observe("claim", 99.0, platform="slack")
    text = figures.text({"inbox_rows": ("state", {"sent": 3})})
    assert 'signpost_received_total{platform="slack"} 1' in text
    assert 'signpost_claim_seconds_bucket{platform="slack",le="0.025"} 1' in text
    assert 'signpost_claim_seconds_bucket{platform="slack",le="+Inf"} 2' in text
    assert 'signpost_inbox_rows{state="sent"} 3' in text
