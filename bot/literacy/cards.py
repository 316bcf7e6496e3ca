"""Lessons as replies: what is shown after each event. Pure; the words come from the data files.

Every reply says in its text how to go on by typing; its choices are the same ways as buttons. The value of a choice
carries lesson, step and revision, so that an old card cannot change anything (``bot.literacy.course``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from bot.literacy.course import DONE, FIRST_QUIZ, STEPS, Learner, Run, Shown
from bot.literacy.lessons import MARKER, RETURN_DAYS, Catalogue, Lesson, Words
from bot.literacy.phrases import Phrases, phrases
from bot.messages import Choice, Citation, Handling, Outcome, Reply

PREFIX = "learn:"
NEW_A_WEEK = 2
"""Finished lessons in a week after which no further one is offered; anyone may still start one."""


@dataclass(frozen=True)
class Setting:
    """What the cards need to know besides the lesson: the language, the day, and what the organization set."""

    language: str
    today: date
    grace_days: int = 90
    contact: str = ""
    crisis_line: str = ""
    role: str | None = None
    approved: frozenset[tuple[str, str]] = frozenset()

    @property
    def phrases(self) -> Phrases:
        """The frame's words."""
        return phrases(self.language)


def value(*parts: object) -> str:
    """What a button sends."""
    return PREFIX + ":".join(str(part) for part in parts)


def reply(text: str, setting: Setting, fixed: str, choices: tuple[Choice, ...] = (), notices: tuple[str, ...] = ()) -> Reply:
    """A reply of fixed text; ``fixed`` names it for the outgoing inspection."""
    body = "\n\n".join(part for part in (text, *notices) if part)
    return Reply(
        Outcome.ANSWERED,
        Handling.ANSWER,
        body,
        setting.language,
        choices=choices,
        notices=notices,
        fixed=f"lesson.{fixed}",
        private=True,
    )


def source_list(lesson: Lesson, numbers: tuple[int, ...], *, numbered: bool = True) -> str:
    """The sources by short name, with the address of those outside the library."""
    parts = []
    for n in numbers:
        source = lesson.sources[n]
        mark = f"[{n}] " if numbered else ""
        parts.append(f"{mark}{source.name} <{source.url}>" if source.url else f"{mark}{source.name}")
    return "; ".join(parts) + "."


def cited(lesson: Lesson, step: int, language: str) -> tuple[int, ...]:
    """The numbers of the sources that a message of the lesson cites, in order."""
    found = MARKER.findall(lesson.words(language).messages[step])
    return tuple(dict.fromkeys(int(n) for n in found))


def page(lesson: Lesson, run: Run, setting: Setting, citations: tuple[Citation, ...] = ()) -> Reply:
    """One of the three messages of a lesson."""
    p, words = setting.phrases, lesson.words(setting.language)
    head = _heading(p.heading, words, lesson, setting, run.step + 1)
    line = words.messages[run.step].replace("{crisis_line}", setting.crisis_line or p.crisis_line)
    how = p.go_on_question if run.step == 2 else p.go_on
    numbers = cited(lesson, run.step, setting.language)
    sources = p.sources.format(list=source_list(lesson, numbers)) if numbers else ""
    notices = _notices(lesson, run.step, setting)
    text = "\n\n".join(part for part in (f"{head}\n{line}", sources, *notices, how) if part)
    back = (_step(p.buttons.back, lesson, run, "back"),) if run.step else ()
    choices = (_step(p.buttons.next, lesson, run, "next"), *back, _rest(p), _stop(p))
    shown = reply(text, setting, f"{lesson.id}.{STEPS[run.step]}", choices)
    return replace(shown, citations=citations, notices=notices)


def _heading(template: str, words: Words, lesson: Lesson, setting: Setting, n: int) -> str:
    head = template.format(title=words.title, n=n)
    if words.draft and (lesson.id, setting.language) not in setting.approved:
        head = f"{head[:-1]}, {setting.phrases.draft_mark})" if head.endswith(")") else f"{head} ({setting.phrases.draft_mark})"
    return head


def _notices(lesson: Lesson, step: int, setting: Setting) -> tuple[str, ...]:
    """What a reader must know beside the text: first message: review dates; last: whose rules come first."""
    p, notices = setting.phrases, []
    if step == 0 and lesson.past_review(setting.today):
        notices.append(p.past_review.format(date=lesson.review_by.isoformat()))
    if step == 0 and lesson.needs_reader and (lesson.id, setting.language) not in setting.approved:
        notices.append(p.reader_wanted.format(reader=p.readers.get(lesson.needs_reader, lesson.needs_reader)))
    if step == 2 and lesson.local_rules:
        notices.append(p.local_rules.format(contact=setting.contact) if setting.contact else p.local_rules_unset)
    return tuple(notices)


