"""The walk of a message: what screens it, who answers it, what is said when a stage fails, what is kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.app import App
from bot.inbox import Inbox
from bot.knowledge.intake import Described
from bot.knowledge.library import utc_now
from bot.messages import Action, Answered, Choice, Handling, Message, Outcome, Person, Receipt, Reply
from bot.store import Database
from bot.store.conversation_tables import inbox as rows
from bot.store.conversations import exchanges
from bot.turn import Screened, Turn
from bot.turn.commands import recognised
from bot.turn.turn import chosen
from tests.conftest import settings_for
from tests.doubles.inbox import Platform, act, open_store

QUESTION = "When did the amended COPPA rule take effect?"


class Assistant:
    """Answers with the question it was given; may fail."""

    def __init__(self, reply: Reply | None = None, error: Exception | None = None) -> None:
        self.reply = reply
        self.error = error
        self.asked: list[Message] = []

    def answer(self, message: Message, vectors: object = None) -> Answered:
        self.asked.append(message)
        if self.error is not None:
            raise self.error
        reply = self.reply or Reply(Outcome.ANSWERED, Handling.ANSWER, f"re: {message.text}", "en")
        return Answered(reply, Receipt(f"{len(self.asked):016x}", {"base": 1}, None, "v", {"total": 1.0}))

    def shelves(self, libraries: list[str]) -> list[object]:
        return []


class Check:
    """A skill that is in the middle of a check: it takes numbers and its own buttons, and reminds of itself otherwise."""

    def __init__(self) -> None:
        self.seen: list[Message] = []

    def take(self, message: Message) -> Reply | None:
        self.seen.append(message)
        value = message.action.value if message.action else message.text
        if value.startswith("check:") or value.isdigit():
            return Reply(Outcome.ANSWERED, Handling.ANSWER, f"noted {value}", "en", choices=(Choice("Next question", "check:2"),))
        return None

    def knows(self, message: Message) -> bool:
        value = message.action.value if message.action else message.text
        return value.startswith("check:") or value.isdigit()

    def aside(self, message: Message) -> Reply | None:
        return Reply(Outcome.ANSWERED, Handling.ANSWER, "Your check waits.", "en", choices=(Choice("Go on", "check:1"),))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    database = open_store(tmp_path)
    yield database
    database.close()


Make = Callable[..., Turn]


@pytest.fixture
def make(store: Database, tmp_path: Path) -> Make:
    def made(assistant: Assistant | None = None, contact: str = "", **parts: object) -> Turn:
        settings = settings_for(tmp_path, contact=contact)
        return Turn(assistant or Assistant(), store, settings, utc_now, **parts)  # type: ignore[arg-type]

    return made


def talk(turn: Turn, store: Database, tmp_path: Path, *said: str | Action) -> list[Reply]:
    """A conversation through the inbox, so that history, last replies and labels are the real ones."""
    settings = settings_for(tmp_path, limit_person=0, limit_organization=0)
    inbox, seen = Inbox(store, turn, settings, utc_now), Replies()
    inbox.register("test", seen)

    async def story() -> None:
        inbox.start()
        for n, line in enumerate(said):
            received = act(f"{id(seen)}-{n}", text=line if isinstance(line, str) else "label")
            if isinstance(line, Action):
                received = replace(received, message=replace(received.message, action=line))
            await inbox.accept(received)
        assert await inbox.drain(60)

    asyncio.run(story())
    return seen.replies


class Replies(Platform):
    def __init__(self) -> None:
        super().__init__()
        self.replies: list[Reply] = []

    async def send(self, work: object, answered: Answered) -> str:
        self.replies.append(answered.reply)
        return "x"


# -- screening -----------------------------------------------------------------------------------------------------------


def test_skills_and_the_assistant_see_only_the_redacted_text(make: Make, store: Database, tmp_path: Path) -> None:
    assistant, skill = Assistant(), Check()

    def screen(message: Message) -> Screened:
        text = message.text.replace("Maria", "[name]")
        return Screened(text, text, redacted=text != message.text, notice="I left out a name.")

    turn = make(assistant, screen=screen, skills=(skill,))
    walked = turn.walk(Message("May Maria use it?"), "c")
    assert [m.text for m in assistant.asked] == [m.text for m in skill.seen] == ["May [name] use it?"]
    assert walked.kept == "May [name] use it?"
    assert walked.answered.reply.handling is Handling.ANSWER_REDACTED
    assert walked.answered.reply.markdown.startswith("I left out a name.")


def test_a_screened_message_is_answered_by_the_guardrail_alone(make: Make) -> None:
    assistant, skill = Assistant(), Check()
    fixed = Reply(Outcome.ROUTED, Handling.CRISIS, "Call 988.", "en", fixed="crisis")
    turn = make(assistant, screen=lambda _: Screened("", "", reply=fixed), skills=(skill,))
    walked = turn.walk(Message("..."), "c")
    assert walked.answered.reply == fixed
    assert walked.kept == ""
    assert assistant.asked == skill.seen == []


def test_a_caution_goes_before_whatever_is_said_but_a_crisis_text(make: Make) -> None:
    caution = "If someone may be in danger, tell Ms. Bell, 555-0100."
    for fixed in (None, Reply(Outcome.REFUSED, Handling.REFUSE_MISUSE, "No.", "en", fixed="misuse")):
        turn = make(Assistant(), screen=lambda m, fixed=fixed: Screened(m.text, m.text, reply=fixed, caution=caution))
        reply = turn.walk(Message("may I use it?"), "c").answered.reply
        assert reply.markdown.startswith(f"{caution}\n\n")
        assert reply.notices[0] == caution
    crisis = Reply(Outcome.ROUTED, Handling.CRISIS, "Call 988.", "en", fixed="crisis")
    turn = make(Assistant(), screen=lambda _: Screened("", "", reply=crisis, caution=caution))
    assert turn.walk(Message("..."), "c").answered.reply == crisis


@pytest.mark.parametrize("stage", ["screen", "skill", "assistant", "inspect", "record", "command"])
def test_a_failing_stage_is_an_apology_whose_incident_the_log_knows_without_the_message(
    make: Make, stage: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "words that nobody may log"

    def fail(*_: object, **__: object) -> None:
        raise ValueError(words)

    skill = Check()
    if stage == "skill":
        monkeypatch.setattr(skill, "take", fail)
    if stage == "record":
        monkeypatch.setattr("bot.turn.turn.record", fail)
    parts: dict[str, object] = {"skills": (skill,)}
    if stage in ("screen", "inspect"):
        parts[stage] = fail
    turn = make(Assistant(error=ValueError(words) if stage == "assistant" else None), **parts)
    if stage == "command":
        monkeypatch.setattr(turn._commands, "answer", fail)
    with caplog.at_level(logging.INFO):
        walked = turn.walk(Message("help" if stage == "command" else words), "c")
    reply = walked.answered.reply
    assert reply.outcome is Outcome.ROUTED
    assert reply.fixed == "apology"
    assert reply.rule is not None
    name = reply.rule.removeprefix("incident:")
    assert name in reply.markdown
    assert f"incident {name} at {stage}" in caplog.text
    assert words not in caplog.text
    assert (walked.kept == "") == (stage == "screen")


# -- routing -------------------------------------------------------------------------------------------------------------


def test_a_skill_takes_what_is_its_own_and_reminds_of_itself_otherwise(make: Make, store: Database, tmp_path: Path) -> None:
    turn = make(skills=(Check(),))
    replies = talk(turn, store, tmp_path, "3", "Next question", "what else?", "Go on", "2", Action("check:9"))
    assert [r.markdown.split("\n")[0] for r in replies] == [
        "noted 3",
        "noted check:2",
        "re: what else?",
        "noted check:1",
        "noted 2",
        "noted check:9",
    ]
    assert "Your check waits." in replies[2].markdown


def test_a_pressed_question_is_asked_and_remembered_as_one(make: Make, store: Database, tmp_path: Path) -> None:
    assistant = Assistant()
    talk(make(assistant), store, tmp_path, Action("What must Ohio districts adopt?"))
    assert assistant.asked[0].text == "What must Ohio districts adopt?"
    assert exchanges(store, "test:c")[0].asked == "What must Ohio districts adopt?"


def test_a_numbered_choice_typed_as_a_number_or_label_is_the_button(make: Make, store: Database, tmp_path: Path) -> None:
    choices = (Choice("About Ohio", "What must Ohio districts adopt?"), Choice("Neither", "Neither of these"))
    assistant = Assistant(reply=Reply(Outcome.CLARIFY, Handling.ANSWER, "Which?", "en", choices=choices))
    talk(make(assistant), store, tmp_path, "ohio or not", "1", "(2)", "about ohio")
    said = ["ohio or not", choices[0].value, choices[1].value, choices[0].value]
    assert [m.text for m in assistant.asked] == said


def test_a_person_is_offered_when_nothing_is_covered_and_one_word_away_always(
    make: Make, store: Database, tmp_path: Path
) -> None:
    nothing = Reply(Outcome.NOT_COVERED, Handling.ANSWER, "Not covered.", "en")
    turn = make(Assistant(reply=nothing), contact="Ana Ruiz", skills=(Check(),))
    turn._skills = ()
    replies = talk(turn, store, tmp_path, "quantum?", "Ask a person", "person", "PERSON!", "una persona", Action("person"))
    assert replies[0].choices[-1].value == "person"
    for reply in replies[1:]:
        assert reply.outcome is Outcome.ROUTED
        assert "Ana Ruiz" in reply.markdown
    assert replies[4].language == "es"


def test_reaching_a_person_is_handed_to_whoever_does_that(make: Make) -> None:
    class Handoff:
        def offer(self, message: Message, conversation: str) -> Reply:
            return Reply(Outcome.ROUTED, Handling.ANSWER, f"told them: {message.history[-1].text}", "en")

        def between(self, message: Message) -> None:
            return None

        def take(self, message: Message, conversation: str, typed: str) -> None:
            return None

        def is_name(self, message: Message, conversation: str, typed: str) -> bool:
            return False

    from bot.messages import Utterance

    turn = make(handoff=Handoff())
    message = Message("person", history=(Utterance("user", "May I use it?"),))
    assert turn.take(message).reply.markdown == "told them: May I use it?"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("help", "help"),
        ("?", "help"),
        ("Ayuda.", "help"),
        ("thanks!", "thanks"),
        ("¡Gracias!", "thanks"),
        ("¿Por qué?", "why"),
        ("why", "why"),
        ("delete my data", "forget"),
        ("who can see this?", "privacy"),
        ("help me understand COPPA", None),
        ("why did the FTC wait", None),
        ("a person typed this", None),
        ("", None),
    ],
)
def test_commands_are_whole_messages_only(text: str, name: str | None) -> None:
    found = recognised(Message(text))
    assert (found.name if found else None) == name


@settings(deadline=None)
@given(st.text(max_size=80))
def test_no_text_breaks_the_reading_of_commands_and_choices(text: str) -> None:
    recognised(Message(text))
    recognised(Message("", action=Action(text)))
    reply = Reply(Outcome.CLARIFY, Handling.ANSWER, "", "en", choices=(Choice("A", "a"), Choice(text, "b")))
    found = chosen(text, reply)
    assert found is None or found in reply.choices


def test_deleting_asks_first_and_then_leaves_nothing(make: Make, store: Database, tmp_path: Path) -> None:
    forgotten: list[str] = []
    turn = make(forgetters=(forgotten.append,))
    replies = talk(turn, store, tmp_path, "a question", "delete my data", "No, keep")
    assert forgotten == []
    assert replies[1].outcome is Outcome.CLARIFY
    assert replies[1].private
    talk(turn, store, tmp_path, "delete my data", "1")
    assert forgotten == ["test:ann"]
    left = exchanges(store, "test:c")
    assert all("question" not in line.asked for line in left)
    with store.reading() as connection:
        people = [row.person for row in connection.execute(rows.select().where(rows.c.conversation == ""))]
    assert people
    assert set(people) == {""}


# -- with the shipped library --------------------------------------------------------------------------------------------


def test_an_answer_can_be_opened_explained_and_followed_in_words_alone(shared_app: App, tmp_path: Path) -> None:
    store = shared_app.database
    replies = talk(shared_app.turn, store, tmp_path, QUESTION, "1", "why", "9", "help", "privacy", "thanks")
    answered, opened, why, none, help_, privacy, thanks = replies
    assert answered.citations
    assert answered.citations[0].quote.strip() in opened.markdown.replace("\\", "")
    assert "Verified" in opened.markdown
    assert "base" in why.markdown
    assert "9" in none.markdown
    assert "person" in help_.markdown
    assert "30 days" in privacy.markdown
    assert thanks.handling is Handling.SMALLTALK
    assert 0 < len(answered.choices) <= 3
    for choice in answered.choices:
        assert choice.value.endswith("?") or choice.value.startswith("learn:start:")
        assert len(choice.label) <= 75


def test_a_suggested_question_is_answered_and_is_not_the_one_just_asked(shared_app: App) -> None:
    turn = shared_app.turn
    first = turn.walk(Message(QUESTION, person=Person("test:zoe")), "test:zoe").answered.reply
    assert QUESTION not in [c.value for c in first.choices]
    for choice in first.choices:
        again = turn.walk(Message("", person=Person("test:zoe"), action=Action(choice.value)), "test:zoe").answered.reply
        assert again.outcome is Outcome.ANSWERED
        assert {c.quote for c in again.citations} - {c.quote for c in first.citations}


def test_a_quote_that_moved_is_answered_anew_from_what_is_in_force(shared_app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    turn = shared_app.turn
    real, calls = turn._moved, []

    def once(reply: Reply) -> bool:
        calls.append(reply)
        return real(reply) if len(calls) > 1 else True

    monkeypatch.setattr(turn, "_moved", once)
    assert turn.take(Message(QUESTION)).reply.outcome is Outcome.ANSWERED
    monkeypatch.setattr(turn, "_moved", lambda _: True)
    assert turn.take(Message(QUESTION)).reply.fixed == "apology"


def test_what_an_organization_wrote_about_is_in_its_scope_and_no_name(
    data_dir: Path, tmp_path: Path, make_app: Callable[..., App]
) -> None:
    app = make_app(data_dir)
    lunch = Message("what is for lunch on Friday", organization="maple")
    tablets = replace(lunch, text="when do Zorblatt tablets sleep")
    assert app.ask(lunch).reply.handling is Handling.OUT_OF_SCOPE
    page = tmp_path / "house.md"
    page.write_text(
        "# House rules\n\n## Lunch\n\nOn Friday the cafeteria serves pizza and salad for lunch.\n\n"
        "## Sleeping tablets\n\nZorblatt tablets sleep at nine.\n",
        encoding="utf-8",
    )
    version = app.take_in(page, Described(), author="Ann", organization="maple").version.id
    app.library.submit(version, "Ann")
    app.library.approve(version, "Ben")
    for message, word in ((lunch, "pizza"), (tablets, "nine")):
        assert any(word in c.quote for c in app.ask(message).reply.citations)
    elsewhere = replace(lunch, organization="oak")
    assert app.ask(elsewhere).reply.handling is Handling.OUT_OF_SCOPE
    weather = app.ask(replace(lunch, text="what's the weather tomorrow")).reply
    assert weather.handling is Handling.OUT_OF_SCOPE
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "maple.yaml").write_text("patterns: {scope.elsewhere: ['\\blunch\\b']}\n", encoding="utf-8")
    outside = make_app(data_dir, policy_dir=policies)
    assert outside.ask(lunch).reply.handling is Handling.OUT_OF_SCOPE
    assert outside.ask(tablets).reply.citations
