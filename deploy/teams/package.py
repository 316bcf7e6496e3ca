"""Makes the Teams app package: fills the manifest's places and zips it with its icons.

python deploy/teams/package.py --app-id 11111111-2222-3333-4444-555555555555 --host signpost.example.org
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import uuid
import zipfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ICONS = ("color.png", "outline.png")
AS_OF = (2026, 1, 1, 0, 0, 0)
"""Every file's time in the zip, so that the same input makes the same bytes."""


def manifest(app_id: str, host: str, developer: str) -> dict[str, Any]:
    """The manifest with its places filled. Raises ValueError for an id or host that Teams would refuse."""
    if str(uuid.UUID(app_id)) != app_id.lower():
        raise ValueError(f"{app_id!r} is not an application id")
    if not re.fullmatch(r"(?=.{4,253}$)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.[a-z]{2,}", host):
        raise ValueError(f"{host!r} is not a host name; give it without https://")
    if not 1 <= len(developer) <= 32:
        raise ValueError("the developer's name has 1 to 32 characters")
    text = (HERE / "manifest.json").read_text(encoding="utf-8")
    for place, value in (("APP_ID", app_id.lower()), ("HOST", host), ("DEVELOPER", developer)):
        text = text.replace(f"{{{{{place}}}}}", json.dumps(value)[1:-1])
    filled: dict[str, Any] = json.loads(text)
    return filled


def pack(filled: dict[str, Any], target: Path) -> None:
    """Write the package."""
    files = {"manifest.json": (json.dumps(filled, indent=2, ensure_ascii=False) + "\n").encode()}
    files |= {name: (HERE / name).read_bytes() for name in ICONS}
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as package:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, AS_OF)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            package.writestr(entry, content)


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Make the Teams app package.")
    parser.add_argument("--app-id", required=True, help="application (client) id of the Azure Bot")
    parser.add_argument("--host", required=True, help="host name of Signpost, without https://")
    parser.add_argument("--developer", default="Your district", help="who runs it, as shown to people (32 characters)")
    parser.add_argument("--out", type=Path, default=Path("signpost-teams.zip"), help="where to write the package")
    given = parser.parse_args(arguments)
    try:
        pack(manifest(given.app_id, given.host, given.developer), given.out)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{given.out}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
