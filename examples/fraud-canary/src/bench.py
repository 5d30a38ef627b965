"""Measures how long one score takes.

usage: bench.py MODEL TEST REPORT
"""

import csv
import json
import pickle
import sys
import time


def main(model_path, test_path, report_path):
    with open(model_path, "rb") as file:
        model = pickle.load(file)
    with open(test_path, newline="") as file:
        rows = list(csv.DictReader(file))
    times = []
    for row in rows:
        began = time.perf_counter_ns()
        model.score(row)
        times.append((time.perf_counter_ns() - began) / 1e6)
    times.sort()
    with open(report_path, "w") as file:
        json.dump({"p99_ms": times[len(times) * 99 // 100], "scored": len(times)}, file)


main(*sys.argv[1:])
