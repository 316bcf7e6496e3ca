"""Deleting a person's data: all of it, overwritten, searched for afterwards, and said in numbers; a hold stops it and says so."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.inbox import Inbox
from bot.knowledge.library import utc_now
from bot.messages import Action, Answered, Message, Person, Place, Reply
from bot.personal import holds
from bot.personal.forgetting import forget_person, probes, to_delete
from bot.personal.links import any_leads_to, table_of
from bot.personal.map import KEPT
from bot.personal.search import in_files, in_tables
from bot.store import Database
from bot.store.conversation_tables import conversation_references
from bot.store.conversations import exchanges
from bot.turn import Turn
from tests.conftest import settings_for
from tests.doubles.inbox import Platform, act, until
from tests.personal.conftest import ANN, BEN, NOW, everything, put, said
from tests.test_turn import Assistant, talk


def rows_of(database: Database, person: str) -> dict[str, int]:
    with database.reading() as connection:
        found = {}
        for kept in KEPT.values():
            table = table_of(kept.table)
            found[kept.table] = len(connection.execute(select(table).where(any_leads_to(table, kept.person, [person]))).all())
        return {name: count for name, count in found.items() if count}


def test_everything_of_a_person_goes_and_nothing_of_anybody_else(store: Database, tmp_path: Path) -> None:
    everything(store, ANN, 1)
    everything(store, BEN, 51)
    filled = set(KEPT) - {"versions", "lesson_reviews", "readiness_approvals", "holds", "deletion_wishes"}
    assert set(rows_of(store, ANN)) == filled, "the test fills every table"
    others = rows_of(store, BEN)
    done = forget_person(store, tmp_path, ANN, NOW)
    assert done.left == ()
    assert done.stays == {"audit": 1}
    assert done.counted
    assert done.deleted["inbox"] == 2
    assert done.deleted["utterances"] == 4
    assert rows_of(store, ANN) == {"audit": 1}
    assert rows_of(store, BEN) == others
    with store.reading() as connection:
        assert in_tables(connection, ANN, whole=True) == {"audit.actor": 1}
        assert in_tables(connection, "the essays of 1", whole=True) == {}
        assert in_tables(connection, "the essays of 51")


def test_the_bytes_are_gone_from_every_file_at_once(store: Database, tmp_path: Path) -> None:
    words = "may the robot " + "and again " * 900 + "grade"
    said(store, 1, ANN, words)
    said(store, 2, BEN, "something else altogether")
    pieces = probes(words)
    assert set(in_files(store, tmp_path, pieces)) == set(pieces)
    assert forget_person(store, tmp_path, ANN, NOW).left == ()
    assert in_files(store, tmp_path, [*pieces, ANN + '"', "grade"]) == {}
    assert in_files(store, tmp_path, ["something else altogether"])


def test_what_somebody_else_said_too_is_not_taken_for_a_trace(store: Database, tmp_path: Path) -> None:
    for row, person in enumerate((ANN, BEN), 1):
        said(store, row, person, "may the robot grade the essays of my class")
    assert forget_person(store, tmp_path, ANN, NOW).left == ()


def test_a_trace_that_stays_is_found_and_said(store: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    said(store, 1, ANN, "may the robot grade the essays of my class")
    put(store, "handoffs", id="h", conversation="c", platform="slack", person=BEN, question=f"ask {ANN}", state="open",
        language="en", reference={}, helper_reference={}, created_at=NOW, touched_at=NOW)  # fmt: skip
    (tmp_path / "copy.txt").write_text("... may the robot grade the essays of my class ...")
    done = forget_person(store, tmp_path, ANN, NOW)
    assert set(done.left) == {"handoffs.question", "copy.txt"}
    assert done.incident in caplog.text
    assert "robot" not in caplog.text
    assert ANN not in caplog.text


def test_a_channels_address_stays_and_names_nobody(store: Database, tmp_path: Path) -> None:
    everything(store, ANN)
    forget_person(store, tmp_path, ANN, NOW)
    with store.reading() as connection:
        left = connection.execute(select(conversation_references)).all()
    assert [(row.kind, row.person, row.reference) for row in left] == [("channel", "gone", {"channel": "C01"})]


def test_a_shared_thread_stays_for_the_others(store: Database, tmp_path: Path) -> None:
    for row, person in enumerate((ANN, BEN), 1):
        said(store, row, person, f"a question of mine, {row}", conversation="slack:T01:C1:1.0")
    put(store, "engagements", conversation="slack:T01:C1:1.0", platform="slack", engaged_at=NOW, last_at=NOW, quiet=False)
    forget_person(store, tmp_path, ANN, NOW)
    with store.reading() as connection:
        assert len(connection.execute(select(table_of("engagements"))).all()) == 1
    assert [line.asked for line in exchanges(store, "slack:T01:C1:1.0")] == ["a question of mine, 2"]


def test_what_would_be_deleted_is_counted_and_nothing_changes(store: Database) -> None:
    everything(store, ANN)
    counts = to_delete(store, ANN)
    assert counts["inbox"] == 2
    assert "audit" not in counts
    assert to_delete(store, ANN) == counts


# -- in a conversation ---------------------------------------------------------------------------------------------------


class Doors(Platform):
    """Keeps whole replies."""

    def __init__(self) -> None:
        super().__init__()
        self.replies: list[Reply] = []

    async def send(self, work: object, answered: Answered) -> str:
        self.replies.append(answered.reply)
        return "x"


def turn_over(store: Database, folder: Path, **more: object) -> Turn:
    return Turn(Assistant(), store, settings_for(folder, **more), utc_now)  # type: ignore[arg-type]


def test_asking_in_chat_deletes_the_asking_too_and_says_how_much(store: Database, tmp_path: Path) -> None:
    turn = turn_over(store, tmp_path)
    replies = talk(turn, store, tmp_path, "may robots grade essays", "thanks", "forget me", Action("forget:yes"))
    told = replies[-1].markdown
    assert replies[-1].fixed == "forgotten"
    assert "messages with their replies (3)" in told
    assert "nothing is left" in told
    assert "backups" in told
    with store.reading() as connection:
        assert in_tables(connection, "test:ann") == {}
        assert in_tables(connection, "robots grade") == {}
    assert in_files(store, tmp_path, ["test:ann", "robots grade", "forget:yes"]) == {}


def test_a_message_under_way_elsewhere_is_wiped_when_it_ends(store: Database, tmp_path: Path) -> None:
    inbox_, seen = Inbox(store, turn_over(store, tmp_path), settings_for(tmp_path), utc_now), Doors()
    inbox_.register("test", seen)

    async def story() -> None:
        accepted = await inbox_.accept(act("m1", text="may robots grade essays", conversation="other"))
        done = await asyncio.to_thread(forget_person, store, tmp_path, "test:ann", NOW)
        assert done.left == ()
        inbox_.start()
        await until(lambda: bool(seen.replies))
        assert accepted.new
        assert await inbox_.drain(30)

    asyncio.run(story())
    assert "robots" in seen.replies[0].markdown, "it was answered all the same"
    with store.reading() as connection:
        assert in_tables(connection, "test:ann") == {}
        assert in_tables(connection, "robots grade") == {}
    assert in_files(store, tmp_path, ["robots grade", "test:ann"]) == {}


def test_a_resend_of_a_forgotten_message_is_not_answered_again(store: Database, tmp_path: Path) -> None:
    def run(*names: str) -> Doors:
        inbox_, seen = Inbox(store, turn_over(store, tmp_path), settings_for(tmp_path), utc_now), Doors()
        inbox_.register("test", seen)

        async def story() -> None:
            inbox_.start()
            for name in names:
                await inbox_.accept(act(name, text="may robots grade essays"))
            assert await inbox_.drain(30)

        asyncio.run(story())
        return seen

    assert len(run("m1").replies) == 1
    forget_person(store, tmp_path, "test:ann", NOW)
    assert len(run("m1", "m2").replies) == 1, "only the new one"


def test_a_page_still_shows_what_was_deleted_to_its_own_browser(store: Database, tmp_path: Path) -> None:
    inbox_, seen = Inbox(store, turn_over(store, tmp_path), settings_for(tmp_path), utc_now), Doors()
    inbox_.register("web", seen)
    person = Person("web:tokenoftheirs")

    async def story() -> None:
        inbox_.start()
        for n, action in enumerate((None, Action("forget:yes"))):
            received = act(f"m{n}", text="may robots grade essays", conversation="tokenoftheirs:talk")
            said_ = Message("may robots grade essays", person=person, place=Place("web"), action=action)
            await inbox_.accept(type(received)("web", f"web:{n}", "web:tokenoftheirs:talk", said_))
        assert await inbox_.drain(30)

    asyncio.run(story())
    shown = exchanges(store, "web:tokenoftheirs:talk")
    assert len(shown) == 1
    assert "nothing is left" in str(shown[0].answered)
    with store.reading() as connection:
        assert in_tables(connection, "tokenoftheirs") == {}
        assert in_tables(connection, "robots grade") == {}


def test_a_hold_stops_it_says_so_and_the_wish_is_kept(store: Database, tmp_path: Path) -> None:
    with store.writing() as connection:
        hold = holds.add(connection, "person", "test:ann", "a lawsuit", "Rae Records", NOW)
    replies = talk(turn_over(store, tmp_path), store, tmp_path, "may robots grade essays", Action("forget:yes"))
    told = replies[-1].markdown
    assert replies[-1].fixed == "forget_held"
    assert "Nothing was deleted" in told
    assert "2027-01-15" in told
    assert "lawsuit" not in told
    with store.reading() as connection:
        assert in_tables(connection, "robots grade")["utterances.text"] == 2
        assert holds.wishes(connection) == ["test:ann"]
        assert hold.released_at is None


def test_nobody_in_particular_is_told_that_nothing_is_kept(store: Database, tmp_path: Path) -> None:
    told = turn_over(store, tmp_path).take(Message("", action=Action("forget:yes"))).reply
    assert "nothing is kept about you" in told.markdown


@pytest.mark.parametrize("language", ["en", "es"])
def test_privacy_says_what_is_kept_where_for_how_long_and_who_may_read_it(store: Database, tmp_path: Path, language: str) -> None:
    def asked(place: Place, **more: object) -> str:
        turn = turn_over(store, tmp_path, **more)
        return turn.take(Message("", place=place, language=language, action=Action("privacy"))).reply.markdown

    slack = asked(Place("slack", kind="channel"), keep_days=21, keep_feedback_days=99)
    assert all(word in slack for word in ("21", "99", "180", "Slack"))
    teams, web = asked(Place("teams")), asked(Place("web"), openai_base_url="https://models.example.org/v1")
    assert "Microsoft 365" in teams
    assert "models.example.org" in web
    assert len({slack, teams, web}) == 3
    sealed = asked(Place("web"), data_key="k" * 40)
    assert ("encrypted" if language == "en" else "cifradas") in sealed
    assert "cifradas" not in web
    assert "encrypted" not in web
    for text in (slack, teams, web):
        assert ("public records" if language == "en" else "registros públicos") in text
        assert ("delete my data" if language == "en" else "borrar mis datos") in text
