"""The verbs that wait are those that are awaited, made by a program and not written twice."""

from __future__ import annotations

import importlib.util
import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from memu.app._sync_verbs import SyncVerbs
from memu.app._verbs import AsyncVerbs

GENERATOR = Path(__file__).parents[1] / "scripts" / "generate_sync.py"
VERBS = [name for name in vars(AsyncVerbs) if not name.startswith("_")]


def test_the_file_is_what_the_generator_makes() -> None:
    command = [sys.executable, str(GENERATOR), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_change_to_one_verb_alone_would_be_noticed(tmp_path: Path) -> None:
    app = tmp_path / "memu" / "app"
    app.mkdir(parents=True)
    source = GENERATOR.parents[1] / "memu" / "app"
    verbs = (source / "_verbs.py").read_text(encoding="utf-8")
    changed = verbs.replace('_call("stats", request)', '_call("check", request)')
    assert changed != verbs
    (app / "_verbs.py").write_text(changed, encoding="utf-8")
    (app / "_sync_verbs.py").write_bytes((source / "_sync_verbs.py").read_bytes())
    script = tmp_path / "scripts" / GENERATOR.name
    script.parent.mkdir()
    script.write_bytes(GENERATOR.read_bytes())

    stale = subprocess.run([sys.executable, str(script), "--check"], check=False)
    made = subprocess.run([sys.executable, str(script)], check=False)
    current = subprocess.run([sys.executable, str(script), "--check"], check=False)
    assert [stale.returncode, made.returncode, current.returncode] == [1, 0, 0]
    assert '_call("check", request)' in (app / "_sync_verbs.py").read_text(encoding="utf-8")


def generated(source: str) -> str:
    spec = importlib.util.spec_from_file_location("generate_sync", GENERATOR)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function: Callable[[str], str] = module.generated
    return function(source)


def test_a_verb_that_fits_one_line_without_async_is_put_on_one() -> None:
    source = (
        '"""Awaited."""\n\nclass AsyncVerbs:\n    """The verbs, to be awaited."""\n\n'
        "    async def wait(\n        self, long: int\n    ) -> int:\n"
        "        return await self._call(long)\n"
    )
    assert "class SyncVerbs:" in generated(source)
    assert "    def wait(self, long: int) -> int:\n        return self._call(long)\n" in generated(
        source
    )


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_has_a_twin_with_the_same_arguments(name: str) -> None:
    awaited, waiting = getattr(AsyncVerbs, name), getattr(SyncVerbs, name)
    assert inspect.iscoroutinefunction(awaited)
    assert not inspect.iscoroutinefunction(waiting)
    assert inspect.signature(waiting) == inspect.signature(awaited)
    assert inspect.getdoc(waiting) == inspect.getdoc(awaited)


def test_there_are_verbs() -> None:
    assert {"memorize", "retrieve", "clear_memory", "close"} <= set(VERBS)
