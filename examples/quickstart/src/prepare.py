"""Splits the measurements into rows to learn from and rows to be measured on.

usage: prepare.py RAW TRAIN TEST
"""

import csv
import os
import random
import sys


def main(raw, train, test):
    test_share = float(os.environ["test_share"])
    with open(raw, newline="") as file:
        header, *rows = csv.reader(file)

    # Shuffled within each class, so that both parts hold the same share of malignant rows.
    chosen = random.Random(7)
    parts = {train: [], test: []}
    for label in ("0", "1"):
        of_class = [row for row in rows if row[-1] == label]
        chosen.shuffle(of_class)
        cut = round(len(of_class) * test_share)
        parts[test] += of_class[:cut]
        parts[train] += of_class[cut:]

    for path, part in parts.items():
        with open(path, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(part)
        print(f"{path}: {len(part)} rows")


main(*sys.argv[1:])
