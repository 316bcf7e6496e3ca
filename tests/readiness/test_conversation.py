"""The check in conversation: private, resumable, correctable, and never changed by an old card."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from bot.messages import Action, Citation, Message, Person, Place, Reply
from bot.readiness import record
from bot.readiness.conversation import Readiness
from bot.readiness.instrument import Instrument, instrument
from bot.store import Database
from bot.store.readiness_tables import READINESS, checks, events
from tests.readiness.conftest import Clock, Visitor, quote

Make = Callable[..., Readiness]


def kept(visitor: Visitor, database: Database) -> dict[str, int | None]:
    """The answers in force of the visitor's newest check."""
    with database.reading() as connection:
        row = connection.execute(
            select(checks.c.id).where(checks.c.person == visitor.person.id).order_by(checks.c.started_at.desc())
        ).first()
        assert row is not None
        found = record.by_id(connection, row.id, visitor.person.id)
        assert found is not None
        return record.answers_of(connection, visitor.skill._instrument, found)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("check", "en"),
        ("How ready are we for AI?", "en"),
        ("readiness check please", "en"),
        ("can I take the readiness check?", "en"),
        ("¿Qué tan preparados estamos para la IA?", "es"),
        ("chequeo", "es"),
    ],
)
def test_the_check_starts_from_words_with_time_purpose_and_who_can_see(visitor: Visitor, text: str, language: str) -> None:
    reply = visitor.types(text)
    assert reply is not None
    assert reply.language == language
    for fact in ("2", "5", "15", "6"):
        assert fact in reply.markdown
    assert ("employer" if language == "en" else "empleador") in reply.markdown
    assert len(reply.markdown.split()) <= 105
    assert reply.private


@pytest.mark.parametrize(
    "text", ["what does the readiness check measure?", "check my grammar", "is AI ready for schools?", "2", "yes", "back"]
)
def test_other_messages_are_left_to_others(visitor: Visitor, text: str) -> None:
    assert visitor.types(text) is None


def test_a_pulse_by_buttons_ends_in_a_result_with_one_move_a_picture_and_a_retake_date(visitor: Visitor) -> None:
    question = visitor.begins()
    assert "Question 1 of 6" in question.markdown
    assert [c.label for c in question.choices[:5]] == ["1", "2", "3", "4", "Not sure"]
    assert question.choices[1].describes == "2. A few use it and explain it to others"
    assert all(len(c.describes) <= 75 for c in question.choices)
    result = visitor.answers("3", "2", "3", "Not sure", "3", "Not sure")
    assert "**Early read: In practice.**" in result.markdown
    assert result.markdown.count("One move for this month") == 1
    assert "Ideas or a draft" not in result.markdown.split("**What is strong**")[1].split("**Where")[0]
    assert "24 January 2027" in result.markdown
    assert "ask the data privacy or security lead" in result.markdown
    assert result.picture is not None
    for line in result.markdown.split("**Where you stand**")[1].split("**One move")[0].strip().splitlines():
        assert line.removeprefix("- ") in result.picture.alt


def test_a_full_check_by_typing_alone(visitor: Visitor, content: Instrument, database: Database) -> None:
    visitor.types("mini check")
    visitor.types("begin")
    said = ["2", "three", "option 3", "the second one", "no approved use", "4", "not sure", "I don't know", "1", "level 2"]
    said += ["None yet", "3.", "we tell people to be careful", "5", "#3"]
    for text in said:
        reply = visitor.types(text)
        assert reply is not None, text
    assert reply is not None
    assert reply.fixed == "readiness.result"
    wanted = [2, 3, 3, 2, 1, 4, None, None, 1, 2, 1, 3, 2, None, 3]
    assert list(kept(visitor, database).values()) == wanted


def test_words_that_are_not_certain_are_confirmed_before_they_count(visitor: Visitor, database: Database) -> None:
    visitor.begins()
    visitor.presses("2")
    asked = visitor.types("writen plan")
    assert asked is not None
    assert "Do you mean 3" in asked.markdown
    assert kept(visitor, database) == {"a1": 2}
    visitor.types("no")
    assert kept(visitor, database) == {"a1": 2}
    visitor.types("written plan")
    visitor.types("yes")
    assert kept(visitor, database) == {"a1": 2, "b1": 3}