def _step(label: str, lesson: Lesson, run: Run, what: str) -> Choice:
    return Choice(label, value("go", lesson.id, run.step, run.revision, what))


def _rest(p: Phrases) -> Choice:
    return Choice(p.buttons.later, value("later"))


def _stop(p: Phrases) -> Choice:
    return Choice(p.buttons.stop, value("stop"))


def question(lesson: Lesson, run: Run, setting: Setting, before: tuple[str, ...] = ()) -> Reply:
    """A quiz question, after feedback on the one before where there is some."""
    p, words = setting.phrases, lesson.words(setting.language)
    asked = words.quiz[run.step - FIRST_QUIZ]
    head = _heading(p.heading_question, words, lesson, setting, run.step - FIRST_QUIZ + 1)
    options = tuple(option.say for option in asked.options)
    text = "\n\n".join([*before, f"{head}\n{asked.ask}", _numbered(options), p.answer_how])
    picks = tuple(
        Choice(str(n), value("go", lesson.id, run.step, run.revision, n), f"{n}. {option}") for n, option in enumerate(options, 1)
    )
    return reply(text, setting, f"{lesson.id}.{STEPS[run.step]}", (*picks, _rest(p), _stop(p)))


def _numbered(options: tuple[str, ...]) -> str:
    return "\n".join(f"{n}. {option}" for n, option in enumerate(options, 1))


def feedback(lesson: Lesson, answered: tuple[int, int] | None, setting: Setting) -> tuple[str, ...]:
    """What is said about an answer just given."""
    if answered is None:
        return ()
    number, option = answered
    return (lesson.words(setting.language).quiz[number].options[option - 1].then,)


def done(lesson: Lesson, run: Run, learner: Learner, catalogue: Catalogue, setting: Setting, before: tuple[str, ...]) -> Reply:
    """The end of a lesson: what comes next, and the offer of return questions."""
    p = setting.phrases
    lines = [p.done.format(title=lesson.words(setting.language).title, answered=len(run.answers))]
    choices = []
    onward = following(learner, catalogue, setting)
    if onward is None:
        lines.append(p.done_all)
    elif finished_lately(learner, run.moved_at) >= NEW_A_WEEK:
        lines.append(p.done_pace)
    else:
        title = onward.words(setting.language).title
        lines.append(p.done_next.format(title=title))
        choices.append(Choice(p.buttons.next, value("start", onward.id), title))
    offer = () if learner.reminders_since else (p.done_remind,)
    if offer:
        choices.append(Choice(p.buttons.remind, value("remind")))
    choices.append(Choice(p.buttons.lessons, value("list")))
    text = "\n\n".join([*before, " ".join(lines), *offer])
    return reply(text, setting, f"{lesson.id}.done", tuple(choices))


def finished_lately(learner: Learner, now: datetime) -> int:
    """Lessons finished in the last seven days."""
    return sum(run.finished_at is not None and now - run.finished_at < timedelta(days=7) for run in learner.runs)


def following(learner: Learner, catalogue: Catalogue, setting: Setting) -> Lesson | None:
    """The next lesson to suggest: the open one, else the first of the role's path that is not finished or held back."""
    path = catalogue.path(setting.role)
    free = [x for x in path if x.id not in learner.finished and not x.held(setting.today, setting.grace_days)]
    return next((x for x in free if x.id == learner.open), free[0] if free else None)


def listing(learner: Learner, catalogue: Catalogue, setting: Setting, *, is_new: bool) -> Reply:
    """Every lesson by number."""
    p = setting.phrases
    lines, choices = [], []
    for lesson in catalogue.lessons:
        title = lesson.words(setting.language).title
        held = lesson.held(setting.today, setting.grace_days)
        mark = p.list_held if held else p.list_finished if lesson.id in learner.finished else ""
        lines.append(f"{lesson.number}. {title} {mark}".rstrip())
        choices.append(Choice(str(lesson.number), value("start", lesson.id), f"{lesson.number}. {title}"))
    path = ""
    if setting.role in ("leader", "admin"):
        short = (x for x in catalogue.path(setting.role) if x.leaders_path is not None)
        path = p.list_leaders.format(numbers=", ".join(str(x.number) for x in short))
    text = "\n\n".join(part for part in (p.list_head, "\n".join(lines), path, p.privacy if is_new else "") if part)
    return reply(text, setting, "list", tuple(choices))


def advice(learner: Learner, catalogue: Catalogue, setting: Setting, *, is_new: bool) -> Reply:
    """One lesson to take next."""
    p, onward = setting.phrases, following(learner, catalogue, setting)
    lessons = Choice(p.buttons.lessons, value("list"))
    if onward is None:
        return reply(p.advise_none, setting, "advice", (lessons,))
    words = onward.words(setting.language)
    template = p.advise_next if learner.runs else p.advise_first
    text = template.format(title=words.title, objective=words.objective)
    start = Choice(p.buttons.start, value("start", onward.id), words.title)
    return reply(text, setting, "advice", (start, lessons), (p.privacy,) if is_new else ())


