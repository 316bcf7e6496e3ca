"""Rounds of a group: opened once a period, reminded twice at most, published once after they close, then frozen.

Every step is claimed in SQL by a row that can exist once, so any number of processes may run :meth:`Rounds.tick`."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from bot.errors import NotAllowed, NotFound
from bot.readiness.groups import OVERALL, Before, GroupResult, Respondent, group_result, thaw
from bot.readiness.instrument import FormName, Instrument
from bot.readiness.record import moment, stamp
from bot.readiness.scoring import Score, score
from bot.readiness.suppression import Disclosure, disclose, minimum_group
from bot.store import Database
from bot.store.readiness_tables import checks, due, groups, invited, members, respondents, rounds

Every = Literal["once", "monthly", "quarterly"]
Split = Literal["role_group", "school_level"]


@dataclass(frozen=True)
class Member:
    """A person of a group, with the role group and school level they are counted in."""

    person: str
    role_group: str
    school_level: str


@dataclass(frozen=True)
class Group:
    """People who take the check together."""

    id: str
    organization: str | None
    name: str
    split: Split
    min_group: int
    every: Every
    form: FormName
    language: str


@dataclass(frozen=True)
class Round:
    """One window of a group. ``closes_on`` is the last day on which answers count."""

    id: str
    group: Group
    period: str
    opens_on: date
    closes_on: date
    published_at: datetime | None
    result: GroupResult | None
    wording_version: str
    asked: int


@dataclass(frozen=True)
class Joinable:
    """An open round a person is invited to."""

    round_id: str
    group: str
    form: FormName
    closes_on: date


def joinable(connection: Connection, person: str, form: FormName, today: date) -> Joinable | None:
    """The open round of this form that the person is invited to; of several, the one closing first."""
    query = (
        select(rounds.c.id, groups.c.name, rounds.c.closes_on)
        .join(invited, invited.c.round_id == rounds.c.id)
        .join(groups, groups.c.id == rounds.c.group_id)
        .where(invited.c.person == person, rounds.c.form == form, rounds.c.published_at.is_(None))
        .where(rounds.c.opens_on <= today.isoformat(), rounds.c.closes_on >= today.isoformat())
        .order_by(rounds.c.closes_on, rounds.c.id)
    )
    row = connection.execute(query).first()
    return Joinable(row.id, row.name, form, date.fromisoformat(row.closes_on)) if row else None


def period_of(every: Every, today: date) -> str:
    """The name of the period a day falls in: "2026-11", "2026-Q4", or the day itself."""
    if every == "monthly":
        return f"{today:%Y-%m}"
    return f"{today.year}-Q{(today.month + 2) // 3}" if every == "quarterly" else today.isoformat()


class Rounds:
    """Groups and their rounds."""

    def __init__(self, database: Database, instrument: Instrument, min_group: int = 5, zone: tzinfo = UTC) -> None:
        """``zone`` is the one in which a round's days begin and end."""
        self._database = database
        self._instrument = instrument
        self._min_group = minimum_group(min_group)
        self._zone = zone

    def today(self, now: datetime) -> date:
        """The local day of a moment."""
        return now.astimezone(self._zone).date()

    # -- groups ------------------------------------------------------------------------------------------------------

    def create(
        self,
        name: str,
        people: Sequence[Member],
        *,
        by: str,
        now: datetime,
        organization: str | None = None,
        split: Split = "role_group",
        min_group: int | None = None,
        every: Every = "once",
        form: FormName = "full",
        language: str = "en",
    ) -> Group:
        """A new group. Raises NotAllowed when the minimum would be lowered or a role group is unknown."""
        rules = self._instrument.rules.group
        least = max(self._min_group, minimum_group(min_group or self._min_group))
        for member in people:
            if member.role_group not in rules.role_groups or member.school_level not in rules.school_levels:
                raise NotAllowed("a member's role group or school level is not one of the instrument's")
        group_id = secrets.token_hex(8)
        values: dict[str, object] = {
            "id": group_id,
            "organization": organization,
            "name": name,
            "split": split,
            "min_group": least,
        }
        values |= {"every": every, "form": form, "language": language, "created_by": by, "created_at": stamp(now)}
        with self._database.writing() as connection:
            connection.execute(groups.insert().values(**values))
            self._fill(connection, group_id, people)
        return Group(group_id, organization, name, split, least, every, form, language)

    def _fill(self, connection: Connection, group_id: str, people: Sequence[Member]) -> None:
        connection.execute(members.delete().where(members.c.group_id == group_id))
        for member in {m.person: m for m in people}.values():
            connection.execute(members.insert().values(group_id=group_id, **member.__dict__))

    def set_members(self, group_id: str, people: Sequence[Member]) -> None:
        """Replace the members; open rounds keep those they invited."""
        with self._database.writing() as connection:
            self._fill(connection, group_id, people)

    def group(self, group_id: str) -> Group:
        """A group. Raises NotFound."""
        with self._database.reading() as connection:
            return self._group(connection, group_id)

    def groups(self) -> list[Group]:
        """Every group, the newest first."""
        with self._database.reading() as connection:
            names = connection.execute(select(groups.c.id).order_by(groups.c.created_at.desc(), groups.c.id)).scalars().all()
            return [self._group(connection, name) for name in names]

    def waiting(self, group_id: str) -> Round | None:
        """The group's round that is not published yet."""
        query = select(rounds.c.id).where(rounds.c.group_id == group_id, rounds.c.published_at.is_(None))
        with self._database.reading() as connection:
            found = connection.execute(query).scalar()
        return self.round(found) if found is not None else None

    def _group(self, connection: Connection, group_id: str) -> Group:
        row = connection.execute(select(groups).where(groups.c.id == group_id)).first()
        if row is None:
            raise NotFound("there is no such group")
        return Group(row.id, row.organization, row.name, row.split, row.min_group, row.every, row.form, row.language)

    # -- opening -----------------------------------------------------------------------------------------------------

    def invites(self, group_id: str) -> dict[str, int]:
        """How many people of each split the next round invites; splits without any are left out."""
        with self._database.reading() as connection:
            group = self._group(connection, group_id)
            people = connection.execute(select(members).where(members.c.group_id == group_id)).all()
        counts = dict.fromkeys(self.splits(group.split), 0)
        for row in people:
            counts[getattr(row, group.split)] += 1
        return {name: n for name, n in counts.items() if n}

    def preview(self, group_id: str) -> Disclosure:
        """What a round would show if everyone invited answered: nothing live is ever looked at."""
        return disclose(self.invites(group_id), self.group(group_id).min_group)

    def splits(self, split: Split) -> tuple[str, ...]:
        """Every value of a split, in order."""
        rules = self._instrument.rules.group
        return tuple(rules.role_groups) if split == "role_group" else rules.school_levels

    def open(self, group_id: str, now: datetime, days: int | None = None) -> str | None:
        """Open a round for the period ``now`` falls in; None when it exists already. Overlapping rounds are refused.

        Raises NotAllowed while another round of the group is open or unpublished."""
        today = self.today(now)
        closes = today + timedelta(days=(days or self._instrument.rules.group.window_days) - 1)
        try:
            with self._database.writing() as connection:
                group = self._group(connection, group_id)
                waiting = select(rounds.c.period).where(rounds.c.group_id == group_id, rounds.c.published_at.is_(None))
                period = period_of(group.every, today)
                if (other := connection.execute(waiting).first()) is not None:
                    if other.period == period:
                        return None
                    raise NotAllowed("the last round of this group is not published yet")
                return self._open(connection, group, period, today, closes)
        except IntegrityError:
            return None

    def _open(self, connection: Connection, group: Group, period: str, today: date, closes: date) -> str:
        round_id = secrets.token_hex(8)
        values: dict[str, object] = {"id": round_id, "group_id": group.id, "period": period, "form": group.form}
        values |= {"split": group.split}
        values |= {"min_group": group.min_group, "wording_version": self._instrument.rules.wording_version}
        values |= {"opens_on": today.isoformat(), "closes_on": closes.isoformat()}
        connection.execute(rounds.insert().values(**values))
        length = (closes - today).days
        reminders = [today + timedelta(days=length // 2), closes - timedelta(days=1)][
            : self._instrument.rules.group.max_reminders
        ]
        for row in connection.execute(select(members).where(members.c.group_id == group.id)).all():
            person = {"person": row.person, "role_group": row.role_group, "school_level": row.school_level}
            connection.execute(invited.insert().values(round_id=round_id, **person))
            self._owe(connection, "invite", round_id, "0", row.person, today)
            for n, on in enumerate(reminders):
                if on > today:
                    self._owe(connection, "reminder", round_id, str(n + 1), row.person, on)
        return round_id

    @staticmethod
    def _owe(connection: Connection, kind: str, subject: str, period: str, person: str, on: date) -> None:
        connection.execute(due.insert().values(kind=kind, subject=subject, period=period, person=person, due_on=on.isoformat()))

    # -- what is due -------------------------------------------------------------------------------------------------

    def tick(self, now: datetime) -> tuple[list[str], list[str]]:
        """Open scheduled rounds and publish closed ones; returns the ids of both. Safe to run anywhere, at any time."""
        with self._database.reading() as connection:
            past = (rounds.c.published_at.is_(None), rounds.c.closes_on < self.today(now).isoformat())
            closed = [row.id for row in connection.execute(select(rounds.c.id).where(*past))]
            scheduled = [row.id for row in connection.execute(select(groups.c.id).where(groups.c.every != "once"))]
        published = [round_id for round_id in closed if self.publish(round_id, now)]
        opened: list[str] = []
        for group_id in scheduled:
            try:
                round_id = self.open(group_id, now)
            except NotAllowed:
                continue
            opened += [round_id] if round_id else []
        return opened, published

    # -- publishing --------------------------------------------------------------------------------------------------

    def publish(self, round_id: str, now: datetime) -> bool:
        """Compute and freeze a closed round, once; False when it is open still or already published."""
        with self._database.writing() as connection:
            found = self._round(connection, round_id)
            if found.published_at is not None or found.closes_on >= self.today(now):
                return False
            people = self._people(connection, found)
            splits = self._invited_splits(connection, found)
            minimum = connection.execute(select(rounds.c.min_group).where(rounds.c.id == round_id)).scalar_one()
            earlier = self._earlier(connection, found)
            result = group_result(
                self._instrument.rules, [p for p, _ in people], found.asked, splits, max(minimum, self._min_group), earlier
            )
            if result.figures:
                for person, check_id in people:
                    if person.score.overall is not None:
                        row = {"round_id": round_id, "key": person.key, "cell": person.cell, "check_id": check_id}
                        connection.execute(respondents.insert().values(**row))
            done = {"published_at": stamp(now), "result": result.frozen()}
            connection.execute(update(rounds).where(rounds.c.id == round_id).values(**done))
        return True

    def _invited_splits(self, connection: Connection, found: Round) -> list[str]:
        """The splits from which anybody was invited, in order."""
        column = getattr(invited.c, found.group.split)
        asked = {row[0] for row in connection.execute(select(column).where(invited.c.round_id == found.id).distinct())}
        return [split for split in self.splits(found.group.split) if split in asked]

    def _people(self, connection: Connection, found: Round) -> list[tuple[Respondent, str]]:
        """The latest finished check of each invited person within the window."""
        query = (
            select(checks, getattr(invited.c, found.group.split).label("cell"))
            .join(invited, (invited.c.round_id == checks.c.round_id) & (invited.c.person == checks.c.person))
            .where(checks.c.round_id == found.id, checks.c.state == "finished", checks.c.kept_out.is_(False))
            .where(checks.c.wording_version == found.wording_version)
            .where(checks.c.finished_at < stamp(datetime.combine(found.closes_on + timedelta(days=1), time(), self._zone)))
            .order_by(checks.c.finished_at)
        )
        latest: dict[str, tuple[Respondent, str]] = {}
        for row in connection.execute(query):
            scored = score(self._instrument.rules, row.form, row.result["answers"])
            latest[row.person] = (Respondent(row.person, row.cell, scored), row.id)
        return list(latest.values())

    def _earlier(self, connection: Connection, found: Round) -> list[Before]:
        """Every published round of the same organization: figures of two groups can be subtracted as well as of two rounds."""
        query = select(rounds.c.id, rounds.c.result, rounds.c.form).join(groups, groups.c.id == rounds.c.group_id)
        same = groups.c.organization == found.group.organization if found.group.organization else groups.c.id == found.group.id
        before: list[Before] = []
        for row in connection.execute(query.where(same, rounds.c.published_at.is_not(None))).all():
            result = thaw(row.result)
            if not result.figures:
                continue
            shown = {name: Disclosure(parent, splits) for name, (parent, splits) in result.shown.items()}
            # The overall figure stands for the round: what may be subtracted there may be anywhere.
            shown[OVERALL] = Disclosure(True, tuple(f.name for f in result.figures if f.name))
            before.append(Before(self._counted(connection, row.id, row.form), shown))
        return before

    def _counted(self, connection: Connection, round_id: str, form: FormName) -> dict[str, tuple[str, Score | None]]:
        query = select(respondents.c.key, respondents.c.cell, checks.c.result).outerjoin(
            checks, checks.c.id == respondents.c.check_id
        )
        found: dict[str, tuple[str, Score | None]] = {}
        for row in connection.execute(query.where(respondents.c.round_id == round_id)):
            known = score(self._instrument.rules, form, row.result["answers"]) if row.result else None
            found[row.key] = (row.cell, known)
        return found

    # -- reading -----------------------------------------------------------------------------------------------------

    def _round(self, connection: Connection, round_id: str) -> Round:
        row = connection.execute(select(rounds).where(rounds.c.id == round_id)).first()
        if row is None:
            raise NotFound("there is no such round")
        asked = len(connection.execute(select(invited.c.person).where(invited.c.round_id == round_id)).all())
        return Round(
            row.id,
            self._group(connection, row.group_id),
            row.period,
            date.fromisoformat(row.opens_on),
            date.fromisoformat(row.closes_on),
            moment(row.published_at) if row.published_at else None,
            thaw(row.result) if row.result else None,
            row.wording_version,
            asked,
        )

    def round(self, round_id: str) -> Round:
        """A round; its result is None until it is published. Raises NotFound."""
        with self._database.reading() as connection:
            return self._round(connection, round_id)

    def published(self, group_id: str) -> list[Round]:
        """The group's published rounds, oldest first."""
        with self._database.reading() as connection:
            query = select(rounds.c.id).where(rounds.c.group_id == group_id, rounds.c.published_at.is_not(None))
            return [self._round(connection, row.id) for row in connection.execute(query.order_by(rounds.c.closes_on)).all()]


def leave_round(connection: Connection, round_id: str, person: str) -> None:
    """Take a person out of an open round: no more reminders, and answers already given do not count."""
    published = connection.execute(select(rounds.c.published_at).where(rounds.c.id == round_id)).scalar()
    if published is None:
        connection.execute(invited.delete().where(invited.c.round_id == round_id, invited.c.person == person))
        mine = (checks.c.round_id == round_id, checks.c.person == person)
        connection.execute(update(checks).where(*mine).values(round_id=None, kept_out=True))
