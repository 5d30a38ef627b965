"""Deals every third row out to the test set, and counts.

usage: prepare.py ROWS TRAIN TEST STATS
"""

import csv
import json
import sys

rows_path, train_path, test_path, stats_path = sys.argv[1:]
with open(rows_path, newline="") as file:
    header, *rows = csv.reader(file)
for path, part in [
    (train_path, [row for i, row in enumerate(rows) if i % 3]),
    (test_path, rows[::3]),
]:
    with open(path, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *part])
with open(stats_path, "w") as file:
    json.dump({"rows": len(rows)}, file)
