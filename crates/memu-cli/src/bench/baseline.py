"""What numpy and sqlite-vec take to find the ten nearest of some vectors.

Arguments: a file of f32 vectors of length 1, a file of queries, the dimension, and what to
measure: numpy or sqlite-vec. Prints one JSON object: the median in milliseconds, and the
ten nearest of each query.
"""

import json
import os
import sys
import time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np


def median(times):
    return sorted(times)[len(times) // 2]


def by_numpy(matrix, queries):
    times, nearest = [], []
    for query in queries:
        started = time.perf_counter()
        scores = matrix @ query
        top = np.argpartition(scores, -10)[-10:]
        top = top[np.argsort(-scores[top])]
        times.append(time.perf_counter() - started)
        nearest.append(top.tolist())
    return times, nearest


def connected():
    """A connection with sqlite-vec, by Python's own module or, where that was built without
    extensions, by apsw."""
    import sqlite3

    import sqlite_vec

    connection = sqlite3.connect(":memory:")
    if hasattr(connection, "enable_load_extension"):
        connection.enable_load_extension(True)
        sqlite_vec.load(connection)
        return connection
    import apsw

    connection = apsw.Connection(":memory:")
    connection.enable_load_extension(True)
    connection.load_extension(sqlite_vec.loadable_path())
    return connection


def by_sqlite_vec(matrix, queries):
    connection = connected()
    dimension = matrix.shape[1]
    connection.execute(f"CREATE VIRTUAL TABLE v USING vec0(e float[{dimension}])")
    connection.execute("BEGIN")
    rows = ((number, vector.tobytes()) for number, vector in enumerate(matrix))
    connection.executemany("INSERT INTO v (rowid, e) VALUES (?, ?)", rows)
    connection.execute("COMMIT")
    times, nearest = [], []
    for query in queries[:20]:
        started = time.perf_counter()
        found = list(
            connection.execute(
                "SELECT rowid FROM v WHERE e MATCH ? AND k = 10", [query.tobytes()]
            )
        )
        times.append(time.perf_counter() - started)
        nearest.append([row[0] for row in found])
    return times, nearest


def main():
    vectors, queries, dimension, what = sys.argv[1:]
    dimension = int(dimension)
    matrix = np.fromfile(vectors, dtype="<f4").reshape(-1, dimension)
    queries = np.fromfile(queries, dtype="<f4").reshape(-1, dimension)
    measure = by_numpy if what == "numpy" else by_sqlite_vec
    times, nearest = measure(matrix, queries)
    print(json.dumps({"milliseconds": median(times) * 1e3, "nearest": nearest}))


main()
