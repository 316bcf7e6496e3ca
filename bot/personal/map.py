"""The map of what is kept of people: each table and column, why, for how long, who sees it, how it goes. Data, no work.

Export, search and deletion read it; ``docs/privacy.md`` shows it; a test compares it with the tables both ways, so a new table
or column must be put on it, or among those that hold nothing of a person.
"""

from __future__ import annotations

from bot.personal.kept import Kept
from bot.personal.map_conversations import CONVERSATIONS
from bot.personal.map_record import RECORD
from bot.personal.map_skills import LEARNING, READINESS

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
    "job_runs": "which background job ran when, and whether it failed",
}
"""Every other table, and what it holds."""
