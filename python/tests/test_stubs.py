"""The stubs of the native module say what it has: no name more and none less."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import memu
import pytest
from memu import _memu

STUB = Path(memu.__file__).with_name("_memu.pyi")

Members = dict[str, "list[str] | None"]
"""Public names, with the parameters of those that are called."""


def is_public(name: str) -> bool:
    return not name.startswith("_")


def stub_parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [argument.arg for argument in named if argument.arg not in ("self", "cls")]


def stub_members(body: list[ast.stmt]) -> Members:
    members: Members = {}
    for statement in body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                decorators = {ast.unparse(one) for one in statement.decorator_list}
                called = "property" not in decorators
                members[statement.name] = stub_parameters(statement) if called else None
            case ast.ClassDef():
                members[statement.name] = None
            case ast.AnnAssign(target=ast.Name(id=name)):
                members[name] = None
            case ast.Assign(targets=targets):
                members |= {target.id: None for target in targets if isinstance(target, ast.Name)}
            case _:
                pass
    return {name: members[name] for name in members if is_public(name)}


def native_members(owner: ModuleType | type) -> Members:
    members: Members = {}
    for name in filter(is_public, vars(owner)):
        member = getattr(owner, name)
        if inspect.isclass(member) or not callable(member):
            members[name] = None
            continue
        parameters = inspect.signature(member).parameters
        members[name] = [one for one in parameters if one not in ("self", "cls")]
    return members


TREE = ast.parse(STUB.read_text(encoding="utf-8"))
CLASSES = {one.name: one for one in TREE.body if isinstance(one, ast.ClassDef)}


def test_every_public_name_of_the_module_is_in_the_stubs_and_the_reverse() -> None:
    native = native_members(_memu)
    assert native
    assert stub_members(TREE.body) == native


@pytest.mark.parametrize("name", sorted(filter(is_public, CLASSES)))
def test_every_public_member_of_a_class_is_in_the_stubs_and_the_reverse(name: str) -> None:
    assert stub_members(CLASSES[name].body) == native_members(getattr(_memu, name))


def test_the_package_says_that_it_is_typed() -> None:
    assert STUB.with_name("py.typed").is_file()


class Sample:
    @staticmethod
    def open(settings: Any) -> None:
        del settings

    @property
    def path(self) -> str:
        return ""

    def _inner(self) -> None: ...


def test_a_missing_name_would_be_noticed() -> None:
    stub = ast.parse(
        "from typing import Any\n"
        "VERSION: str\n"
        "def search(query: Any, *, k: int = ...) -> None: ...\n"
        "class Core:\n"
        "    @staticmethod\n"
        "    def open(settings: Any) -> Core: ...\n"
        "    @property\n"
        "    def path(self) -> str: ...\n"
        "    def _inner(self) -> None: ...\n"
    )
    assert stub_members(stub.body) == {"VERSION": None, "search": ["query", "k"], "Core": None}
    (core,) = (one for one in stub.body if isinstance(one, ast.ClassDef))
    assert stub_members(core.body) == {"open": ["settings"], "path": None}
    assert native_members(Sample) == {"open": ["settings"], "path": None}
