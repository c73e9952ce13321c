"""Every program in the documentation runs, from a folder with nothing but a conversation."""

from __future__ import annotations

from pathlib import Path

import pytest
from blocks import POSTGRES_EXAMPLE, Block, PageError, Program, programs, read_blocks, run_program

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "docs/python.md", "docs/sqlite.md", "python/README.md"]
BLOCKS = {page: read_blocks(page, (ROOT / page).read_text(encoding="utf-8")) for page in PAGES}
PROGRAMS = [program for blocks in BLOCKS.values() for program in programs(blocks)]


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_a_program_of_the_documentation_runs(
    program: Program, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    postgres: str | None = None
    if program.needs_provider:
        request.getfixturevalue("fake_openai")
    if program.needs_postgres:
        postgres = request.getfixturevalue("postgres_dsn")
    run_program(program, tmp_path, provider=program.needs_provider, postgres=postgres)


@pytest.mark.parametrize("page", PAGES)
def test_no_block_is_overlooked(page: str) -> None:
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    fences = [line for line in lines if line.lstrip(" >").startswith(("```py", "~~~py"))]
    run = [block for program in programs(BLOCKS[page]) for block in program.blocks]
    assert len(run) == len(BLOCKS[page]) == len(fences)
    assert run


def test_every_kind_of_program_is_there() -> None:
    assert any(program.needs_provider for program in PROGRAMS)
    assert any(program.needs_postgres for program in PROGRAMS)
    assert any(not program.needs_provider for program in PROGRAMS)
    assert any(program.output for program in PROGRAMS)


def test_a_server_in_a_page_has_the_address_that_is_replaced() -> None:
    for program in PROGRAMS:
        rest = program.source.replace(POSTGRES_EXAMPLE, "")
        assert "postgresql://" not in rest and "postgres://" not in rest, program


def page_of(*blocks: str) -> str:
    return "# A page\n\n" + "\n\n".join(blocks) + "\n"


def python(code: str) -> str:
    return f"```python\n{code}\n```"


def only_program(*blocks: str) -> Program:
    (program,) = programs(read_blocks("page.md", page_of(*blocks)))
    return program


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise SystemExit('on purpose')", "on purpose"),
        ("import a_module_that_nobody_has", "a_module_that_nobody_has"),
        ("assert 1 == 2", "AssertionError"),
        ("raise SystemExit(3)", r"failed \(3\)"),
        ("x = = 1", "SyntaxError"),
        ("import asyncio\nawait asyncio.sleep(0)\nraise ValueError('late')", "late"),
    ],
)
def test_a_block_that_fails_is_a_failure(code: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=message):
        run_program(only_program(python(code)), tmp_path)


def test_a_failure_names_the_line_of_the_page(tmp_path: Path) -> None:
    program = only_program("Words.", python("first = 1\nraise ValueError('here')"))
    with pytest.raises(AssertionError, match=r'program\.py", line 7'):
        run_program(program, tmp_path)
    assert str(program) == "page.md:6"


def test_a_program_that_prints_something_else_is_a_failure(tmp_path: Path) -> None:
    right = only_program(python("print('a')\nprint('b')"), "```text\na\nb\n```")
    assert run_program(right, tmp_path) == "a\nb\n"
    wrong = only_program(python("print('a')"), "```text\nb\n```")
    with pytest.raises(AssertionError, match="printed:\na"):
        run_program(wrong, tmp_path)


def test_text_after_words_is_no_output() -> None:
    program = only_program(python("print('a')"), "Something else:", "```text\nb\n```")
    assert program.output is None


def test_blocks_of_a_group_run_in_one_process_in_their_order(tmp_path: Path) -> None:
    text = page_of(
        "<!-- test: one -->\n" + python("x = 1"),
        python("print('alone')"),
        "<!-- test: one -->\n\n" + python("import asyncio\nawait asyncio.sleep(0)\nprint(x + 1)"),
    )
    together, alone = programs(read_blocks("page.md", text))
    assert run_program(together, tmp_path) == "2\n"
    assert run_program(alone, tmp_path) == "alone\n"


def test_a_program_is_the_main_module(tmp_path: Path) -> None:
    program = only_program(python("if __name__ == '__main__':\n    print(__file__)"))
    assert run_program(program, tmp_path) == "program.py\n"


def test_a_program_finds_a_conversation_and_no_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a key")
    monkeypatch.setenv("MEMU_DATABASE_CONFIG", "something")
    names = "sorted(name for name in os.environ if 'OPENAI' in name or 'MEMU' in name)"
    program = only_program(
        python(f"import os\nprint({names}, os.path.exists('conversation.json'))")
    )
    assert run_program(program, tmp_path) == "[] True\n"
    assert run_program(program, tmp_path, provider=True) == "['OPENAI_API_KEY'] True\n"


def test_the_address_of_a_server_is_replaced(tmp_path: Path) -> None:
    program = only_program(python(f"print('{POSTGRES_EXAMPLE}')"))
    assert program.needs_postgres
    assert run_program(program, tmp_path, postgres="postgresql://there/x") == (
        "postgresql://there/x\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "```python\nprint(1)\n",
        page_of("<!-- test: name -->\n\nWords.", python("print(1)")),
        page_of("<!-- test: name; more -->\n" + python("print(1)")),
        page_of("<!-- tests: name -->\n" + python("print(1)")),
        page_of("<!-- test: name -->\n```sh\nls\n```"),
    ],
)
def test_a_page_with_a_mistake_is_refused(text: str) -> None:
    with pytest.raises(PageError, match=r"page\.md:\d"):
        read_blocks("page.md", text)


def test_other_languages_and_what_they_hold_are_left_alone() -> None:
    text = "````text\n```python\nprint(1)\n```\n````\n\n```sh\nls\n```\n\n" + python("print(2)")
    assert read_blocks("page.md", text) == [Block("page.md", 12, "print(2)")]
