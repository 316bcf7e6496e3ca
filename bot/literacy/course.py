"""A person's way through the lessons, as pure state: events in, the new state and what to show out.

Every event names the lesson, the step and the revision it was offered with, so a button pressed twice, a card from last
week and two devices at once change nothing that was not on offer. Time is passed in (UTC).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from bot.literacy.lessons import RETURN_DAYS, Catalogue, Lesson

STEPS = ("message-1", "message-2", "message-3", "quiz-1", "quiz-2", "done")
FIRST_QUIZ = 3
DONE = 5

Note = Literal["", "kept", "updated"]


@dataclass(frozen=True)
class Run:
    """One time through a lesson. ``step`` indexes ``STEPS``; ``answers`` are options from 1, in order of the questions;
    ``finished_at`` is when the lesson was first finished, also while it is taken again."""

    lesson: str
    number: int
    content: str
    step: int
    answers: tuple[int, ...]
    started_at: datetime
    moved_at: datetime
    finished_at: datetime | None = None

    @property
    def revision(self) -> str:
        """What a button of this run carries: which time through, and of which text."""
        return f"{self.number}.{self.content}"


@dataclass(frozen=True)
class Return:
    """A return question that was sent, and what was answered (an option from 1)."""

    lesson: str
    day: int
    content: str
    sent_at: datetime
    answered_at: datetime | None = None
    choice: int | None = None


@dataclass(frozen=True)
class Focus:
    """What was last put before the person, so that a bare word or number is read as an answer to that."""

    what: Literal["", "list", "advice", "lesson", "done", "return", "delete"] = ""
    lesson: str = ""
    day: int = 0
    at: datetime | None = None


@dataclass(frozen=True)
class Learner:
    """Everything kept about one person's lessons. ``open`` is the lesson under way, also while it rests."""

    person: str
    organization: str | None = None
    language: str = ""
    open: str = ""
    reminders_since: datetime | None = None
    focus: Focus = field(default_factory=Focus)
    runs: tuple[Run, ...] = ()
    returns: tuple[Return, ...] = ()

    def run(self, lesson: str) -> Run | None:
        """This person's newest time through a lesson."""
        return next((run for run in self.runs if run.lesson == lesson), None)

    def returned(self, lesson: str, day: int) -> Return | None:
        """A return question that was sent."""
        return next((sent for sent in self.returns if sent.lesson == lesson and sent.day == day), None)

    @property
    def finished(self) -> frozenset[str]:
        """The ids of lessons finished at least once."""
        return frozenset(run.lesson for run in self.runs if run.finished_at is not None)


# -- events --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Start:
    """Open a lesson: go on where it was left, or begin, or begin anew when it was finished."""

    lesson: str


@dataclass(frozen=True)
class Step:
    """Go on from (or back from) the step that was shown."""

    lesson: str
    step: int
    revision: str
    back: bool = False


@dataclass(frozen=True)
class Answer:
    """Choose an option (from 1) of the question that was shown."""

    lesson: str
    step: int
    revision: str
    option: int


@dataclass(frozen=True)
class AnswerReturn:
    """Choose an option (from 1) of a return question."""

    lesson: str
    day: int
    content: str
    option: int


@dataclass(frozen=True)
class Later:
    """Let the open lesson rest; nothing is lost."""


@dataclass(frozen=True)
class Stop:
    """End every question to come, at once, and let the open lesson rest."""


@dataclass(frozen=True)
class Remind:
    """Ask for return questions."""


@dataclass(frozen=True)
class Look:
    """Put the list, advice or the question before deletion in front of the person; changes nothing else."""

    what: Literal["list", "advice", "delete", ""]


Event = Start | Step | Answer | AnswerReturn | Later | Stop | Remind | Look


@dataclass(frozen=True)
class Shown:
    """What to show after an event. ``answered`` is the quiz question (0 or 1) and option whose feedback comes first."""

    what: Literal["step", "list", "advice", "later", "stopped", "reminders", "return", "delete", "kept", "nothing"]
    lesson: str = ""
    step: int = 0
    note: Note = ""
    answered: tuple[int, int] | None = None
    day: int = 0
    option: int = 0


def move(learner: Learner, event: Event, catalogue: Catalogue, now: datetime) -> tuple[Learner, Shown]:
    """Apply one event. Never loses or changes an answer already given in a run."""
    match event:
        case Start():
            return _start(learner, event, catalogue, now)
        case Step() | Answer():
            return _within(learner, event, catalogue, now)
        case AnswerReturn():
            return _answer_return(learner, event, catalogue, now)
        case Later():
            return _focus(learner, Focus(at=now)), Shown("later", learner.open)
        case Stop():
            return replace(learner, reminders_since=None, focus=Focus(at=now)), Shown("stopped", learner.open)
        case Remind():
            return replace(learner, reminders_since=learner.reminders_since or now, focus=Focus(at=now)), Shown("reminders")
        case Look(what):
            return _focus(learner, Focus(what, at=now)), Shown("kept" if what == "" else what)