def test_a_question_in_the_middle_goes_to_the_assistant_and_numbers_wait_until_the_question_is_shown_again(
    visitor: Visitor, database: Database
) -> None:
    visitor.begins()
    assert visitor.types("What is a written plan?") is None
    aside = visitor.skill.aside(Message("What is a written plan?", person=visitor.person, place=visitor.place))
    assert aside is not None
    assert "question 1 of 6" in aside.markdown
    assert visitor.types("[2]") is None
    shown = visitor.types("2")
    assert shown is not None
    assert "Nothing is counted yet" in shown.markdown
    assert kept(visitor, database) == {}
    visitor.types("2")
    assert kept(visitor, database) == {"a1": 2}


def test_there_is_no_aside_while_paused_or_without_a_check(visitor: Visitor) -> None:
    message = Message("hello", person=visitor.person, place=visitor.place)
    assert visitor.skill.aside(message) is None
    visitor.begins()
    visitor.presses("Pause")
    assert visitor.skill.aside(message) is None


@pytest.mark.parametrize("kind", ["channel", "group"])
def test_the_check_runs_in_private_only(make_skill: Make, clock: Clock, kind: str, database: Database) -> None:
    place = Place("slack", "T1", "C1", kind=kind)  # type: ignore[arg-type]
    outside = Visitor(make_skill(), clock, place=place)
    reply = outside.types("readiness check")
    assert reply is not None
    assert "direct message" in reply.markdown
    assert reply.private
    inside = Visitor(make_skill(), clock)
    inside.begins()
    value = inside.choice("2").value
    assert "direct message" in outside.sends(value).markdown
    assert outside.types("2") is None
    assert kept(inside, database) == {}


def test_another_persons_card_does_nothing(visitor: Visitor, make_skill: Make, clock: Clock, database: Database) -> None:
    visitor.begins()
    value = visitor.choice("4").value
    other = Visitor(make_skill(), clock, "slack:T1:U2")
    assert "closed" in other.sends(value).markdown
    assert kept(visitor, database) == {}


def test_a_button_pressed_twice_counts_once(visitor: Visitor, database: Database) -> None:
    visitor.begins()
    value = visitor.choice("2").value
    first = visitor.sends(value)
    second = visitor.sends(value)
    assert first.markdown == second.markdown
    assert kept(visitor, database) == {"a1": 2}
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(events)).scalar() == 1


def test_an_old_card_asks_before_it_changes_a_newer_answer(visitor: Visitor, database: Database) -> None:
    visitor.begins()
    old = visitor.choice("4").value
    visitor.answers("2", "3")
    asked = visitor.sends(old)
    assert "You already answered this one: 2." in asked.markdown
    assert kept(visitor, database) == {"a1": 2, "b1": 3}
    visitor.presses("No")
    assert kept(visitor, database) == {"a1": 2, "b1": 3}
    visitor.sends(old)
    reply = visitor.presses("Yes")
    assert kept(visitor, database) == {"a1": 4, "b1": 3}
    assert "Question 3 of 6" in reply.markdown


def test_two_devices_at_once_never_answer_a_question_that_was_not_seen(
    visitor: Visitor, make_skill: Make, clock: Clock, database: Database
) -> None:
    visitor.begins()
    laptop, phone = visitor, Visitor(make_skill(), clock)
    phone.reply = laptop.reply
    before = clock.now
    laptop.presses("2")
    # Typed on the phone before the laptop's press was answered: meant for the first question.
    late = phone.types("4", at=before)
    assert late is not None
    assert "earlier question" in late.markdown
    assert kept(visitor, database) == {"a1": 2}
    phone.reply = None
    phone.types("show")
    phone.presses("3")
    assert kept(visitor, database) == {"a1": 2, "b1": 3}
    laptop_old = laptop.presses("1")
    assert "already answered" in laptop_old.markdown
    assert kept(visitor, database) == {"a1": 2, "b1": 3}