def home(learner: Learner, catalogue: Catalogue, setting: Setting) -> tuple[Choice, ...]:
    """Buttons for a page of one's own: go on or the next lesson, the list, delete where there is something."""
    p, onward = setting.phrases, following(learner, catalogue, setting)
    choices = []
    if onward is not None:
        title = onward.words(setting.language).title
        if onward.id == learner.open:
            choices.append(Choice(p.buttons.home_resume.format(title=title)[:75], value("resume"), title))
        else:
            choices.append(Choice(p.suggestion_button.format(title=title)[:75], value("start", onward.id), title))
    choices.append(Choice(p.buttons.lessons, value("list")))
    if learner.runs:
        choices.append(Choice(p.buttons.home_delete, value("delete")))
    return tuple(choices)


def held(lesson: Lesson, setting: Setting) -> Reply:
    """A lesson too long past review: its sources instead of its words."""
    p = setting.phrases
    text = p.held.format(
        title=lesson.words(setting.language).title,
        date=lesson.review_by.isoformat(),
        list=source_list(lesson, tuple(lesson.sources), numbered=False),
    )
    return reply(text, setting, f"{lesson.id}.held", (Choice(p.buttons.lessons, value("list")),))


def return_question(lesson: Lesson, day: int, setting: Setting) -> Reply:
    """A question that comes back days later."""
    p, words = setting.phrases, lesson.words(setting.language)
    asked = words.returns[RETURN_DAYS.index(day)]
    head = p.return_head.format(title=words.title, day=day)
    text = "\n\n".join([f"{head}\n{asked.ask}", _numbered(asked.options), p.return_how])
    picks = tuple(
        Choice(str(n), value("return", lesson.id, day, lesson.content, n), f"{n}. {option}")
        for n, option in enumerate(asked.options, 1)
    )
    return reply(text, setting, f"{lesson.id}.return-{day}", (*picks, _stop(p)))


def return_feedback(lesson: Lesson, shown: Shown, setting: Setting) -> Reply:
    """What is said about a return question's answer."""
    p, which = setting.phrases, RETURN_DAYS.index(shown.day)
    asked, right = lesson.words(setting.language).returns[which], lesson.answers.returns[which]
    if shown.option == right:
        said = p.return_right.format(because=asked.because)
    else:
        said = p.return_wrong.format(n=right, option=asked.options[right - 1], because=asked.because)
    notices = (p.kept_answer,) if shown.note == "kept" else (p.updated,) if shown.note == "updated" else ()
    again = Choice(p.buttons.again, value("start", lesson.id), lesson.words(setting.language).title)
    text = "\n\n".join([*notices, said, p.return_again.format(number=lesson.number)])
    return replace(reply(text, setting, f"{lesson.id}.return-{shown.day}.feedback", (again,)), notices=notices)


Plain = Literal["later", "stopped", "stopped_reminders", "nothing_open", "delete_ask", "deleted", "delete_kept"]


def plain(which: Plain | Literal["reminders_on", "reminders_later"], setting: Setting) -> Reply:
    """One of the frame's own texts, with the buttons that belong to it."""
    p = setting.phrases
    resume = Choice(p.buttons.resume, value("resume"))
    lessons = Choice(p.buttons.lessons, value("list"))
    buttons: dict[str, tuple[Choice, ...]] = {
        "later": (resume,),
        "stopped": (resume, Choice(p.buttons.delete, value("delete"))),
        "nothing_open": (lessons,),
        "delete_ask": (Choice(p.buttons.delete, value("delete", "yes")), Choice(p.buttons.keep, value("keep"))),
        "reminders_on": (_stop(p), lessons),
        "reminders_later": (_stop(p), lessons),
    }
    return reply(getattr(p, which), setting, which, buttons.get(which, ()))


def elsewhere(lesson: Lesson | None, setting: Setting) -> Reply:
    """Said where others read along."""
    p = setting.phrases
    text = p.private_only.format(number=lesson.number) if lesson else p.private_only_list
    return reply(text, setting, "private_only")


def aside(lesson: Lesson, run: Run, setting: Setting) -> Reply:
    """Added when the assistant answered something in the middle of a lesson."""
    p = setting.phrases
    template = p.aside_question if FIRST_QUIZ <= run.step < DONE else p.aside
    text = template.format(title=lesson.words(setting.language).title)
    return reply(text, setting, "aside", (Choice(p.buttons.resume, value("resume")), _rest(p)))
