"""The app package: the manifest holds what the product does, within the published schema, with icons of the right kind."""

from __future__ import annotations

import importlib.util
import json
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent.parent
DEPLOY = ROOT / "deploy" / "teams"
APP = "11111111-2222-3333-4444-555555555555"


def script(name: str) -> ModuleType:
    """A script of the folder, loaded as a module."""
    spec = importlib.util.spec_from_file_location(f"teams_{name}", DEPLOY / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    """The filled manifest."""
    filled: dict[str, Any] = script("package").manifest(APP, "signpost.example.org", 'Pinecrest "USD"')
    return filled


def test_the_package_holds_the_manifest_and_both_icons_and_is_the_same_each_time(tmp_path: Path) -> None:
    package = script("package")
    made = []
    for name in ("one.zip", "two.zip"):
        target = tmp_path / name
        assert package.main(["--app-id", APP, "--host", "signpost.example.org", "--out", str(target)]) == 0
        made.append(target.read_bytes())
    assert made[0] == made[1]
    with zipfile.ZipFile(tmp_path / "one.zip") as opened:
        assert sorted(opened.namelist()) == ["color.png", "manifest.json", "outline.png"]
        assert "{{" not in opened.read("manifest.json").decode()


@pytest.mark.parametrize(
    "given",
    [
        ["--app-id", "nonsense", "--host", "a.example"],
        ["--app-id", APP, "--host", "https://a.example"],
        ["--app-id", APP, "--host", "a.example", "--developer", "x" * 33],
    ],
)
def test_places_that_teams_would_refuse_are_refused_here(
    given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script("package").main([*given, "--out", str(tmp_path / "x.zip")]) == 2
    assert not (tmp_path / "x.zip").exists()
    assert capsys.readouterr().err


def test_the_manifest_asks_for_no_permission_and_offers_three_places(manifest: dict[str, Any]) -> None:
    [bot] = manifest["bots"]
    assert bot["botId"] == manifest["id"] == APP
    assert bot["scopes"] == ["personal", "team", "groupChat"]
    assert "authorization" not in manifest
    assert "webApplicationInfo" not in manifest
    assert manifest["validDomains"] == []


def test_prompt_starters_are_the_questions_of_the_welcome(manifest: dict[str, Any]) -> None:
    english = yaml.safe_load((ROOT / "prompts" / "messages" / "en.yaml").read_text(encoding="utf-8"))
    offered = [c["prompt"] for c in manifest["bots"][0]["commandLists"][0]["commands"] if c["type"] == "prompt"]
    assert offered == [english["door_prompt_1"], english["door_prompt_2"], english["door_prompt_3"]]


def test_every_plain_command_is_one_that_the_turn_knows(manifest: dict[str, Any]) -> None:
    from bot.messages import Message
    from bot.turn.commands import recognised

    for commands in manifest["bots"][0]["commandLists"]:
        for command in commands["commands"]:
            if command["type"] == "basic":
                assert recognised(Message(command["title"])) is not None, command["title"]


def test_icons_have_the_sizes_and_colours_that_teams_asks_for() -> None:
    from PIL import Image

    color, outline = Image.open(DEPLOY / "color.png"), Image.open(DEPLOY / "outline.png")
    assert (color.size, outline.size) == ((192, 192), (32, 32))
    alphas = set()
    for red, green, blue, alpha in outline.convert("RGBA").get_flattened_data():
        alphas.add(alpha)
        assert alpha == 0 or (red, green, blue) == (255, 255, 255)
    assert {0, 255} <= alphas


def test_icons_are_what_their_script_draws() -> None:
    from PIL import Image, ImageChops

    icons = script("icons")
    for name, drawn in (("color", icons.color()), ("outline", icons.outline())):
        kept = Image.open(DEPLOY / f"{name}.png").convert("RGBA")
        difference = ImageChops.difference(kept, drawn).getextrema()
        assert all(high <= 2 for _, high in difference), name


@pytest.mark.e2e
def test_the_manifest_fits_the_published_schema(manifest: dict[str, Any]) -> None:
    """Against the schema of the package ``@microsoft/app-manifest``, which ``.ci/run`` installs."""
    modules = ROOT / ".venv" / "node" / "node_modules"
    version = manifest["manifestVersion"]
    schema = modules / f"@microsoft/app-manifest/build/json-schemas/teams/v{version}/MicrosoftTeams.schema.json"
    if not schema.exists():
        pytest.skip("the published schema is not installed")
    import jsonschema

    read = json.loads(schema.read_text(encoding="utf-8"))
    problems = [error.message for error in jsonschema.Draft4Validator(read).iter_errors(manifest)]
    assert problems == []