def _focus(learner: Learner, focus: Focus) -> Learner:
    return replace(learner, focus=focus)


def _put(learner: Learner, run: Run, now: datetime) -> Learner:
    runs = (*(other for other in learner.runs if other.lesson != run.lesson), run)
    still_open = "" if run.step == DONE else run.lesson
    focus = Focus("done" if run.step == DONE else "lesson", run.lesson, at=now)
    return replace(learner, runs=runs, open=still_open, focus=focus)


def _start(learner: Learner, event: Start, catalogue: Catalogue, now: datetime) -> tuple[Learner, Shown]:
    lesson = catalogue.get(event.lesson)
    if lesson is None:
        return _focus(learner, Focus("list", at=now)), Shown("list")
    run = learner.run(lesson.id)
    if run is None:
        run = Run(lesson.id, 1, lesson.content, 0, (), now, now)
    elif run.step == DONE:
        run = Run(lesson.id, run.number + 1, lesson.content, 0, (), now, now, run.finished_at)
    else:
        run, note = _current(run, lesson)
        return _put(learner, replace(run, moved_at=now), now), Shown("step", lesson.id, run.step, note)
    return _put(learner, run, now), Shown("step", lesson.id, run.step)


def _current(run: Run, lesson: Lesson) -> tuple[Run, Note]:
    """The run against the text in force: when its questions changed under way, the quiz begins again."""
    if run.content == lesson.content or run.step == DONE:
        return run, ""
    return replace(run, content=lesson.content, step=min(run.step, FIRST_QUIZ), answers=()), "updated"


def _within(learner: Learner, event: Step | Answer, catalogue: Catalogue, now: datetime) -> tuple[Learner, Shown]:
    lesson, run = catalogue.get(event.lesson), learner.run(event.lesson)
    if lesson is None or run is None:
        # A card of a lesson that was deleted, here or from the files.
        return _focus(learner, Focus("list", at=now)), Shown("list")
    run, note = _current(run, lesson)
    if note or event.revision != run.revision or event.step != run.step:
        # Not what is on offer now: show where the lesson stands, change no answer.
        if not note and isinstance(event, Answer) and event.revision == run.revision and _differs(run, event):
            note = "kept"
        return _put(learner, run, now), Shown("step", lesson.id, run.step, note)
    if isinstance(event, Step):
        if run.step >= FIRST_QUIZ:
            return _put(learner, run, now), Shown("step", lesson.id, run.step)
        step = max(run.step - 1, 0) if event.back else run.step + 1
        return _put(learner, replace(run, step=step, moved_at=now), now), Shown("step", lesson.id, step)
    if not (FIRST_QUIZ <= run.step < DONE and 1 <= event.option <= 3):
        return _put(learner, run, now), Shown("step", lesson.id, run.step)
    step = run.step + 1
    finished = run.finished_at or (now if step == DONE else None)
    answered = replace(run, step=step, answers=(*run.answers, event.option), moved_at=now, finished_at=finished)
    return _put(learner, answered, now), Shown("step", lesson.id, step, answered=(run.step - FIRST_QUIZ, event.option))


def _differs(run: Run, event: Answer) -> bool:
    question = event.step - FIRST_QUIZ
    return 0 <= question < len(run.answers) and run.answers[question] != event.option


def _answer_return(learner: Learner, event: AnswerReturn, catalogue: Catalogue, now: datetime) -> tuple[Learner, Shown]:
    lesson, sent = catalogue.get(event.lesson), learner.returned(event.lesson, event.day)
    if lesson is None or sent is None or event.day not in RETURN_DAYS or not 1 <= event.option <= 3:
        return _focus(learner, Focus("list", at=now)), Shown("list")
    shown = Shown("return", lesson.id, day=event.day, option=event.option)
    rest = _focus(learner, Focus(at=now))
    if sent.choice is not None:
        # Answered before, perhaps on another device: the first answer stays.
        return rest, replace(shown, option=sent.choice, note="" if sent.choice == event.option else "kept")
    if event.content != lesson.content:
        return rest, replace(shown, option=0, note="updated")
    answered = replace(sent, choice=event.option, answered_at=now)
    return replace(rest, returns=tuple(answered if one == sent else one for one in learner.returns)), shown