def test_back_shows_the_answer_and_keeps_or_changes_it(visitor: Visitor, database: Database) -> None:
    visitor.begins()
    visitor.answers("2", "3")
    back = visitor.types("back")
    assert back is not None
    assert "Your answer so far: 3." in back.markdown
    visitor.types("back")
    visitor.presses("Keep my answer")
    assert kept(visitor, database) == {"a1": 2, "b1": 3}
    visitor.types("back")
    visitor.presses("1")
    assert kept(visitor, database) == {"a1": 2, "b1": 1}
    assert visitor.reply is not None
    assert "Question 3 of 6" in visitor.reply.markdown


def test_skipped_questions_come_back_at_the_end_and_can_be_left(visitor: Visitor) -> None:
    visitor.begins()
    visitor.answers("Skip", "3", "3", "Skip", "3")
    review = visitor.presses("3")
    assert "You skipped 2" in review.markdown
    again = visitor.types("answer the skipped ones")
    assert again is not None
    assert "Question 1 of 6" in again.markdown
    visitor.answers("2", "Skip")
    result = visitor.types("2")
    assert result is not None
    assert result.fixed == "readiness.result"


def test_a_paused_check_resumes_on_another_device_after_a_restart_within_fourteen_days(
    visitor: Visitor, make_skill: Make, clock: Clock
) -> None:
    visitor.begins()
    visitor.answers("2", "3")
    paused = visitor.types("pause")
    assert paused is not None
    assert "question 3 of 6" in paused.markdown
    assert "9 December 2026" in paused.markdown
    assert visitor.types("2") is None
    clock.pass_(days=13, hours=23)
    elsewhere = Visitor(make_skill(), clock)
    resumed = elsewhere.types("resume")
    assert resumed is not None
    assert "Question 3 of 6" in resumed.markdown
    clock.pass_(days=15)
    late = elsewhere.types("check")
    assert late is not None
    assert "older than 14 days" in late.markdown


def test_a_number_typed_after_a_long_silence_shows_the_question_instead_of_counting(
    visitor: Visitor, clock: Clock, database: Database
) -> None:
    visitor.begins()
    visitor.presses("2")
    clock.pass_(days=3)
    assert visitor.types("3") is None
    shown = visitor.types("resume")
    assert shown is not None
    assert "Question 2 of 6" in shown.markdown
    assert kept(visitor, database) == {"a1": 2}


def test_stopping_keeps_the_answers_until_deleted_and_offers_what_there_is(visitor: Visitor, database: Database) -> None:
    visitor.begins()
    visitor.answers("2", "3", "4", "4")
    stopped = visitor.presses("Stop")
    assert [c.label for c in stopped.choices] == ["Go on", "See my result", "Delete my answers"]
    result = visitor.presses("See my result")
    assert result.fixed == "readiness.result"
    visitor.presses("Delete my answers")
    visitor.types("yes")
    with database.reading() as connection:
        for table in READINESS:
            if table.name != "readiness_offers":
                assert connection.execute(select(func.count()).select_from(table)).scalar() == 0, table.name


@pytest.mark.parametrize("answered", range(6))
def test_delete_works_at_every_point_after_a_confirmation(visitor: Visitor, answered: int, database: Database) -> None:
    visitor.begins()
    visitor.answers(*["2"] * answered)
    asked = visitor.types("delete")
    assert asked is not None
    assert "cannot be undone" in asked.markdown
    visitor.types("no")
    visitor.types("delete my answers")
    done = visitor.types("yes")
    assert done is not None
    assert done.markdown.startswith("Deleted")
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(checks)).scalar() == 0
        assert connection.execute(select(func.count()).select_from(events)).scalar() == 0


