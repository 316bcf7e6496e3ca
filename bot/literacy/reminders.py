"""When a return question may be sent: opt-in, quiet hours in the organization's time zone, at most two a week. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.hours import QuietHours, quiet_hours
from bot.literacy.course import Learner, Return
from bot.literacy.lessons import RETURN_DAYS, Catalogue

WEEK = timedelta(days=7)
APART = timedelta(hours=20)
"""Least time between two questions, so that two never arrive on one day."""
SAME_LESSON_APART = timedelta(days=2)
UNDER_WAY = timedelta(minutes=30)
"""Nothing is sent to somebody who has just been shown something of a lesson."""
IGNORED = 3
"""After this many questions in a row without an answer nothing is sent until the person comes back."""


@dataclass(frozen=True)
class Rules:
    """``quiet_from`` to ``quiet_until`` is local time in ``zone``, over midnight when from is later than until."""

    zone: ZoneInfo
    quiet_from: time
    quiet_until: time
    a_week: int = 2
    grace_days: int = 90

    def quiet(self, now: datetime) -> bool:
        """Whether ``now`` falls into the quiet hours. Equal ends mean no quiet hours."""
        return QuietHours(self.zone, self.quiet_from, self.quiet_until).quiet(now)


def rules(hours: str, time_zone: str, a_week: int, grace_days: int) -> Rules:
    """Rules from settings: ``HH:MM-HH:MM`` and an IANA zone. Raises ConfigurationError."""
    said = quiet_hours(hours, time_zone)
    return Rules(said.zone, said.begin, said.end, min(a_week, 2), grace_days)


def due(
    now: datetime, learner: Learner, catalogue: Catalogue, rules: Rules, others: tuple[datetime, ...] = ()
) -> tuple[str, int] | None:
    """The one return question (lesson, day) to send now, or None. ``others`` are times of other nudges to this person,
    which share the weekly limit."""
    if learner.reminders_since is None or rules.a_week == 0 or rules.quiet(now):
        return None
    if learner.focus.at is not None and now - learner.focus.at < UNDER_WAY:
        return None
    times = sorted([sent.sent_at for sent in learner.returns] + list(others))
    if sum(now - at < WEEK for at in times) >= rules.a_week or (times and now - times[-1] < APART):
        return None
    if _ignored(learner):
        return None
    open_now = [
        (at, lesson.number, lesson.id, day)
        for lesson in catalogue.lessons
        if not lesson.held(now.date(), rules.grace_days)
        for at, day in _next(learner, lesson.id, now)
    ]
    if not open_now:
        return None
    _, _, lesson_id, day = min(open_now)
    return lesson_id, day


def _next(learner: Learner, lesson: str, now: datetime) -> list[tuple[datetime, int]]:
    """The latest due day of one lesson that is still to be asked; days it has overtaken are dropped."""
    run = learner.run(lesson)
    if run is None or run.finished_at is None or learner.reminders_since is None:
        return []
    sent = [one for one in learner.returns if one.lesson == lesson]
    if any(now - one.sent_at < SAME_LESSON_APART for one in sent):
        return []
    begin = max(run.finished_at, learner.reminders_since)
    last = max((one.day for one in sent), default=0)
    days = [day for day in RETURN_DAYS if day > last and begin + timedelta(days=day) <= now]
    return [(begin + timedelta(days=days[-1]), days[-1])] if days else []


def _ignored(learner: Learner) -> bool:
    newest: list[Return] = sorted(learner.returns, key=lambda sent: sent.sent_at)[-IGNORED:]
    if len(newest) < IGNORED or any(sent.choice is not None for sent in newest):
        return False
    seen = max((run.moved_at for run in learner.runs), default=newest[-1].sent_at)
    if learner.reminders_since is not None:
        seen = max(seen, learner.reminders_since)
    return seen <= newest[-1].sent_at
