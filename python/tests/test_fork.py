"""Processes: forking before use is safe, after use the child is told, and spawning just works."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support import ALICE, created, program, sqlite, summaries

from memu import MemoryService

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")

HEAD = """
import asyncio, os, sys
from memu import MemoryService
from support import ALICE, created, sqlite, summaries
from pathlib import Path

FILE = sqlite(Path("memu.db"))

def in_child(work):
    pid = os.fork()
    if pid:
        _, status = os.waitpid(pid, 0)
        assert status == 0, status
        return
    try:
        work()
        sys.stdout.flush()
    except BaseException:
        import traceback
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)
"""


def test_a_fork_after_the_import_changes_nothing(tmp_path: Path) -> None:
    code = """
def work():
    service = MemoryService(database_config=FILE)
    created(service, "The child was here")
    assert asyncio.run(service.stats(ALICE))["items"] == 1
    service.sync.close()
in_child(work)
service = MemoryService(database_config=FILE)
print(summaries(service))
"""
    assert program(HEAD + code, tmp_path) == "['The child was here']\n"


def test_the_child_of_a_process_with_a_service_is_told_and_makes_its_own(tmp_path: Path) -> None:
    code = """
from memu.errors import UnsupportedError
service = MemoryService(database_config=FILE)
created(service, "The parent was here")
asyncio.run(service.stats(ALICE))
database = service.database

def work():
    for use in (
        lambda: service.sync.stats(ALICE),
        lambda: asyncio.run(service.stats(ALICE)),
        lambda: asyncio.run(service.retrieve(["Who was here?"], ALICE)),
        lambda: service.database.items,
        lambda: database.items,
        lambda: database.memory_item_repo.get_item("x"),
        lambda: service.sync.close(),
    ):
        try:
            use()
        except UnsupportedError as error:
            assert "forked" in str(error), error
            assert isinstance(error, NotImplementedError)
        else:
            raise AssertionError("the child used what the parent made")
    own = MemoryService(database_config=FILE)
    created(own, "The child was here")
    assert asyncio.run(own.stats(ALICE))["items"] == 2
    own.sync.close()

in_child(work)
created(service, "The parent goes on")
print(sorted(summaries(service)))
"""
    expected = "['The child was here', 'The parent goes on', 'The parent was here']\n"
    assert program(HEAD + code, tmp_path) == expected


def test_a_store_of_the_parent_cannot_be_closed_by_the_child(tmp_path: Path) -> None:
    code = """
from memu.database.sqlite import build_sqlite_database
from memu.errors import UnsupportedError
database = build_sqlite_database(config=FILE)

def work():
    try:
        database.close()
    except UnsupportedError as error:
        assert "forked" in str(error), error
    else:
        raise AssertionError("the child closed what the parent made")

in_child(work)
print(database.items)
"""
    assert program(HEAD + code, tmp_path, timeout=20) == "{}\n"


def test_the_child_may_let_go_of_what_the_parent_made(tmp_path: Path) -> None:
    code = """
import gc
service = MemoryService(database_config=FILE)
created(service, "The parent was here")
pid = os.fork()
if pid == 0:
    del service
    gc.collect()
    sys.exit(0)
_, status = os.waitpid(pid, 0)
print(status, summaries(service))
"""
    assert program(HEAD + code, tmp_path, timeout=20) == "0 ['The parent was here']\n"


def test_the_parent_may_close_while_the_child_goes_on(tmp_path: Path) -> None:
    code = """
service = MemoryService(database_config=FILE)
created(service, "The parent was here")
begun, begin = os.pipe()
ended, end = os.pipe()
pid = os.fork()
if pid == 0:
    own = MemoryService(database_config=FILE)
    created(own, "The child was here")
    os.write(begin, b"x")
    os.read(ended, 1)
    status = 1
    try:
        created(own, "The child goes on")
        status = 0
    finally:
        os._exit(status)
os.read(begun, 1)
service.sync.close()
os.write(end, b"x")
_, status = os.waitpid(pid, 0)
print(status, sorted(summaries(MemoryService(database_config=FILE))))
"""
    expected = ["The child goes on", "The child was here", "The parent was here"]
    assert program(HEAD + code, tmp_path) == f"0 {expected}\n"


def test_a_child_searches_many_vectors_after_its_parent_did(tmp_path: Path) -> None:
    code = """
import numpy as np
from memu.database.sqlite import build_sqlite_database

vectors = np.random.default_rng(7).standard_normal((70_000, 16)).astype(np.float32)

def nearest():
    store = build_sqlite_database(config=FILE)
    found = store.memory_item_repo.vector_search_items(vectors[9], 3, {"user_id": "nora"})
    store.close()
    return found

items = [
    {"memory_type": "event", "summary": str(n), "embedding": v, "user_data": {"user_id": "nora"}}
    for n, v in enumerate(vectors)
]
store = build_sqlite_database(config=FILE)
store.memory_item_repo.create_items(items)
store.close()
# So many that several threads search: the child has none of those.
by_parent = nearest()

def work():
    assert nearest() == by_parent

in_child(work)
print(len(by_parent), round(by_parent[0][1], 3))
"""
    assert program(HEAD + code, tmp_path) == "3 1.0\n"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_multiprocessing_share_a_file(tmp_path: Path, method: str) -> None:
    file = tmp_path / "workers.py"
    file.write_text(f"""
import multiprocessing
from pathlib import Path
from memu import MemoryService
from support import ALICE, created, sqlite

FILE = sqlite(Path("memu.db"))

def remember(number):
    service = MemoryService(database_config=FILE)
    item = created(service, f"Worker {{number}} was here")
    service.sync.close()
    return item

if __name__ == "__main__":
    multiprocessing.set_start_method({method!r})
    with multiprocessing.Pool(3) as pool:
        items = pool.map(remember, range(6))
    print(sorted(item["summary"] for item in items))
""")
    printed = program("import runpy; runpy.run_path('workers.py', run_name='__main__')", tmp_path)
    expected = [f"Worker {number} was here" for number in range(6)]
    assert printed == f"{expected}\n"
    service = MemoryService(database_config=sqlite(tmp_path / "memu.db"))
    assert sorted(summaries(service)) == expected
    service.sync.close()


def test_a_service_of_the_child_is_not_seen_by_the_parent_until_it_is_written(
    tmp_path: Path,
) -> None:
    parent = MemoryService(database_config=sqlite(tmp_path / "memu.db"))
    created(parent, "The parent was here")
    code = """
from pathlib import Path
from support import created, sqlite
from memu import MemoryService
service = MemoryService(database_config=sqlite(Path("memu.db")))
created(service, "Another process was here")
"""
    program(code, tmp_path)
    assert len(summaries(parent, ALICE)) == 2
    assert len(parent.database.items) == 2
    parent.sync.close()