def test_pulse_answers_carry_over_to_the_mini_check_for_thirty_days(visitor: Visitor, clock: Clock, database: Database) -> None:
    visitor.begins()
    visitor.answers("3", "2", "3", "Not sure", "3", "4")
    offered = visitor.presses("Go on to the mini check")
    assert "Keep those 5 answers and answer 10 more" in offered.markdown
    question = visitor.presses("Keep my answers")
    assert "Question 2 of 15" in question.markdown
    assert kept(visitor, database) == {"a1": 3, "b1": 2, "c2": 3, "e1": 3, "f1": 4}
    visitor.presses("Stop")
    clock.pass_(days=31)
    visitor.types("mini check")
    assert "Question 1 of 15" in visitor.presses("Begin").markdown


def test_asking_for_a_check_while_one_runs_offers_to_go_on_or_start_over(visitor: Visitor, database: Database) -> None:
    visitor.begins()
    visitor.answers("2", "3")
    offered = visitor.types("check")
    assert offered is not None
    assert [c.label for c in offered.choices] == ["Go on", "Start over"]
    assert "Question 3 of 6" in visitor.presses("Go on").markdown
    visitor.types("check")
    visitor.presses("Start over")
    assert "Question 1 of 6" in visitor.presses("Quick pulse").markdown
    assert kept(visitor, database) == {}


def test_the_begin_button_pressed_twice_starts_one_check(visitor: Visitor, database: Database) -> None:
    visitor.types("check")
    value = visitor.choice("Quick pulse").value
    visitor.sends(value)
    visitor.presses("2")
    assert "Question 2 of 6" in visitor.sends(value).markdown
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(checks)).scalar() == 1


def reworded(content: Instrument, item: str) -> Instrument:
    """The instrument with one question's level reworded in every language."""
    texts = {}
    for language, words in content.texts.items():
        old = words.items[item]
        new = old.model_copy(update={"levels": {**old.levels, 2: old.levels[2] + " (new)"}})
        texts[language] = words.model_copy(update={"items": {**words.items, item: new}})
    return Instrument(content.rules, texts, content.sayings, content.content)


def test_a_reworded_question_is_asked_again_and_its_old_cards_do_nothing(
    visitor: Visitor, make_skill: Make, clock: Clock, database: Database, content: Instrument
) -> None:
    visitor.begins()
    old = visitor.choice("3").value
    visitor.answers("2", "3")
    after = Visitor(make_skill(content=reworded(content, "a1")), clock)
    shown = after.types("show")
    assert shown is not None
    assert "asked again" in shown.markdown
    assert "Question 1 of 6" in shown.markdown
    after.sends(old)
    assert kept(after, database) == {"b1": 3}
    after.types("show")
    after.presses("4")
    assert kept(after, database) == {"a1": 4, "b1": 3}


def test_a_finished_result_keeps_the_words_the_person_chose(
    visitor: Visitor, make_skill: Make, clock: Clock, content: Instrument
) -> None:
    visitor.begins()
    visitor.answers("2", "2", "2", "2", "2", "2")
    after = make_skill(content=reworded(content, "f1"))
    made = after.export(visitor.person.id, "csv")
    assert made is not None
    assert "We tell people to be careful\r\n" not in made.content.decode("utf-8-sig")
    assert "We tell people to be careful," in made.content.decode("utf-8-sig")


def test_the_last_answer_can_be_changed_after_the_result(visitor: Visitor, database: Database) -> None:
    visitor.begins()
    visitor.answers("2", "2", "2", "2", "2", "2")
    shown = visitor.presses("Change an answer")
    assert "Question 6 of 6" in shown.markdown
    result = visitor.presses("3")
    assert result.fixed == "readiness.result"
    assert kept(visitor, database)["f1"] == 3


def test_guidance_is_linked_with_citations_and_asked_in_the_persons_organization(make_skill: Make, clock: Clock) -> None:
    asked: list[Message] = []

    def find(question: Message) -> tuple[Citation, ...]:
        asked.append(question)
        return (quote(3), quote(4), quote(5))

    visitor = Visitor(make_skill(find=find), clock)
    visitor.begins()
    result = visitor.answers("3", "3", "3", "3", "1", "3")
    assert asked[0].text == instrument().rules.look_up["e1"]
    assert [c.n for c in result.citations] == [1]
    assert "> Keep records. [1]" in result.markdown
    assert "https://example.org/g" in result.markdown
    idea = visitor.presses("Another idea")
    assert idea.citations
    assert len(asked) == 2


