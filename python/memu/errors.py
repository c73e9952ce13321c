"""The exceptions of MemU.

Every error of the Rust core arrives as a :class:`MemuError` of the class for its kind. Each class
also is what a caller of memU 1.x would catch: ``ValueError`` for a bad argument, ``KeyError`` for
an unknown id, ``TimeoutError`` for a wait that was too long, and so on.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any, ClassVar

__all__ = [
    "BusyError",
    "ConfigError",
    "ConflictError",
    "CorruptError",
    "FilterError",
    "InputError",
    "InputFileNotFoundError",
    "InternalError",
    "MemuError",
    "MemuPermissionError",
    "ModelError",
    "ModelTimeoutError",
    "NotFoundError",
    "OperationCancelledError",
    "ScopeError",
    "StorageError",
    "TooNewError",
    "UnsupportedError",
    "from_native",
]

# What is for programs; a reader learns it from the message.
_NOT_SHOWN = frozenset({"os_error", "cause"})


class MemuError(Exception):
    """What went wrong, to what, and whether trying again may help.

    Attributes:
        kind: The stable code, such as ``"not_found"``; the same in Rust, Python and JSON.
        message: What happened, without the context.
        context: The circumstances by name, such as the file. ``cause`` is what was below.
        retryable: Whether the same call may succeed when it is made again.

    ``retryable`` is what is usual for the kind unless it is given.
    """

    default_kind: ClassVar[str] = "internal"
    default_retryable: ClassVar[bool] = False

    kind: str
    message: str
    context: dict[str, str]
    retryable: bool

    def __init__(
        self,
        message: str,
        context: Mapping[str, str] | None = None,
        *,
        kind: str | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = self.default_kind if kind is None else kind
        self.message = message
        self.context = dict(context or {})
        self.retryable = self.default_retryable if retryable is None else retryable

    def __str__(self) -> str:
        shown = ", ".join(
            f"{key}: {value}" for key, value in self.context.items() if key not in _NOT_SHOWN
        )
        text = f"{self.message} ({shown})" if shown else self.message
        cause = self.context.get("cause")
        return f"{text}: {cause}" if cause else text

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is usually made anew from `args`, which lack the context.
        made_of = (type(self), self.message, self.context, self.kind, self.retryable)
        return _remake, made_of, self.__dict__.copy()


def _remake(
    error: type[MemuError], message: str, context: dict[str, str], kind: str, retryable: bool
) -> MemuError:
    return error(message, context, kind=kind, retryable=retryable)


class ConfigError(MemuError, ValueError, KeyError):
    """A setting is missing, unknown or out of range.

    Also a ``KeyError``, which memU 1.x raises for an unknown profile or step.
    """

    default_kind = "config"


class ScopeError(MemuError, ValueError):
    """The scope is ambiguous, incomplete or does not fit the store."""

    default_kind = "scope"


class FilterError(MemuError, ValueError):
    """A filter names an unknown field or operator, or has an unusable value."""

    default_kind = "filter"


class InputError(MemuError, ValueError):
    """What was handed over cannot be used as it is."""

    default_kind = "input"


class InputFileNotFoundError(InputError, FileNotFoundError):
    """The file that was named does not exist; ``filename`` is the one."""

    def __init__(
        self,
        message: str,
        context: Mapping[str, str] | None = None,
        *,
        kind: str | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message, context, kind=kind, retryable=retryable)
        self.errno = errno.ENOENT
        self.filename = self.context.get("file")


class NotFoundError(MemuError, KeyError):
    """Something that was named does not exist in the scope."""

    default_kind = "not_found"


class ConflictError(MemuError, RuntimeError):
    """The record changed since it was read. Retryable."""

    default_kind = "conflict"
    default_retryable = True


class UnsupportedError(MemuError, NotImplementedError):
    """The operation or modality is not available with this configuration."""

    default_kind = "unsupported"


class ModelError(MemuError, RuntimeError):
    """A model failed, or answered something unusable."""

    default_kind = "model"


class ModelTimeoutError(ModelError, TimeoutError):
    """A model gave no answer in time."""


class StorageError(MemuError, RuntimeError):
    """The store failed to read or write."""

    default_kind = "storage"


class BusyError(MemuError, TimeoutError):
    """The store stayed locked for longer than the configured wait. Retryable."""

    default_kind = "busy"
    default_retryable = True


class CorruptError(MemuError, RuntimeError):
    """Stored data fails its own checks."""

    default_kind = "corrupt"


class TooNewError(MemuError, RuntimeError):
    """The store was written by a newer version."""

    default_kind = "too_new"


class MemuPermissionError(MemuError, PermissionError):
    """The operating system denied access."""

    default_kind = "permission"


class OperationCancelledError(MemuError, RuntimeError):
    """The work was given up before it was done."""

    default_kind = "cancelled"


class InternalError(MemuError, RuntimeError):
    """A defect in MemU itself."""


_CLASSES: dict[str, type[MemuError]] = {
    error.default_kind: error
    for error in (
        ConfigError,
        ScopeError,
        FilterError,
        InputError,
        NotFoundError,
        ConflictError,
        UnsupportedError,
        ModelError,
        StorageError,
        BusyError,
        CorruptError,
        TooNewError,
        MemuPermissionError,
        OperationCancelledError,
        InternalError,
    )
}


def from_native(kind: str, message: str, context: dict[str, str], retryable: bool) -> MemuError:
    """The exception for an error of the core; the native module raises what this returns.

    A kind that this version does not know gives a plain :class:`MemuError` with that kind.
    """
    error = _CLASSES.get(kind, MemuError)
    if error is InputError and context.get("os_error") == "not_found":
        error = InputFileNotFoundError
    elif error is ModelError and "timeout" in context:
        error = ModelTimeoutError
    return error(message, context, kind=kind, retryable=retryable)
