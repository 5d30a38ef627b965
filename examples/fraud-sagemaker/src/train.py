"""Learns a logistic regression by stochastic gradient descent, without a library.

usage: train.py TRAIN MODEL --learning-rate X --epochs N
"""

import argparse
import csv
import json
import math
import random

from fraud import features, sigmoid


def learn(xs, ys, learning_rate, epochs):
    weights, bias = [0.0] * len(xs[0]), 0.0
    order, shuffled = list(range(len(xs))), random.Random(1)
    for _ in range(epochs):
        shuffled.shuffle(order)
        for i in order:
            error = sigmoid(bias + sum(w * x for w, x in zip(weights, xs[i]))) - ys[i]
            weights = [w - learning_rate * (error * x + 0.0001 * w) for w, x in zip(weights, xs[i])]
            bias -= learning_rate * error
    return weights, bias


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("train")
    parser.add_argument("model")
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    options = parser.parse_args()

    with open(options.train, newline="") as file:
        rows = list(csv.DictReader(file))
    raw = [features(row) for row in rows]
    columns = list(zip(*raw))
    means = [sum(column) / len(column) for column in columns]
    spreads = [math.sqrt(sum((x - m) ** 2 for x in column) / len(column)) or 1.0 for column, m in zip(columns, means)]
    xs = [[(x - m) / s for x, m, s in zip(row, means, spreads)] for row in raw]
    weights, bias = learn(xs, [int(row["label"]) for row in rows], options.learning_rate, options.epochs)
    with open(options.model, "w") as file:
        json.dump({"means": means, "spreads": spreads, "weights": weights, "bias": bias}, file, indent=1)
        file.write("\n")
    print(f"learned {len(weights)} weights from {len(rows)} rows in {options.epochs} epochs")


main()
