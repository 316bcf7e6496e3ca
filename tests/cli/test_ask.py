"""The command line's interface that other programs rely on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ANSWER_KEYS = {"id", "handling", "outcome", "answer", "citations", "language", "generation", "model", "timings_ms"}
CITATION_KEYS = {
    "n",
    "document",
    "section",
    "passage",
    "title",
    "publisher",
    "url",
    "published",
    "verified_on",
    "quote",
}


def signpost(folder: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SIGNPOST_DATA_DIR": str(folder), "SIGNPOST_SAMPLE_ORGANIZATION": "1"}
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments], capture_output=True, text=True, input=stdin, env=environment, check=False
    )


def test_a_batch_is_answered_in_order_with_every_field(asking: Path, tmp_path: Path) -> None:
    lines = [
        {"id": "a", "question": "When did the amended COPPA rule take effect?"},
        {"id": "b", "question": "what is the weather on mars", "history": []},
        {"id": "c", "question": "and for charters?", "history": [{"role": "user", "text": "What must Ohio districts adopt?"}]},
        {"id": "d", "question": ""},
    ]
    batch = tmp_path / "batch.jsonl"
    batch.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    done = signpost(asking, "ask", "--batch", str(batch), "--json")
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [a["id"] for a in answers] == ["a", "b", "c", "d"]
    for answer in answers:
        assert set(answer) >= ANSWER_KEYS
        for citation in answer["citations"]:
            assert set(citation) >= CITATION_KEYS
    assert answers[0]["outcome"] == "answered"
    assert "23 June 2025" in answers[0]["citations"][0]["quote"]
    assert answers[1]["outcome"] == "not_covered"
    assert (answers[3]["handling"], answers[3]["citations"]) == ("smalltalk", [])


@pytest.mark.e2e
def test_a_document_of_ones_own_lives_its_whole_life_on_the_command_line(data_dir: Path, tmp_path: Path) -> None:
    page = tmp_path / "bus.md"
    page.write_text("# Bus chatbot rule\n\n## Asking the bus chatbot\n\nThe bus chatbot answers until 6 pm.\n", encoding="utf-8")
    added = json.loads(signpost(data_dir, "kb", "add", str(page), "--author", "Ann", "--org", "north", "--json").stdout)
    assert set(added) >= {"document", "version", "state", "title", "findings"}
    assert added["state"] == "draft"
    name = added["document"]
    assert signpost(data_dir, "kb", "approve", name, "--verifier", "Ben").returncode == 2
    assert signpost(data_dir, "kb", "submit", name, "--by", "Ann").returncode == 0
    approved = signpost(
        data_dir, "kb", "approve", name, "--verifier", "Ben", "--verified-on", "2026-11-01", "--review-by", "2027-11-01"
    )
    assert approved.returncode == 0, approved.stderr
    shown = json.loads(signpost(data_dir, "kb", "show", name, "--json").stdout)
    passage = shown["passages"][0]
    assert shown["text"][passage["start"] : passage["end"]] == passage["text"]
    asked = json.loads(signpost(data_dir, "ask", "until when does the bus chatbot answer?", "--org", "north", "--json").stdout)
    assert asked["citations"][0]["quote"] == "The bus chatbot answers until 6 pm."
    assert signpost(data_dir, "kb", "retire", name, "--reason", "over").returncode == 0
    asked = json.loads(signpost(data_dir, "ask", "until when does the bus chatbot answer?", "--org", "north", "--json").stdout)
    assert all("bus chatbot" not in c["quote"] for c in asked["citations"])


def test_a_refused_file_changes_nothing_and_says_why(data_dir: Path, tmp_path: Path) -> None:
    bad = tmp_path / "broken.pdf"
    bad.write_bytes(b"%PDF-1.7 and then nothing")
    before = signpost(data_dir, "kb", "list", "--json").stdout
    done = signpost(data_dir, "kb", "add", str(bad), "--json")
    assert done.returncode == 2
    assert set(json.loads(done.stdout)["error"]) == {"code", "message"}
    assert signpost(data_dir, "kb", "list", "--json").stdout == before


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("ask",), 2),
        (("ask", "x", "--role", "king"), 2),
        (("ask", "x", "--org", "nowhere"), 2),
        (("kb", "show", "nothing"), 2),
        (("why", "nothing"), 2),
        (("config", "check"), 0),
        (("version",), 0),
    ],
)
def test_exit_codes_tell_scripts_what_happened(asking: Path, arguments: tuple[str, ...], code: int) -> None:
    assert signpost(asking, *arguments).returncode == code


def test_local_policy_comes_first_and_is_labelled(asking: Path) -> None:
    asked = signpost(asking, "ask", "May I paste student essays into ChatGPT?", "--org", "pinecrest", "--json")
    answer = json.loads(asked.stdout)
    assert answer["citations"][0]["level"] == "local"
    assert "Your district" in answer["answer"]
