"""Takes the last days of a client's history for measuring, and the days before for learning.

usage: prepare.py HISTORY TRAIN TEST     the number of days to measure on, and of days in all (0: all), are `test_days` and `days`
"""

import csv
import os
import sys

history, train, test = sys.argv[1:]
days, test_days = int(os.environ["days"]), int(os.environ["test_days"])
with open(history, newline="") as file:
    header, *rows = csv.reader(file)
rows = rows[-days:] if days else rows
for path, part in ((train, rows[:-test_days]), (test, rows[-test_days:])):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(part)
    print(f"{path}: {len(part)} days")
