"""Finds the Python programs in Markdown pages, and runs them as their readers would.

A program is one block that is fenced with ```python. Blocks that belong together carry the same
name in a comment on the line before the fence, and run one after the other in one process::

    <!-- test: moving -->

A fence with ```text right after a block holds everything that the block's program has printed so
far. What a program needs is read from its text: one with an API key is to run against a
provider's stand-in, one with the address `POSTGRES_EXAMPLE` against a server, whose DSN takes the
place of that address. So pages show what their readers will write, and nothing for tests only.

Run as a program, this file runs the program that it is given, whose top level may `await`.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import re
import shutil
import subprocess
import sys
import types
from dataclasses import dataclass
from pathlib import Path

POSTGRES_EXAMPLE = "postgresql://user:pass@localhost/memu"
"""The address of a server in the pages."""

CONVERSATION = Path(__file__).parent / "data" / "conversation.json"
"""The file that every program finds in its folder."""

TIMEOUT_S = 120

_FENCE = re.compile(r"^(?P<ticks>`{3,})(?P<language>[\w-]*)\s*$")
_MARKER = re.compile(r"^<!--\s*test:\s*(?P<group>[\w-]+)\s*-->$")
_MARKER_LIKE = re.compile(r"^<!--\s*tests?\b")
_MODEL_PROVIDER = re.compile(r"api_key|OpenAI\(")
# What would configure a program beside its own text.
_SETTINGS = re.compile(r"^(MEMU_|OPENAI_)|_API_KEY$|_BASE_URL$")


class PageError(ValueError):
    """A page that cannot be taken apart; the message names the line."""


@dataclass(frozen=True)
class Block:
    """A fenced block of Python."""

    page: str
    line: int
    """The number of its first line of code, from 1."""
    code: str
    group: str | None = None
    output: str | None = None
    """What its program has printed when it is done, if the page says so."""


@dataclass(frozen=True)
class Program:
    """Blocks that run in one process, in the order of the page."""

    blocks: tuple[Block, ...]

    def __str__(self) -> str:
        first = self.blocks[0]
        return f"{first.page}:{first.line}" + (f":{first.group}" if first.group else "")

    @property
    def source(self) -> str:
        """Its text, in which every line has the number that it has on the page."""
        lines: list[str] = []
        for block in self.blocks:
            lines += [""] * (block.line - 1 - len(lines))
            lines += block.code.splitlines()
        return "\n".join(lines) + "\n"

    @property
    def output(self) -> str | None:
        """What it prints, if the page says so; of several texts, one after the other."""
        texts = [block.output for block in self.blocks if block.output is not None]
        return "\n".join(texts) if texts else None

    @property
    def needs_provider(self) -> bool:
        """Whether it asks a provider of models."""
        return _MODEL_PROVIDER.search(self.source) is not None

    @property
    def needs_postgres(self) -> bool:
        """Whether it connects to a PostgreSQL server."""
        return POSTGRES_EXAMPLE in self.source


@dataclass(frozen=True)
class _Fenced:
    language: str
    opening: int
    """The number of the line with the opening fence, from 1."""
    code: str


def read_blocks(page: str, text: str) -> list[Block]:
    """The blocks of Python on a page, in order. `page` is what to call it.

    Raises PageError for a fence that is never closed, and for a comment for tests that is not
    understood or stands before no block.
    """
    lines = text.splitlines()
    blocks: list[Block] = []
    used: set[int] = set()
    fences = _read_fences(page, lines)
    for at, fenced in enumerate(fences):
        if fenced.language != "python":
            continue
        group = None
        marker = _last_filled(lines, fenced.opening - 1)
        if marker and (found := _MARKER.match(lines[marker - 1].strip())):
            group = found["group"]
            used.add(marker)
        output = _output_after(lines, fenced, fences[at + 1] if at + 1 < len(fences) else None)
        blocks.append(Block(page, fenced.opening + 1, fenced.code, group, output))
    _check_markers(page, lines, fences, used)
    return blocks


def _read_fences(page: str, lines: list[str]) -> list[_Fenced]:
    found: list[_Fenced] = []
    opening: tuple[int, str, str] | None = None
    for number, line in enumerate(lines, start=1):
        if opening is None:
            if match := _FENCE.match(line):
                opening = number, match["ticks"], match["language"]
        elif line.rstrip() == opening[1]:
            code = "\n".join(lines[opening[0] : number - 1])
            found.append(_Fenced(opening[2], opening[0], code))
            opening = None
    if opening is not None:
        raise PageError(f"{page}:{opening[0]}: this block is never closed")
    return found


def _last_filled(lines: list[str], before: int) -> int:
    """The number of the last line up to this one that is not empty, from 1; 0 without one."""
    return next((number for number in range(before, 0, -1) if lines[number - 1].strip()), 0)


def _output_after(lines: list[str], block: _Fenced, following: _Fenced | None) -> str | None:
    if following is None or following.language != "text":
        return None
    closing = block.opening + block.code.count("\n") + 2
    return following.code if _last_filled(lines, following.opening - 1) == closing else None


def _check_markers(page: str, lines: list[str], fences: list[_Fenced], used: set[int]) -> None:
    inside = {
        number
        for fenced in fences
        for number in range(fenced.opening, fenced.opening + fenced.code.count("\n") + 2)
    }
    for number, line in enumerate(lines, start=1):
        if number not in inside | used and _MARKER_LIKE.match(line.strip()):
            raise PageError(f"{page}:{number}: {line.strip()!r} marks no block of Python")


def programs(blocks: list[Block]) -> list[Program]:
    """The programs that blocks of one page make, in the order in which they begin."""
    together: dict[str, list[Block]] = {}
    for block in blocks:
        name = f"group {block.group}" if block.group else f"line {block.line}"
        together.setdefault(name, []).append(block)
    return [Program(tuple(of_one)) for of_one in together.values()]


def run_program(
    program: Program, folder: Path, *, provider: bool = False, postgres: str | None = None
) -> str:
    """Runs a program in an empty folder with the interpreter of the caller.

    Returns what it printed. With `provider` it inherits the variables that name providers of
    models, otherwise none of them; `postgres` takes the place of the address in its text. Raises
    AssertionError when it fails or prints something else than its page says, and
    subprocess.TimeoutExpired when it takes longer than TIMEOUT_S.
    """
    source = program.source
    if postgres is not None:
        source = source.replace(POSTGRES_EXAMPLE, postgres)
    place = folder / "program.py"
    place.write_text(source, encoding="utf-8")
    shutil.copy(CONVERSATION, folder)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not _SETTINGS.search(name) or (provider and name.startswith("OPENAI_"))
    }
    done = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), place.name],
        cwd=folder,
        env=kept | {"PYTHONIOENCODING": "utf-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, f"{program} failed ({done.returncode}):\n{done.stderr}"
    if program.output is not None:
        assert done.stdout.splitlines() == program.output.splitlines(), (
            f"{program} printed:\n{done.stdout}"
        )
    return done.stdout


def _main(place: str) -> None:
    """Runs a file as the program `__main__`."""
    source = Path(place).read_text(encoding="utf-8")
    code = compile(source, place, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    main = types.ModuleType("__main__")
    main.__file__ = place
    sys.modules["__main__"] = main
    running = eval(code, main.__dict__)
    if inspect.iscoroutine(running):
        asyncio.run(running)


if __name__ == "__main__":
    _main(sys.argv[1])
