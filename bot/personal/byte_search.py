"""Looks for texts in the bytes of files. Run as a program of its own, standard library only.

A process of its own, because closing a second descriptor of a live SQLite file drops the locks of the process that holds it.
Reads ``{"paths": [...], "needles": [base64, ...]}`` from standard input, writes the numbers of the needles found, by path.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

PIECE = 8_000_000
"""Bytes looked through at a time; the end of one piece is looked at again with the next."""

SECONDS = 120.0


def found_in(paths: list[Path], needles: list[bytes]) -> dict[str, list[int]]:
    """Which needles (by number) stand in which files. Raises OSError or TimeoutError when the search could not be done."""
    asked = {"paths": [str(path) for path in paths], "needles": [base64.b64encode(needle).decode() for needle in needles]}
    try:
        done = subprocess.run(  # noqa: S603 - our own file
            [sys.executable, "-I", __file__], input=json.dumps(asked), capture_output=True, text=True, timeout=SECONDS, check=True
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError("the files were not searched in time") from None
    except subprocess.CalledProcessError:
        raise OSError("the files could not be searched") from None
    found: dict[str, list[int]] = json.loads(done.stdout)
    return found


def _search(path: Path, needles: list[bytes]) -> list[int]:
    keep = max((len(needle) for needle in needles), default=1) - 1
    missing, tail = set(range(len(needles))), b""
    try:
        with path.open("rb") as stream:
            while missing and (piece := stream.read(PIECE)):
                block = tail + piece
                missing -= {number for number in missing if needles[number] in block}
                tail = block[-keep:] if keep else b""
    except FileNotFoundError:  # a journal that came and went
        return []
    return sorted(set(range(len(needles))) - missing)


def _main() -> None:
    asked = json.load(sys.stdin)
    needles = [base64.b64decode(needle) for needle in asked["needles"]]
    found = {path: _search(Path(path), needles) for path in asked["paths"]}
    json.dump({path: numbers for path, numbers in found.items() if numbers}, sys.stdout)


if __name__ == "__main__":
    _main()
