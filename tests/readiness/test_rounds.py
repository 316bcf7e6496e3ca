"""Rounds: published once after they close, frozen, small groups never shown, reminders few, sharing only what was previewed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from fractions import Fraction

import pytest
from sqlalchemy import select

from bot.errors import NotAllowed
from bot.readiness.conversation import Readiness
from bot.readiness.group_report import GroupReport, line_picture, trend_text
from bot.readiness.groups import Respondent, group_result
from bot.readiness.instrument import Instrument, instrument
from bot.readiness.nudges import Nudges
from bot.readiness.rounds import Group, Member, Rounds, period_of
from bot.readiness.scoring import score
from bot.readiness.sharing import Sharing
from bot.readiness.suppression import Disclosure
from bot.readiness.trends import Published, group_change, not_comparable, threshold
from bot.store import Database
from bot.store.readiness_tables import checks, invited, respondents, rounds
from tests.readiness.conftest import Clock, Visitor

RULES = instrument().rules
ITEMS = RULES.forms["full"].items
Make = Callable[..., Readiness]


def member(n: int, role: str = "cabinet") -> Member:
    return Member(f"slack:T1:U{n}", role, "district")


def people(**counts: int) -> list[Member]:
    return [member(n, role) for n, role in enumerate(role for role, count in counts.items() for _ in range(count))]


@pytest.fixture
def book(database: Database) -> Rounds:
    return Rounds(database, instrument())


class Town:
    """A group whose members take pulses by pressing buttons."""

    def __init__(self, database: Database, skill: Readiness, clock: Clock, book: Rounds) -> None:
        self.database, self.skill, self.clock, self.book = database, skill, clock, book

    def takes(self, person: str, levels: str, *, out: bool = False) -> None:
        """One pulse; ``levels`` like "321234"."""
        visitor = Visitor(self.skill, self.clock, person)
        visitor.types("quick pulse")
        visitor.presses("Begin, keep mine out" if out else "Begin")
        visitor.answers(*levels)

    def round(self, group: Group, answers: dict[str, str]) -> str:
        """A whole round: opened, answered, closed, published."""
        round_id = self.book.open(group.id, self.clock())
        assert round_id is not None
        for person, levels in answers.items():
            self.takes(person, levels)
        self.clock.pass_(days=15)
        self.book.tick(self.clock())
        return round_id


@pytest.fixture
def town(database: Database, make_skill: Make, clock: Clock, book: Rounds) -> Town:
    return Town(database, make_skill(), clock, book)


VARIED = ("123412", "234123", "341234", "412341", "222333", "333222", "144114", "414141", "232323", "323232", "111222", "444333")


def varied(members: list[Member], turn: int = 0) -> dict[str, str]:
    return {m.person: VARIED[(n + turn) % len(VARIED)] for n, m in enumerate(members)}


def pulse_group(book: Rounds, clock: Clock, members: list[Member], **changes: object) -> Group:
    options: dict[str, object] = {"by": "slack:T1:U0", "now": clock(), "form": "pulse", **changes}
    return book.create("Cabinet and principals", members, **options)  # type: ignore[arg-type]


def test_a_round_is_published_once_after_it_closes_and_then_frozen(town: Town, book: Rounds, clock: Clock) -> None:
    members = people(cabinet=5, principals=7)
    group = pulse_group(book, clock, members)
    round_id = book.open(group.id, clock())
    assert round_id is not None
    for person, levels in varied(members).items():
        town.takes(person, levels)
    assert not book.publish(round_id, clock())
    assert book.round(round_id).result is None
    clock.pass_(days=15)
    assert book.tick(clock())[1] == [round_id]
    first = book.round(round_id).result
    assert first is not None
    assert {f.name for f in first.figures} == {"", "cabinet", "principals"}
    assert not book.publish(round_id, clock())
    town.skill.erase(members[0].person)
    assert book.tick(clock())[1] == []
    assert book.round(round_id).result == first


def test_a_cabinet_of_six_is_shown_in_stages_only_and_openly_warned(town: Town, book: Rounds, clock: Clock) -> None:
    members = people(cabinet=6)
    group = pulse_group(book, clock, members)
    round_id = town.round(group, varied(members))
    text = GroupReport(instrument(), book.round(round_id)).text()
    assert "5 to 9" in text
    assert "mean" not in text
    assert "Spread" not in text
    assert "In a small cabinet, people can often guess." in text
    assert "Overall: Level" in text


def test_fewer_than_five_answers_show_nothing(town: Town, book: Rounds, clock: Clock) -> None:
    members = people(cabinet=6)
    group = pulse_group(book, clock, members)
    answers = dict(list(varied(members).items())[:4])
    round_id = town.round(group, answers)
    report = GroupReport(instrument(), book.round(round_id))
    assert "Fewer than 5 people" in report.text()
    assert report.picture() is None


def test_the_latest_answer_counts_and_answers_kept_out_do_not(town: Town, book: Rounds, clock: Clock, database: Database) -> None:
    members = people(cabinet=7)
    group = pulse_group(book, clock, members)
    round_id = book.open(group.id, clock())
    for person, levels in varied(members).items():
        town.takes(person, levels, out=person == members[6].person)
    town.takes(members[0].person, "444444")
    clock.pass_(days=15)
    book.tick(clock())
    with database.reading() as connection:
        counted = {
            row.key: row.check_id for row in connection.execute(select(respondents).where(respondents.c.round_id == round_id))
        }
        latest = connection.execute(
            select(checks.c.id).where(checks.c.person == members[0].person).order_by(checks.c.finished_at.desc())
        ).first()
    assert set(counted) == {m.person for m in members[:6]}
    assert latest is not None
    assert counted[members[0].person] == latest.id


def test_the_introduction_of_a_round_says_that_answers_count_and_how_to_keep_them_out(
    town: Town, book: Rounds, clock: Clock
) -> None:
    members = people(cabinet=5)
    group = pulse_group(book, clock, members)
    book.open(group.id, clock())
    visitor = Visitor(town.skill, clock, members[0].person)
    visitor.types("check")
    reply = visitor.presses("Quick pulse")
    assert 'group round "Cabinet and principals", open until 8 December 2026' in reply.markdown
    assert "Begin, keep mine out" in [c.label for c in reply.choices]
    assert "Question 1 of 6" in visitor.presses("Begin").markdown


def test_invitations_and_at_most_two_reminders_outside_quiet_hours_to_those_who_have_not_answered(
    town: Town, book: Rounds, clock: Clock, database: Database
) -> None:
    members = people(cabinet=6)
    group = pulse_group(book, clock, members)
    round_id = book.open(group.id, clock())
    assert round_id is not None
    quiet = {"now": True}
    nudges = Nudges(database, instrument(), book, lambda _now: quiet["now"])
    assert nudges.take(clock()) == []
    quiet["now"] = False
    assert sorted(n.person for n in nudges.take(clock())) == sorted(m.person for m in members)
    assert nudges.take(clock()) == []
    town.takes(members[0].person, "123412")
    leaving = Visitor(town.skill, clock, members[1].person)
    leaving.sends(f"check:leave:{round_id}@en")
    sent: list[str] = []
    for _ in range(20):
        clock.pass_(days=1)
        sent += [n.person for n in nudges.take(clock())]
    assert sent.count(members[0].person) == 0
    assert sent.count(members[1].person) == 0
    assert all(sent.count(m.person) == 2 for m in members[2:])


def test_nudges_are_handed_out_once_however_many_processes_ask(book: Rounds, clock: Clock, database: Database) -> None:
    members = people(cabinet=8)
    group = pulse_group(book, clock, members)
    book.open(group.id, clock())
    offices = [Nudges(database, instrument(), book, lambda _now: False) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        handed = [n.person for batch in pool.map(lambda office: office.take(clock()), offices) for n in batch]
    assert sorted(handed) == sorted(m.person for m in members)


def test_scheduled_pulses_open_once_a_period_however_many_processes_run(book: Rounds, clock: Clock, database: Database) -> None:
    group = pulse_group(book, clock, people(cabinet=6), every="monthly")
    others = [Rounds(database, instrument()) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        opened = [r for ticked, _ in pool.map(lambda other: other.tick(clock()), others) for r in ticked]
    assert len(opened) == 1
    clock.pass_(days=3)
    assert book.tick(clock()) == ([], [])
    clock.pass_(days=30)
    opened_next, published = book.tick(clock())
    assert len(opened_next) == len(published) == 1
    with database.reading() as connection:
        periods = [row.period for row in connection.execute(select(rounds.c.period).where(rounds.c.group_id == group.id))]
    assert sorted(periods) == ["2026-11", "2026-12"]


@pytest.mark.parametrize(
    ("every", "day", "period"),
    [
        ("monthly", date(2026, 1, 31), "2026-01"),
        ("quarterly", date(2026, 3, 31), "2026-Q1"),
        ("quarterly", date(2026, 10, 1), "2026-Q4"),
    ],
)
def test_periods_have_names(every: str, day: date, period: str) -> None:
    assert period_of(every, day) == period  # type: ignore[arg-type]


def test_a_second_round_waits_for_the_first_to_be_published(book: Rounds, clock: Clock) -> None:
    group = pulse_group(book, clock, people(cabinet=6))
    book.open(group.id, clock())
    clock.pass_(days=1)
    with pytest.raises(NotAllowed):
        book.open(group.id, clock())


def test_the_preview_shows_who_would_be_hidden_before_anyone_answers(book: Rounds, clock: Clock) -> None:
    group = pulse_group(book, clock, people(cabinet=6, principals=12, technology=3))
    assert book.preview(group.id) == Disclosure(True, ("principals",))


def test_the_minimum_of_a_group_is_never_lowered(book: Rounds, clock: Clock) -> None:
    with pytest.raises(NotAllowed):
        pulse_group(book, clock, people(cabinet=6), min_group=3)
    assert pulse_group(book, clock, people(cabinet=6), min_group=9).min_group == 9


def test_erasing_a_person_removes_their_answers_everywhere_and_leaves_the_published_totals(
    town: Town, book: Rounds, clock: Clock, database: Database
) -> None:
    members = people(cabinet=6, principals=6)
    group = pulse_group(book, clock, members)
    round_id = town.round(group, varied(members))
    before = book.round(round_id).result
    town.skill.erase(members[2].person)
    with database.reading() as connection:
        for table in (checks, invited):
            assert connection.execute(select(table).where(table.c.person == members[2].person)).first() is None
        keys = [row.key for row in connection.execute(select(respondents.c.key))]
    assert members[2].person not in keys
    assert len(keys) == 12
    assert sum(key.startswith("gone:") for key in keys) == 1
    assert book.round(round_id).result == before


def test_a_round_with_the_same_answers_but_one_person_less_is_held_back(town: Town, book: Rounds, clock: Clock) -> None:
    members = people(cabinet=6, principals=6)
    group = pulse_group(book, clock, members)
    town.round(group, varied(members))
    clock.pass_(days=90)
    second = town.round(group, dict(list(varied(members).items())[1:]))
    held = book.round(second).result
    assert held is not None
    assert held.held
    assert "could point at someone" in GroupReport(instrument(), book.round(second)).text()


def test_trends_say_likely_up_or_about_the_same_with_both_response_rates(town: Town, book: Rounds, clock: Clock) -> None:
    members = people(cabinet=6, principals=6)
    group = pulse_group(book, clock, members)
    low = {m.person: ("112121", "121212", "211122")[n % 3] for n, m in enumerate(members)}
    high = {m.person: ("334343", "343434", "433342")[n % 3] for n, m in enumerate(members)}
    first = town.round(group, low)
    clock.pass_(days=80)
    second = town.round(group, high)
    text = trend_text(instrument(), book.round(first), book.round(second))
    assert "Overall: Likely up" in text
    assert "before" in text
    assert "now know more" in text
    for never in ("%", "significant", "p-value"):
        assert never not in text
    assert line_picture(instrument(), book.published(group.id)) is None
    clock.pass_(days=80)
    town.round(group, varied(members))
    drawn = line_picture(instrument(), book.published(group.id))
    assert drawn is not None
    assert drawn.alt.count("2026") + drawn.alt.count("2027") >= 3


def published(**changes: object) -> Published:
    values: dict[str, object] = {
        "form": "full", "wording_version": "2026-11", "closed": date(2026, 9, 1), "people": 6, "asked": 8, "decimals": False,
        "stage": 2, "overall": Fraction(2), "dimensions": {}, "dimension_stages": {},
    }  # fmt: skip
    return Published(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"form": "pulse"}, "form"),
        ({"wording_version": "2027-01"}, "wording"),
        ({"closed": date(2026, 11, 29)}, "days"),
        ({"people": 4}, "people"),
        ({}, None),
    ],
)
def test_rounds_compare_only_when_everything_fits(change: dict[str, object], why: str | None) -> None:
    assert not_comparable(RULES, published(), published(**{"closed": date(2026, 11, 30), **change}), 5) == why


@pytest.mark.parametrize(
    ("people_", "change", "stages", "said"),
    [
        (6, "0.74", (2, 3), "flat"),
        (6, "0.75", (2, 3), "up"),
        (6, "0.75", (2, 2), "flat"),
        (6, "-0.8", (2, 1), "down"),
        (12, "0.5", (2, 2), "up"),
        (12, "0.49", (2, 3), "flat"),
        (25, "-0.35", (2, 2), "down"),
        (60, "0.25", (2, 2), "up"),
    ],
)
def test_a_trend_needs_its_threshold_and_in_small_groups_a_new_stage(
    people_: int, change: str, stages: tuple[int, int], said: str
) -> None:
    many = people_ >= 10
    before = published(people=people_, decimals=many, stage=stages[0])
    now = published(people=people_ + 3, decimals=many, stage=stages[1], overall=Fraction(2) + Fraction(change))
    assert group_change(RULES, before, now) == {"": said}


def test_thresholds_are_those_of_the_smaller_round() -> None:
    assert [str(threshold(RULES.trend.group.dimension, n)) for n in (5, 9, 10, 20, 49, 50)] == [
        "1",
        "1",
        "3/4",
        "1/2",
        "1/2",
        "7/20",
    ]


def respondent(n: int, cell: str, level: int, **others: int | None) -> Respondent:
    answers: dict[str, int | None] = {**dict.fromkeys(ITEMS, level), **others}
    return Respondent(f"p{n}", cell, score(RULES, "full", answers))


def test_the_same_answer_from_all_but_one_shows_words_and_no_number() -> None:
    alike = [respondent(n, "cabinet", 3 if n else 1) for n in range(6)]
    result = group_result(RULES, alike, 6, ("cabinet",), 5)
    assert result.figures[0].cells[""].similar
    assert result.figures[0].cells[""].stage is None


def test_a_split_whose_alike_answers_hide_its_number_is_not_given_away_by_subtraction() -> None:
    crowd = [respondent(n, "cabinet", 2) for n in range(6)]
    crowd += [respondent(10 + n, "principals", 1 + n % 4) for n in range(12)]
    result = group_result(RULES, crowd, 18, ("cabinet", "principals"), 5)
    shown = {f.name: f.cells for f in result.figures}
    assert shown["cabinet"][""].similar
    assert "" not in shown["principals"], "18 people minus 12 principals would be the cabinet"


def test_a_dimension_few_people_could_answer_is_hidden_and_so_is_what_would_give_it_away() -> None:
    crowd = [respondent(n, "cabinet", 1 + n % 4, **({"c1": None, "c2": None} if n < 4 else {})) for n in range(7)]
    crowd += [respondent(10 + n, "principals", 1 + n % 4) for n in range(12)]
    result = group_result(RULES, crowd, 20, ("cabinet", "principals"), 5)
    shown = {f.name: f.cells for f in result.figures}
    assert "partners" not in shown["cabinet"]
    assert "partners" not in shown["principals"]
    assert shown[""]["partners"].mean is not None


def test_leaders_and_staff_who_see_it_differently_are_named_from_ten_people_a_side() -> None:
    def crowd(size: int) -> list[Respondent]:
        high = [respondent(n, "cabinet", 2 + n % 3) for n in range(size)]
        return high + [respondent(50 + n, "teachers", 1 + n % 2) for n in range(size)]

    splits = ("cabinet", "teachers")
    assert group_result(RULES, crowd(9), 18, splits, 5).gap == ()
    assert set(group_result(RULES, crowd(12), 24, splits, 5).gap) == set(RULES.dimensions)


def test_decimals_and_spread_begin_at_ten_people_and_spread_never_shows_a_small_share() -> None:
    splits = ("cabinet",)
    nine = group_result(RULES, [respondent(n, "cabinet", 1 + n % 4) for n in range(9)], 9, splits, 5)
    assert nine.figures[0].cells[""].mean is None
    assert nine.spread is None
    many = group_result(RULES, [respondent(n, "cabinet", 1 + n % 4) for n in range(24)], 30, splits, 5)
    assert many.figures[0].cells[""].mean == "2.5"
    assert many.spread == (30, 50, 30)
    few_low = [respondent(n, "cabinet", 1 if n < 3 else 3 + n % 2) for n in range(24)]
    assert group_result(RULES, few_low, 30, splits, 5).spread is None


def test_only_what_was_previewed_word_for_word_is_shared_and_only_once(
    town: Town, book: Rounds, clock: Clock, database: Database
) -> None:
    members = people(cabinet=6)
    group = pulse_group(book, clock, members)
    sharing, place = Sharing(database), "slack:T1:C9"
    posted: list[object] = []
    open_round = book.open(group.id, clock())
    assert open_round is not None
    with pytest.raises(NotAllowed):
        sharing.preview(open_round, place, "text", "U0", clock())
    for person, levels in varied(members).items():
        town.takes(person, levels)
    clock.pass_(days=15)
    book.tick(clock())
    text = GroupReport(instrument(), book.round(open_round)).text()
    assert not sharing.confirm(open_round, place, text, "guess", clock(), posted.append)
    code = sharing.preview(open_round, place, text, "U0", clock())
    assert not sharing.confirm(open_round, place, text + "!", code, clock(), posted.append)
    assert not sharing.confirm(open_round, "slack:T1:C8", text, code, clock(), posted.append)
    assert posted == []

    def fails(_: object) -> None:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        sharing.confirm(open_round, place, text, code, clock(), fails)  # not posted, so not noted: it may be tried again
    assert sharing.confirm(open_round, place, text, code, clock(), posted.append)
    assert not sharing.confirm(open_round, place, text, code, clock(), posted.append)
    assert len(posted) == 1


def test_the_report_table_and_picture_say_the_same_as_the_text(
    town: Town, book: Rounds, clock: Clock, content: Instrument
) -> None:
    members = people(cabinet=6, principals=11)
    group = pulse_group(book, clock, members)
    round_id = town.round(group, varied(members))
    report = GroupReport(content, book.round(round_id))
    text, table, drawn = report.text(), report.table(), report.picture()
    assert drawn is not None
    assert 'scope="row"' in table.html()
    for row in table.rows:
        assert f"{row[0]}: {row[1]}" in text
        assert row[1].split(" (")[0].casefold() in drawn.alt.casefold()


def test_the_follow_up_question_comes_once_after_thirty_days(town: Town, book: Rounds, clock: Clock, database: Database) -> None:
    visitor = Visitor(town.skill, clock)
    visitor.begins()
    visitor.answers(*"323333")
    visitor.presses("Ask me in 30 days")
    nudges = Nudges(database, instrument(), book, lambda _now: False)
    clock.pass_(days=29)
    assert nudges.take(clock()) == []
    clock.pass_(days=1)
    asked = nudges.take(clock())
    assert [n.kind for n in asked] == ["follow_up"]
    assert "Name one lead" in asked[0].reply.markdown
    assert nudges.take(clock() + timedelta(days=40)) == []
    visitor.reply = asked[0].reply
    assert visitor.presses("Done").markdown == "Marked as done."


def test_days_begin_where_the_district_is(database: Database) -> None:
    from zoneinfo import ZoneInfo

    book = Rounds(database, instrument(), zone=ZoneInfo("America/Los_Angeles"))
    assert book.today(datetime.fromisoformat("2026-12-01T05:00:00+00:00")) == date(2026, 11, 30)
