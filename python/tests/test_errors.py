"""Exceptions say what the core says, and are what callers of memU 1.x catch."""

from __future__ import annotations

import builtins
import copy
import errno
import pickle

import pytest

from memu import errors
from memu.errors import MemuError, from_native

CAUGHT_AS = {
    "config": (ValueError, KeyError),
    "scope": (ValueError,),
    "filter": (ValueError,),
    "input": (ValueError,),
    "not_found": (KeyError,),
    "conflict": (RuntimeError,),
    "unsupported": (NotImplementedError,),
    "model": (RuntimeError,),
    "storage": (RuntimeError,),
    "busy": (TimeoutError,),
    "corrupt": (RuntimeError,),
    "too_new": (RuntimeError,),
    "permission": (PermissionError,),
    "cancelled": (RuntimeError,),
    "internal": (RuntimeError,),
}


@pytest.mark.parametrize("kind", CAUGHT_AS)
def test_every_kind_of_the_core_has_its_own_class(kind: str) -> None:
    error = from_native(kind, "it went wrong", {"file": "chat.json"}, True)
    assert type(error) is not MemuError
    assert all(isinstance(error, caught) for caught in CAUGHT_AS[kind])
    assert (error.kind, error.message) == (kind, "it went wrong")
    assert (error.context, error.retryable) == ({"file": "chat.json"}, True)
    assert sum(type(from_native(other, "", {}, False)) is type(error) for other in CAUGHT_AS) == 1


@pytest.mark.parametrize("kind", CAUGHT_AS)
def test_the_text_has_the_message_the_context_and_the_cause(kind: str) -> None:
    error = from_native(kind, "the file is empty", {"file": "a.json", "cause": "disk"}, False)
    assert str(error) == "the file is empty (file: a.json): disk"
    assert str(from_native(kind, "the file is empty", {}, False)) == "the file is empty"


@pytest.mark.parametrize("kind", [*CAUGHT_AS, "a kind of tomorrow"])
def test_pickling_and_copying_keep_everything(kind: str) -> None:
    error = from_native(kind, "no", {"os_error": "not_found", "timeout": "60 s"}, True)
    error.add_note("while trying")
    for same in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(same) is type(error)
        assert (same.kind, same.message) == (error.kind, error.message)
        assert (same.context, same.retryable) == (error.context, True)
        assert same.args == error.args
        assert same.__notes__ == ["while trying"]
        assert str(same) == str(error)


def test_a_missing_file_is_a_file_not_found_error() -> None:
    error = from_native("input", "there is none", {"file": "a", "os_error": "not_found"}, False)
    assert isinstance(error, FileNotFoundError)
    assert isinstance(error, ValueError)
    assert (error.errno, error.filename) == (errno.ENOENT, "a")
    assert str(error) == "there is none (file: a)"
    same = pickle.loads(pickle.dumps(error))
    assert (same.errno, same.filename) == (errno.ENOENT, "a")
    other = from_native("input", "not UTF-8", {"file": "a"}, False)
    assert not isinstance(other, OSError)
    # Only what was handed over is a file of the caller's.
    storage = from_native("storage", "gone", {"os_error": "not_found"}, False)
    assert not isinstance(storage, FileNotFoundError)


def test_a_model_that_takes_too_long_is_a_timeout_error() -> None:
    error = from_native("model", "no answer came", {"timeout": "60 s"}, True)
    assert isinstance(error, TimeoutError)
    assert isinstance(error, errors.ModelError)
    assert not isinstance(from_native("model", "garbage", {}, False), TimeoutError)


def test_a_kind_that_is_not_known_is_kept() -> None:
    error = from_native("a kind of tomorrow", "hm", {}, False)
    assert type(error) is MemuError
    assert error.kind == "a kind of tomorrow"


def test_what_python_raises_itself_is_retryable_where_that_is_usual() -> None:
    made = {name: getattr(errors, name)("x") for name in errors.__all__ if name != "from_native"}
    assert {name for name, error in made.items() if error.retryable} == {
        "BusyError",
        "ConflictError",
    }
    assert made["NotFoundError"].kind == "not_found"
    assert errors.BusyError("x", retryable=False).retryable is False


def test_the_context_is_the_exceptions_own() -> None:
    context = {"file": "a"}
    error = errors.InputError("x", context)
    context["file"] = "b"
    assert error.context == {"file": "a"}


def test_no_name_shadows_one_of_python() -> None:
    assert not [name for name in errors.__all__ if hasattr(builtins, name)]
