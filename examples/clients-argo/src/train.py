"""Fits a linear model by least squares with a little ridge: the normal equations, solved by elimination.

usage: train.py TRAIN MODEL     the ridge is the variable `ridge`
"""

import csv
import json
import os
import sys

from load import features


def solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    size = len(right)
    rows = [[*line, value] for line, value in zip(matrix, right)]
    for at in range(size):
        best = max(range(at, size), key=lambda other: abs(rows[other][at]))
        rows[at], rows[best] = rows[best], rows[at]
        for other in range(size):
            if other != at:
                factor = rows[other][at] / rows[at][at]
                rows[other] = [x - factor * y for x, y in zip(rows[other], rows[at])]
    return [rows[at][size] / rows[at][at] for at in range(size)]


def main(train: str, model: str) -> None:
    with open(train, newline="") as file:
        rows = list(csv.DictReader(file))
    xs, ys = [features(row) for row in rows], [float(row["load"]) for row in rows]
    width, ridge = len(xs[0]), float(os.environ["ridge"])
    matrix = [[sum(x[i] * x[j] for x in xs) + (ridge if i == j else 0.0) for j in range(width)] for i in range(width)]
    weights = solve(matrix, [sum(x[i] * y for x, y in zip(xs, ys)) for i in range(width)])
    with open(model, "w") as file:
        json.dump({"weights": weights}, file, indent=1)
        file.write("\n")
    print(f"fitted {width} weights to {len(rows)} days")


main(*sys.argv[1:])
