"""Splits the transactions: every row's place decides, so that a row never changes sides when others are added behind it.

usage: prepare.py --in RAW --train TRAIN --test TEST
"""

import argparse
import csv
import hashlib

parser = argparse.ArgumentParser()
parser.add_argument("--in", dest="raw")
parser.add_argument("--train")
parser.add_argument("--test")
options = parser.parse_args()

with open(options.raw, newline="") as file:
    header, *rows = csv.reader(file)
parts = {options.train: [], options.test: []}
for at, row in enumerate(rows):
    lot = hashlib.sha256(str(at).encode()).digest()[0]
    parts[options.test if lot < 77 else options.train].append(row)
for path, part in parts.items():
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(part)
    print(f"{path}: {len(part)} rows")
