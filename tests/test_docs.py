"""The documents tell the truth: every setting, command, dependency and file they name exists, and the other way round."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from typer.main import get_command

from bot.cli.commands import cli
from bot.settings import Settings

ROOT = Path(__file__).parent.parent
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_every_setting_is_documented_and_every_documented_setting_exists() -> None:
    table = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `SIGNPOST_(\w+)`", table, re.M))
    assert documented == {name.upper() for name in Settings.model_fields}
    for path in DOCS:
        for name in re.findall(r"\bSIGNPOST_(\w+)", path.read_text(encoding="utf-8")):
            assert name in documented or name.startswith("TEST_"), f"{path.name} names SIGNPOST_{name}"


def test_every_setting_has_a_description_and_the_table_shows_it_with_its_default() -> None:
    table = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, "") else f"`{field.default}`"
        assert field.description
        assert f"| `SIGNPOST_{name.upper()}` | {default} | {field.description} |" in table


def test_every_command_the_documents_show_exists() -> None:
    root = get_command(cli)
    commands = set(root.commands) | {f"kb {name}" for name in root.commands["kb"].commands}  # type: ignore[attr-defined]
    commands |= {f"config {name}" for name in root.commands["config"].commands}  # type: ignore[attr-defined]
    for path in DOCS:
        for line in re.findall(r"signpost ((?:kb |config )?[a-z]+)", path.read_text(encoding="utf-8")):
            assert line in commands or line.split()[0] in commands, f"{path.name}: signpost {line}"


def test_every_file_the_documents_name_exists() -> None:
    for path in DOCS:
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r"`((?:bot|docs|prompts|knowledge|tests)/[\w./-]+)`", text):
            assert (ROOT / name).exists(), f"{path.name} names {name}"
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
            assert (path.parent / target).exists(), f"{path.name} links {target}"


def test_every_module_is_in_the_architecture_page() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for module in (ROOT / "bot").rglob("*.py"):
        name = module.relative_to(ROOT)
        if module.name.startswith("__") or "migrations" in name.parts:
            continue
        room = name.parent.as_posix() + "/"
        assert name.as_posix() in page or f"`{module.name}`" in page or f"`{room}`" in page, name


def test_every_dependency_has_its_reason_and_every_reason_its_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.match(r"[\w-]+", line).group() for line in project["dependencies"]}  # type: ignore[union-attr]
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| ([\w-]+) \| ", page, re.M)) - {"package"} == wanted


def test_no_file_names_a_registry_or_a_machine() -> None:
    words = ["pypi" + ".org", "pythonhosted" + ".org", "registry.npm" + "js", "deb.debian" + ".org"]
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        if not path.is_file() or parts[0] in (".git", ".venv", ".demo") or path.stat().st_size > 2_000_000:
            continue
        if any(part.startswith(".") and part.endswith("_cache") for part in parts) or "__pycache__" in parts:
            continue
        text = path.read_text(encoding="utf-8", errors="ignore")
        for word in words:
            assert word not in text, f"{path} names {word}"


def test_the_readme_shows_what_the_demo_says(tmp_path: Path) -> None:
    from tests.readme import demo_output, shown

    block = re.search(r"<!-- demo -->\n```text\n(.*?)\n```\n<!-- /demo -->", (ROOT / "README.md").read_text("utf-8"), re.S)
    assert block
    assert block.group(1) == shown(demo_output(tmp_path)), "run make readme"
