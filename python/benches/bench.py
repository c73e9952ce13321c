"""Measures the Python package, each time beside something else that does the same.

    python python/benches/bench.py [--only TEXT] [--json] [--small] [--dir FOLDER]

Both sides take turns in one process, since machines are noisy, and a result is the median of the
turns. A ratio above 1 is in MemU's favour. What is stored is on the disk before a call returns, so
the folder must be on one (by default that for temporary files). Build the package for measurements
with the profile ``release``: `maturin develop --release`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

# NumPy has one thread, and reads this once, when it is imported.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import calls  # noqa: E402
import searching  # noqa: E402
import writing  # noqa: E402
from row import Row  # noqa: E402
from sizes import FULL, SMALL, Sizes  # noqa: E402

Measurement = Callable[[], list[Row]]


def measurements(sizes: Sizes, folder: Path) -> dict[str, Measurement]:
    """All measurements by name."""
    searches: dict[str, Measurement] = {
        searching.search_name(sizes, kind): partial(searching.searches, sizes, kind, folder)
        for kind in searching.KINDS
    }
    return {
        calls.SYNC: lambda: calls.synchronous(sizes),
        calls.AWAITED: lambda: calls.awaited(sizes),
        **searches,
        writing.one_by_one_name(sizes): lambda: writing.one_by_one(sizes, folder),
        writing.batches_name(sizes): lambda: writing.batches(sizes, folder),
        writing.verb_name(sizes): lambda: writing.verb(sizes, folder),
        writing.batch_verb_name(sizes): lambda: writing.batch_verb(sizes, folder),
    }


def main(arguments: list[str] | None = None) -> int:
    """Measures, and prints each row when it is there."""
    parser = argparse.ArgumentParser(description="Measures the Python package.")
    parser.add_argument("--only", metavar="TEXT", help="measurements whose name holds this")
    parser.add_argument("--json", action="store_true", help="print one JSON object a row")
    parser.add_argument("--small", action="store_true", help="so little that it shows nothing")
    parser.add_argument("--dir", type=Path, help="where the files are made, and removed")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="memu-bench-", dir=options.dir) as folder:
        known = measurements(SMALL if options.small else FULL, Path(folder))
        wanted = [name for name in known if options.only is None or options.only in name]
        if not wanted:
            print(f"no measurement has such a name; there are: {'; '.join(known)}", file=sys.stderr)
            return 2
        for name in wanted:
            for row in known[name]():
                print(row.json() if options.json else row.line(), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
