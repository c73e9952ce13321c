"""The benchmark measures everything that it names, beside something else; here on next to nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[1] / "benches" / "bench.py"
STAND_IN = ["stand-in for memU 1.x", "its rows by sqlite3 alone"]


def bench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCH), "--small", "--dir", str(folder), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", check=False, timeout=120
    )


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("bench")
    done = bench(folder, "--json")
    assert done.returncode == 0, done.stderr
    assert list(folder.iterdir()) == []
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_row_is_printed_with_its_baselines(rows: list[dict[str, Any]]) -> None:
    assert {row["name"]: [one["name"] for one in row["baselines"]] for row in rows} == {
        "list_resources, service.sync": ["the core alone"],
        "list_resources, service.sync, above the core": ["goal"],
        "list_resources, awaited": ["thread to asyncio", "run_in_executor"],
        "vector_search_items, 300 × 384, sentences": ["numpy"],
        "vector_search_items, 300 × 384, sentences, recall": ["numpy"],
        "vector_search_items, 300 × 384, gaussian": ["numpy"],
        "vector_search_items, 300 × 384, gaussian, recall": ["numpy"],
        "create_item, 6 one by one, durable": STAND_IN,
        "create_items, batches of 20": STAND_IN,
        "create_memory_item, 6 one by one, durable": STAND_IN,
        "create_memory_items, batches of 20": STAND_IN,
    }


def test_a_ratio_above_one_is_in_favour_of_memu(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        assert row["value"] > 0, row
        for one in row["baselines"]:
            higher_is_better = row["unit"] in {"items/s", "share"}
            ours, theirs = row["value"], one["value"]
            expected = ours / theirs if higher_is_better else theirs / ours
            assert one["ratio"] == pytest.approx(expected), row


def test_what_is_searched_is_found(rows: list[dict[str, Any]]) -> None:
    recalls = [row["value"] for row in rows if row["name"].endswith("recall")]
    assert recalls == [1.0, 1.0]


def test_one_measurement_alone_is_printed_for_people(tmp_path: Path) -> None:
    done = bench(tmp_path, "--only", "create_item, ")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert line.startswith("create_item, 6 one by one, durable ")
    assert "× stand-in for memU 1.x (" in line


def test_a_name_that_nothing_has_is_refused(tmp_path: Path) -> None:
    done = bench(tmp_path, "--only", "no such thing")
    assert done.returncode == 2
    assert "create_items, batches of 20" in done.stderr
    assert done.stdout == ""
