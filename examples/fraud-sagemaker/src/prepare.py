"""Splits the transactions into rows to learn from and rows to be measured on.

usage: prepare.py RAW TRAIN TEST     the share of test rows and the seed are the variables `test_share` and `seed`
"""

import csv
import os
import random
import sys


def main(raw, train, test):
    with open(raw, newline="") as file:
        header, *rows = csv.reader(file)
    random.Random(int(os.environ["seed"])).shuffle(rows)
    cut = round(len(rows) * float(os.environ["test_share"]))
    for path, part in ((test, rows[:cut]), (train, rows[cut:])):
        with open(path, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(part)
        print(f"{path}: {len(part)} rows")


main(*sys.argv[1:])
