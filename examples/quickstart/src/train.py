"""Learns a logistic regression by stochastic gradient descent, by hand and without a library.

usage: train.py TRAIN MODEL --learning-rate X --epochs N
"""

import argparse
import csv
import json
import math
import random

DECAY = 0.0001


def read(path):
    with open(path, newline="") as file:
        header, *rows = csv.reader(file)
    return header[:-1], [[float(cell) for cell in row[:-1]] for row in rows], [int(row[-1]) for row in rows]


def standard(value, mean, spread):
    return (value - mean) / spread


def sigmoid(z):
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def learn(xs, ys, learning_rate, epochs):
    weights, bias = [0.0] * len(xs[0]), 0.0
    order = list(range(len(xs)))
    shuffled = random.Random(1)
    for _ in range(epochs):
        shuffled.shuffle(order)
        for i in order:
            error = sigmoid(bias + sum(w * x for w, x in zip(weights, xs[i]))) - ys[i]
            weights = [w - learning_rate * (error * x + DECAY * w) for w, x in zip(weights, xs[i])]
            bias -= learning_rate * error
    return weights, bias


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("train")
    parser.add_argument("model")
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    options = parser.parse_args()

    features, rows, labels = read(options.train)
    columns = list(zip(*rows))
    means = [sum(column) / len(column) for column in columns]
    spreads = [math.sqrt(sum((x - m) ** 2 for x in column) / len(column)) for column, m in zip(columns, means)]
    xs = [[standard(*cell) for cell in zip(row, means, spreads)] for row in rows]
    weights, bias = learn(xs, labels, options.learning_rate, options.epochs)

    # What the model needs to score a row travels with it: names, scales, weights.
    model = {"features": features, "means": means, "spreads": spreads, "weights": weights, "bias": bias}
    with open(options.model, "w") as file:
        json.dump(model, file, indent=1)
        file.write("\n")
    print(f"learned {len(weights)} weights from {len(rows)} rows in {options.epochs} epochs")


main()
