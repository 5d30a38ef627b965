"""Learns a logistic regression by stochastic gradient descent, by hand and without a library.

usage: train.py ROWS MODEL --rate X --rounds N --seed N
"""

import argparse
import csv
import json
import math
import random

parser = argparse.ArgumentParser()
parser.add_argument("rows")
parser.add_argument("model")
parser.add_argument("--rate", type=float, required=True)
parser.add_argument("--rounds", type=int, required=True)
parser.add_argument("--seed", type=int, required=True)
options = parser.parse_args()

with open(options.rows, newline="") as file:
    header, *cells = csv.reader(file)
rows = [[float(cell) for cell in row] for row in cells]
columns = list(zip(*rows))[:-1]
means = [sum(column) / len(column) for column in columns]
spreads = [
    math.sqrt(sum((x - mean) ** 2 for x in column) / len(column))
    for column, mean in zip(columns, means)
]

weights, bias = [0.0] * len(columns), 0.0
shuffled = random.Random(options.seed)
for _ in range(options.rounds):
    shuffled.shuffle(rows)
    for *values, label in rows:
        x = [(value - mean) / spread for value, mean, spread in zip(values, means, spreads)]
        z = bias + sum(w * v for w, v in zip(weights, x))
        error = 1 / (1 + math.exp(-z)) - label
        weights = [w - options.rate * error * v for w, v in zip(weights, x)]
        bias -= options.rate * error

with open(options.model, "w") as file:
    json.dump({"means": means, "spreads": spreads, "weights": weights, "bias": bias}, file)
