"""The map of what is kept of people: each table and column, why, for how long, who sees it, how it goes. Data, no work.

Export, search and deletion read it; ``docs/privacy.md`` shows it; a test compares it with the tables both ways, so a new table
or column must be put on it, or among those that hold nothing of a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Link:
    """How a row leads to a person or organization: its own ``column``; or the row of ``table`` whose ``key`` equals
    ``column``, which names them in ``then``."""

    column: str
    table: str = ""
    key: str = ""
    then: str = ""


@dataclass(frozen=True)
class Kept:
    """One table that holds something of a person. ``columns`` says what each such column holds, ``other`` names the rest.

    ``forget`` says what happens to the rows when a person asks: deleted, or the name taken out ("unname"); "own" is left to the
    room that owns the table, "stays" keeps the name for the reason in ``gone``. ``sealed`` columns are sealed at rest.
    """

    table: str
    why: str
    days: str
    seen: str
    gone: str
    columns: dict[str, str]
    other: tuple[str, ...] = ()
    person: tuple[Link, ...] = (Link("person"),)
    organization: Link | None = None
    forget: Literal["delete", "unname", "own", "stays"] = "delete"
    sealed: tuple[str, ...] = ()


OWN = "the person; operators of the database"
RUNNERS = "operators of the database"
ADMINS = "administrators; operators of the database"

TALK, INCIDENTS = "`SIGNPOST_KEEP_DAYS` (30)", "`SIGNPOST_KEEP_INCIDENT_DAYS` (30)"
RATINGS, HANDED = "`SIGNPOST_KEEP_FEEDBACK_DAYS` (365)", "`SIGNPOST_KEEP_HANDOFF_DAYS` (180)"
CHECKS, LESSONS = (
    "`SIGNPOST_READINESS_KEEP_DAYS` (365) after the last touch",
    "`SIGNPOST_KEEP_LESSON_DAYS` (365) after the last step",
)
UNTIL = "until the person asks for deletion"
FORGET = "deleted on request and when its days are over"
TIED = Link("check_id", "readiness_checks", "id", "person")
TIED_ORGANIZATION = Link("check_id", "readiness_checks", "id", "organization")
LEARNER = Link("person", "learners", "person", "organization")

CONVERSATIONS = (
    Kept(
        "inbox",
        "each message is answered once, whatever crashes; its reply can be opened again",
        f"{TALK}; {INCIDENTS} where no answer could be given",
        OWN,
        FORGET + "; for one day its identity stays as a hash, so that a resend is known",
        {
            "identity": "the message's own name on its platform",
            "twin": "what makes a resend the same",
            "conversation": "where it was said",
            "person": "who said it, as the platform names them",
            "organization": "whose documents they see",
            "message": "the words: raw until screened, then with details hidden, empty once answered",
            "reply_to": "where the answer goes: channel, thread, user, service address",
            "received_at": "when it came",
            "answered": "the reply",
            "answer": "the reply's number",
            "platform_id": "the reply's own name on its platform",
        },
        (
            "id",
            "platform",
            "state",
            "attempts",
            "fence",
            "owner",
            "lease_until",
            "ended_at",
            "send_started",
            "incident",
            "reason",
            "limited",
            "forget",
        ),
        organization=Link("organization"),
        sealed=("message", "answered"),
        forget="own",
    ),
    Kept(
        "utterances",
        "a conversation can go on: what was said before is understood with what is said now",
        TALK,
        OWN,
        FORGET,
        {
            "conversation": "where it was said",
            "at": "when",
            "text": "one line, details hidden",
            "person": "whose exchange it belongs to",
            "row": "the message's row",
            "answer": "the reply's number",
        },
        ("number", "role"),
        organization=Link("row", "inbox", "id", "organization"),
        sealed=("text",),
    ),
    Kept(
        "engagements",
        "a thread that Signpost was called into can go on without calling it again",
        TALK + " after the last word",
        RUNNERS,
        FORGET + "; a thread in which others spoke too stays, naming nobody",
        {"conversation": "the thread"},
        ("platform", "engaged_at", "last_at", "quiet"),
        person=(Link("conversation", "inbox", "conversation", "person"),),
        organization=Link("conversation", "inbox", "conversation", "organization"),
        forget="own",
    ),
    Kept(
        "conversation_references",
        "reminders and answers from a person find their way back",
        UNTIL + " or removes the app",
        RUNNERS,
        "deleted on request; a channel's address stays, naming nobody",
        {
            "conversation": "the conversation",
            "person": "with whom it is held",
            "reference": "its address on the platform",
            "updated_at": "when they last spoke there",
        },
        ("platform", "kind"),
        forget="own",
    ),
    Kept(
        "preferences",
        "answers in the language and for the role that a person chose",
        UNTIL,
        OWN,
        "deleted on request",
        {
            "person": "who chose",
            "language": "the language",
            "role": "educator, leader or admin",
            "told_privacy_at": "when they were told who can see what",
            "updated_at": "when they chose",
        },
    ),
    Kept(
        "feedback",
        "the people who keep the library see which answers do not help",
        RATINGS,
        ADMINS,
        FORGET,
        {
            "answer": "the answer rated",
            "person": "who rated it",
            "helpful": "the verdict",
            "reason": "why not, from a list",
            "comment": "why not, in words, details hidden",
            "at": "when",
        },
        ("number",),
        organization=Link("answer", "answers", "id", "organization"),
        sealed=("comment",),
    ),
    Kept(
        "handoffs",
        "a question reaches a person, and their answer the asker",
        HANDED,
        "the asker; the people who answer; operators of the database",
        FORGET,
        {
            "conversation": "where it was asked",
            "organization": "whose helpers answer",
            "person": "who asked",
            "named": "whether they let their name be shown",
            "question": "what they asked, details hidden",
            "answer": "the answer that did not do",
            "reply_to": "where the answer goes",
            "helper_reply": "what the helper wrote, details hidden",
            "created_at": "when",
            "answered_at": "when it was answered",
            "closed_at": "when it was closed",
        },
        ("id", "platform", "state", "helper_platform", "helper_channel", "helper_thread", "reminded_at", "draft"),
        organization=Link("organization"),
        sealed=("question", "helper_reply"),
    ),
    Kept(
        "channel_settings",
        "what was decided for a channel holds",
        "while the app is in the channel",
        ADMINS,
        "the name is taken out on request; the decision stays",
        {"changed_by": "who decided", "changed_at": "when"},
        ("platform", "team", "channel", "mode", "answers", "libraries"),
        person=(Link("changed_by"),),
        forget="unname",
    ),
    Kept(
        "answers",
        "an answer can say why it came out as it did; no word of the question is in it",
        "`SIGNPOST_KEEP_ANSWER_DAYS` (365)",
        ADMINS,
        "stays without any tie to the person, whose message named it",
        {"id": "the answer's number", "at": "when", "organization": "whose documents were searched"},
        ("outcome", "handling", "language", "generation", "model", "prompt_version", "receipt", "total_ms"),
        person=(Link("id", "inbox", "answer", "person"),),
        organization=Link("organization"),
        forget="own",
    ),
)

READINESS = (
    Kept(
        "readiness_checks",
        "a check can be left and taken up, compared with the next, and counted in a group's totals",
        CHECKS,
        "the person; groups of five or more as totals; operators of the database",
        FORGET,
        {
            "person": "who takes it",
            "organization": "for whom",
            "language": "in which language",
            "state": "how far it is",
            "started_at": "when",
            "touched_at": "when last",
            "finished_at": "when done",
            "round_id": "the group round it counts in",
            "kept_out": "whether it stays out of totals",
            "result": "levels, and the wordings chosen",
        },
        ("id", "form", "wording_version"),
        organization=Link("organization"),
        forget="own",
    ),
    Kept(
        "readiness_events",
        "each answer of a check, so that it can be changed and taken back",
        CHECKS,
        OWN,
        FORGET + ", with the check",
        {"level": "the level chosen", "kind": "answered, skipped, went back", "at": "when"},
        ("check_id", "revision", "item", "wording"),
        person=(TIED,),
        organization=TIED_ORGANIZATION,
        forget="own",
    ),
    Kept(
        "readiness_moves",
        "which next step was shown, dropped or done",
        CHECKS,
        OWN,
        FORGET + ", with the check",
        {"level": "the level it starts from", "state": "what became of it", "at": "when"},
        ("check_id", "item"),
        person=(TIED,),
        organization=TIED_ORGANIZATION,
        forget="own",
    ),
    Kept(
        "readiness_offers",
        "a typed label or number means the button that was shown",
        "a day",
        OWN,
        FORGET,
        {"person": "to whom", "choices": "the buttons", "at": "when"},
        ("kind",),
        forget="own",
    ),
    Kept(
        "readiness_members",
        "a group's round asks the people of the group",
        "while they are in the group",
        ADMINS,
        "deleted on request",
        {"person": "the member", "role_group": "their kind of work", "school_level": "their kind of school"},
        ("group_id",),
        organization=Link("group_id", "readiness_groups", "id", "organization"),
        forget="own",
    ),
    Kept(
        "readiness_invited",
        "a round knows whom it asked, and how many",
        "while the round is kept",
        ADMINS,
        "deleted on request",
        {"person": "who was asked", "role_group": "their kind of work", "school_level": "their kind of school"},
        ("round_id",),
        forget="own",
    ),
    Kept(
        "readiness_respondents",
        "a person counts once in a round",
        "while the round is kept",
        RUNNERS,
        "the name gives way to a random word on request, so that totals cannot be compared person by person",
        {"key": "who answered", "check_id": "with which check"},
        ("round_id", "cell"),
        person=(Link("key"),),
        forget="own",
    ),
    Kept(
        "readiness_due",
        "invitations and reminders go out once",
        "while the round is kept",
        RUNNERS,
        "deleted on request",
        {"person": "to whom", "due_on": "when", "done_at": "when it went out"},
        ("kind", "subject", "period"),
        forget="own",
    ),
    Kept(
        "readiness_groups",
        "who set up a group",
        "while the group is kept",
        ADMINS,
        "the name is taken out on request; the group stays",
        {"created_by": "who set it up", "created_at": "when", "name": "the group's name"},
        ("id", "organization", "split", "min_group", "every", "form", "language"),
        person=(Link("created_by"),),
        organization=Link("organization"),
        forget="unname",
    ),
    Kept(
        "readiness_shares",
        "what was shared is exactly what was previewed",
        "while the round is kept",
        ADMINS,
        "the name is taken out on request; that it was shared stays",
        {"shared_by": "who shared", "place": "where", "previewed_at": "when seen", "shared_at": "when shared"},
        ("round_id", "content"),
        person=(Link("shared_by"),),
        forget="unname",
    ),
)

LEARNING = (
    Kept(
        "learners",
        "a lesson can be left and taken up; return questions go only to who asked for them",
        LESSONS,
        OWN,
        FORGET,
        {
            "person": "who learns",
            "organization": "for counts from five people on",
            "language": "in which language",
            "open": "the lesson under way",
            "reminders_since": "whether they want return questions",
            "focus": "what was shown last",
            "moved_at": "when last",
        },
        organization=Link("organization"),
        forget="own",
    ),
    Kept(
        "lesson_runs",
        "how far each lesson is",
        LESSONS,
        OWN,
        FORGET,
        {
            "person": "who learns",
            "lesson": "which lesson",
            "number": "how many times",
            "step": "how far",
            "answers": "which choices",
            "started_at": "when",
            "moved_at": "when last",
            "finished_at": "when done",
        },
        ("content",),
        organization=LEARNER,
        forget="own",
    ),
    Kept(
        "lesson_returns",
        "a return question goes out once",
        LESSONS,
        OWN,
        FORGET,
        {
            "person": "to whom",
            "lesson": "of which lesson",
            "day": "after how many days",
            "sent_at": "when",
            "answered_at": "when answered",
            "choice": "which choice",
        },
        ("content",),
        organization=LEARNER,
        forget="own",
    ),
)

RECORD = (
    Kept(
        "audit",
        "anyone can see who added, checked, published and withdrew a document",
        "for good",
        ADMINS,
        "stays: others rely on who vetted what they read, and the trail is chained so that nothing in it can change",
        {"actor": "who did it", "at": "when", "detail": "reasons they gave"},
        ("number", "action", "subject", "previous_hash", "hash"),
        person=(Link("actor"),),
        forget="stays",
    ),
    Kept(
        "versions",
        "each document says who wrote it down and who verified it",
        "for good, unless the document is erased",
        "everyone who sees the quote",
        "stays with the document",
        {"author": "who added it", "verifier": "who verified it", "created_at": "when", "verified_on": "when verified"},
        (
            "id",
            "document",
            "number",
            "state",
            "content_hash",
            "front_matter",
            "text",
            "blocks",
            "findings",
            "source_sha256",
            "review_by",
        ),
        person=(Link("author"), Link("verifier")),
        forget="stays",
    ),
    Kept(
        "lesson_reviews",
        "a lesson's words were approved by a second person",
        "for good",
        ADMINS,
        "stays: it shows that the words were vetted",
        {"author": "who wrote", "reviewer": "who approved", "reviewed_at": "when"},
        ("lesson", "language", "text_hash"),
        person=(Link("author"), Link("reviewer")),
        forget="stays",
    ),
    Kept(
        "readiness_approvals",
        "a translation of the check was approved by a second person",
        "for good",
        ADMINS,
        "stays: it shows that the words were vetted",
        {"author": "who translated", "reviewer": "who approved", "at": "when"},
        ("language", "content"),
        person=(Link("author"), Link("reviewer")),
        forget="stays",
    ),
    Kept(
        "holds",
        "records that must be kept are kept, and by whose order",
        "for good",
        RUNNERS,
        "stays: it shows why something was kept",
        {
            "subject": "whom or which organization it names",
            "reason": "why",
            "author": "who ordered it",
            "at": "when",
            "released_by": "who ended it",
            "released_at": "when",
            "released_why": "why it ended",
        },
        ("number", "kind"),
        person=(Link("subject"), Link("author"), Link("released_by")),
        forget="stays",
        sealed=("reason", "released_why"),
    ),
    Kept(
        "deletion_wishes",
        "what a hold keeps is deleted when the hold ends, as was asked",
        "until the hold ends",
        RUNNERS,
        "deleted with the deletion",
        {"person": "who asked", "at": "when"},
    ),
)

KEPT: dict[str, Kept] = {kept.table: kept for kept in (*CONVERSATIONS, *READINESS, *LEARNING, *RECORD)}
"""Every table that holds something of a person, by name."""

NOTHING_OF_PEOPLE: dict[str, str] = {
    "libraries": "names of libraries",
    "documents": "titles and file names of documents",
    "passages": "where passages stand in documents",
    "generations": "states of a library and what changed it",
    "generation_versions": "which versions a state holds",
    "manifests": "which index was built of what",
    "vectors": "vectors of the documents' words; a question's vector is never kept",
    "citations": "which words of a document an answer quoted",
    "installations": "tokens of workspaces, sealed",
    "readiness_rounds": "a group's rounds and their totals, from five people on",
    "lesson_counts": "counts of lessons, from five people on",
    "seal_keys": "names of the keys that seal words, and a proof of each",
    "scheduled": "what ran on which day",
}
"""Every other table, and what it holds."""