def test_moves_another_idea_not_for_us_done_and_a_question_in_thirty_days(visitor: Visitor, database: Database) -> None:
    visitor.begins()
    visitor.answers("3", "2", "3", "3", "3", "3")
    seen = set()
    for _ in range(5):
        reply = visitor.presses("Another idea")
        assert reply.markdown not in seen
        seen.add(reply.markdown)
    assert visitor.presses("Another idea").markdown.startswith("Those were all")


def test_a_follow_up_question_is_promised_once_and_can_be_called_off(visitor: Visitor) -> None:
    visitor.begins()
    result = visitor.answers("3", "2", "3", "3", "3", "3")
    value = next(c.value for c in result.choices if c.label == "Ask me in 30 days")
    assert "25 December 2026" in visitor.sends(value).markdown
    assert "25 December 2026" in visitor.sends(value).markdown
    off = visitor.types("stop asking")
    assert off is not None
    assert off.markdown == "I will not ask."


def test_spanish_from_the_start_phrase_and_switching_in_the_middle(visitor: Visitor) -> None:
    visitor.types("chequeo")
    assert visitor.reply is not None
    assert "borrador" in visitor.reply.markdown
    question = visitor.presses("Pulso rápido")
    assert "Pregunta 1 de 6" in question.markdown
    visitor.types("la segunda")
    assert visitor.reply.language == "es"
    reply = visitor.types("no sé")
    assert reply is not None
    assert "Anotado" in reply.markdown


def test_the_intro_offers_the_other_language(visitor: Visitor) -> None:
    visitor.types("check")
    assert "Pulso rápido" in [c.label for c in visitor.presses("Español").choices]


def test_change_since_an_earlier_check_is_said_in_words_after_sixty_days_only(visitor: Visitor, clock: Clock) -> None:
    visitor.begins()
    visitor.answers("3", "2", "3", "3", "3", "3")
    clock.pass_(days=40)
    visitor.begins()
    assert "**Since" not in visitor.answers("4", "2", "3", "3", "3", "3").markdown
    clock.pass_(days=59)
    visitor.begins()
    result = visitor.answers("4", "3", "2", "3", "3", "3")
    assert "**Since 25 November 2026**" in result.markdown
    assert "Moved up: how well leaders understand AI, your plan for AI" in result.markdown
    assert "A lower answer can mean you now know more" in result.markdown
    assert "Overall, your answers" not in result.markdown


def test_the_organizations_contact_is_named_only_when_set(make_skill: Make, clock: Clock) -> None:
    for contact, person in (("", "slack:T1:U8"), ("solutions@mgt.ai", "slack:T1:U9")):
        visitor = Visitor(make_skill(contact=contact), clock, person)
        visitor.begins()
        assert ("solutions@mgt.ai" in visitor.answers(*["3"] * 6).markdown) == bool(contact)


def test_files_of_a_result_hold_the_answers(visitor: Visitor) -> None:
    visitor.begins()
    visitor.answers("3", "2", "3", "Not sure", "3", "3")
    made = {kind: visitor.skill.export(visitor.person.id, kind) for kind in ("pdf", "csv", "png")}  # type: ignore[arg-type]
    assert all(made.values())
    rows = made["csv"].content.decode("utf-8-sig").splitlines()  # type: ignore[union-attr]
    assert rows[0] == "item,question,level,answer,date"
    assert len(rows) == 7
    assert made["pdf"].content.startswith(b"%PDF")  # type: ignore[union-attr]
    assert made["png"].content.startswith(b"\x89PNG")  # type: ignore[union-attr]
    assert visitor.skill.export("slack:T1:U77", "pdf") is None


