"""A data directory with the shipped library, made once a run and copied to whoever changes it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from bot.app import App
from bot.settings import Settings


def settings_for(folder: Path, **changes: object) -> Settings:
    """Settings that read no environment file."""
    return Settings(_env_file=None, data_dir=folder, **changes)  # type: ignore[call-arg]


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("SIGNPOST_") and not name.startswith("SIGNPOST_TEST"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture(autouse=True)
def _no_collections_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exact search answers at once; filling Chroma for every app of a run would keep both cores busy. A test that is about
    Chroma asks for it."""
    monkeypatch.setattr("bot.knowledge.shelf.BUILD_AFTER", 3_600.0)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the shipped library and the sample organization, shared by all workers. Do not change it."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "prepared"
    with FileLock(str(folder) + ".lock"):
        if not (folder / "ready").exists():
            app = App(settings_for(folder, sample_organization=True))
            assert app.library.pointer("base") == 1
            app.close()
            (folder / "ready").touch()
    return folder


@pytest.fixture
def data_dir(prepared: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(prepared, tmp_path / "data"))


@pytest.fixture
def make_app() -> Iterator[Callable[..., App]]:
    """Build apps and close them after the test."""
    made: list[App] = []

    def make(folder: Path, **changes: object) -> App:
        app = App(settings_for(folder, **changes))
        made.append(app)
        return app

    yield make
    for app in made:
        app.close()


@pytest.fixture(scope="session")
def asking(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This worker's own copy, for tests that only ask. The shared one is never opened: copying an open SQLite file
    would drop its locks."""
    return Path(shutil.copytree(prepared, tmp_path_factory.mktemp("asking") / "data"))


@pytest.fixture(scope="session")
def shared_app(asking: Path) -> Iterator[App]:
    """The app over the shipped library, for tests that only ask."""
    app = App(settings_for(asking, sample_organization=True))
    yield app
    app.close()
