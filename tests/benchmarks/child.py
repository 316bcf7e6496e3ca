"""A measured thing in a process of its own, called a method at a time: ``python -m tests.benchmarks.child MODULE:CLASS``.

One JSON object a line goes in (``{"call", "with"}``) and comes out. So several pipelines can be ready at once and be asked
in turns, which lets a change in the machine's load fall on all of them.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
from typing import Any

from tests.benchmarks.corpora import ROOT

QUIET = {
    "OPENBLAS_NUM_THREADS": "1",
    "ANONYMIZED_TELEMETRY": "False",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "LANGSMITH_TRACING": "false",
    "TOKENIZERS_PARALLELISM": "true",
}
"""Nothing measured here may call home or differ in how its arithmetic and its tokenizer use the processors; the first is what
``signpost`` sets for itself."""


def environment(**more: str) -> dict[str, str]:
    """The environment of a child: ours, without settings or keys of the person who runs it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SIGNPOST_", "OPENAI_", "LANGCHAIN_"))}
    path = os.pathsep.join([str(ROOT), *filter(None, [kept.get("PYTHONPATH")])])
    return {**kept, **QUIET, "PYTHONPATH": path, **more}


class Child:
    """A running child; ``call`` waits for its answer. Raises RuntimeError with the child's last words when it fails."""

    def __init__(self, target: str) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child
        self._folder = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.child", target],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=self._folder.name,
            env=environment(),
            text=True,
        )

    def call(self, name: str, **arguments: Any) -> Any:
        """The result of method ``name`` in the child."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"call": name, "with": arguments}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._errors.seek(0)
            raise RuntimeError(self._errors.read().decode(errors="replace")[-2000:] or "the child ended")
        return json.loads(line)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()
        self._folder.cleanup()


def main() -> None:
    """Serve one object's methods until the input ends. Libraries' own printing goes to the error stream."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    module, _, name = sys.argv[1].partition(":")
    served = getattr(importlib.import_module(module), name)()
    for line in sys.stdin:
        request = json.loads(line)
        answers.write(json.dumps(getattr(served, request["call"])(**request["with"])) + "\n")
        answers.flush()
    answers.close()
    os._exit(0)


if __name__ == "__main__":
    main()