def test_old_answers_are_swept_after_the_days_set(visitor: Visitor, clock: Clock, database: Database) -> None:
    visitor.begins()
    visitor.answers(*["3"] * 6)
    clock.pass_(days=200)
    assert visitor.skill.sweep(365) == 0
    clock.pass_(days=200)
    assert visitor.skill.sweep(365) == 1
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(events)).scalar() == 0


def test_a_press_that_is_not_ours_or_makes_no_sense_is_harmless(visitor: Visitor) -> None:
    assert visitor.skill.take(Message("", person=visitor.person, place=visitor.place, action=Action("lesson:1"))) is None
    assert visitor.skill.take(Message("check", place=visitor.place)) is None
    visitor.begins()
    for value in ("check:q:x:y:0:z:1", "check:q:", "check:move:nothing:a1:done", "check:change:nothing", "check:result:nothing"):
        reply: Reply | None = visitor.skill.take(
            Message("", person=Person(visitor.person.id), place=visitor.place, action=Action(value))
        )
        assert reply is None or reply.markdown


def test_a_number_typed_for_an_earlier_question_does_not_answer_the_next_even_when_read_as_its_button(
    visitor: Visitor, database: Database
) -> None:
    visitor.begins()
    before = visitor.clock.now
    visitor.presses("2")
    second = visitor.choice("4").value
    message = Message(second, person=visitor.person, place=visitor.place, at=before, action=Action(second))
    reply = visitor.skill.take(message)
    assert reply is not None
    assert "earlier question" in reply.markdown
    assert kept(visitor, database) == {"a1": 2}


def test_an_old_checks_card_does_not_end_a_pause_nor_show_a_question_that_cannot_be_answered(
    visitor: Visitor, database: Database
) -> None:
    visitor.begins()
    old = visitor.choice("1").value
    visitor.types("delete")
    visitor.types("yes")
    visitor.begins()
    visitor.presses("Pause")
    reply = visitor.sends(old)
    assert "closed" in reply.markdown
    assert [c.label for c in reply.choices] == ["Go on"]
    assert visitor.types("1") is not None
    assert "Question 1 of 6" in visitor.reply.markdown  # type: ignore[union-attr]
    visitor.types("3")
    assert kept(visitor, database) == {"a1": 3}


@pytest.mark.parametrize("words", ["idk", "dunno", "n/a", "no clue", "I have no idea"])
def test_short_ways_to_say_not_sure_are_an_answer(visitor: Visitor, words: str) -> None:
    visitor.begins()
    reply = visitor.types(words)
    assert reply is not None
    assert "Not sure" in reply.markdown.splitlines()[0]
    assert "Question 2 of 6" in reply.markdown


@pytest.mark.parametrize("words", ["between 2 and 3", "2 or 3", "entre 2 y 3"])
def test_two_levels_at_once_are_asked_again_and_count_for_nothing(visitor: Visitor, words: str) -> None:
    visitor.begins()
    reply = visitor.types(words)
    assert reply is not None
    assert reply.markdown.startswith("Please choose 1, 2, 3, 4 or Not sure.")
    assert "Question 1 of 6" in reply.markdown


def test_a_result_asked_for_too_early_says_when_it_comes(visitor: Visitor) -> None:
    visitor.begins()
    visitor.answers("2")
    reply = visitor.types("result")
    assert reply is not None
    assert "after the last question" in reply.markdown
    assert "Question 2 of 6" in reply.markdown


def test_skip_after_something_else_was_said_shows_the_question_and_skips_nothing(visitor: Visitor) -> None:
    visitor.begins()
    assert visitor.types("What is COPPA?") is None
    visitor.skill.aside(Message("What is COPPA?", person=visitor.person, place=visitor.place, at=visitor.clock.now))
    reply = visitor.types("skip")
    assert reply is not None
    assert reply.fixed == "readiness.question"
    assert "Question 1 of 6" in reply.markdown


def test_my_result_without_one_says_how_to_get_it_and_a_bare_result_is_left_to_others(visitor: Visitor) -> None:
    reply = visitor.types("my result")
    assert reply is not None
    assert reply.fixed == "readiness.no_check"
    assert visitor.types("result") is None
