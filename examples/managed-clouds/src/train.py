"""Learns a logistic regression from all rows but every fifth.

usage: train.py ROWS MODEL     the number of epochs is the variable `epochs`
"""

import csv
import json
import math
import os
import random
import sys

from churn import COLUMNS


def main(path, model_path):
    with open(path, newline="") as file:
        rows = [row for at, row in enumerate(csv.DictReader(file)) if at % 5]
    columns = [[float(row[c]) for row in rows] for c in COLUMNS]
    means = [sum(column) / len(column) for column in columns]
    spreads = [math.sqrt(sum((x - m) ** 2 for x in column) / len(column)) for column, m in zip(columns, means)]
    xs = [[(x - m) / s for x, m, s in zip(row, means, spreads)] for row in zip(*columns)]
    ys = [int(row["churned"]) for row in rows]
    weights, bias, order = [0.0] * len(COLUMNS), 0.0, list(range(len(xs)))
    for epoch in range(int(os.environ["epochs"])):
        random.Random(epoch).shuffle(order)
        for i in order:
            z = bias + sum(w * x for w, x in zip(weights, xs[i]))
            error = 1 / (1 + math.exp(-z)) - ys[i]
            weights = [w - 0.02 * error * x for w, x in zip(weights, xs[i])]
            bias -= 0.02 * error
    with open(model_path, "w") as file:
        json.dump({"means": means, "spreads": spreads, "weights": weights, "bias": bias}, file, indent=1)
        file.write("\n")
    print(f"learned from {len(rows)} customers")


main(*sys.argv[1:])
