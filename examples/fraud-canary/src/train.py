"""Learns the model, and picks up where a killed attempt stopped.

usage: train.py TRAIN --lr X --epochs N --optimizer adam|sgd --out MODEL
"""

import argparse
import csv
import math
import os
import pickle
import random

from features.build import features
from model import Model

CHECKPOINT = os.path.join("checkpoints", "state.pkl")


def sigmoid(z):
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def step(optimizer, state, gradients, lr, at):
    """One update of the weights, the bias among them."""
    for i, gradient in enumerate(gradients):
        if optimizer == "adam":
            state["first"][i] = 0.9 * state["first"][i] + 0.1 * gradient
            state["second"][i] = 0.999 * state["second"][i] + 0.001 * gradient * gradient
            first, second = state["first"][i] / (1 - 0.9**at), state["second"][i] / (1 - 0.999**at)
            state["weights"][i] -= lr * first / (math.sqrt(second) + 1e-8)
        else:
            state["weights"][i] -= lr * gradient


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("train")
    parser.add_argument("--lr", type=float, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--optimizer", choices=["adam", "sgd"], required=True)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()

    with open(options.train, newline="") as file:
        rows = list(csv.DictReader(file))
    raw = [features(row) for row in rows]
    columns = list(zip(*raw))
    means = [sum(column) / len(column) for column in columns]
    spreads = [math.sqrt(sum((x - m) ** 2 for x in column) / len(column)) or 1.0 for column, m in zip(columns, means)]
    xs = [[1.0, *((x - m) / s for x, m, s in zip(row, means, spreads))] for row in raw]
    ys = [int(row["label"]) for row in rows]

    width = len(xs[0])
    state = {"epoch": 0, "at": 0, "weights": [0.0] * width, "first": [0.0] * width, "second": [0.0] * width}
    if os.path.exists(CHECKPOINT):
        with open(CHECKPOINT, "rb") as file:
            state = pickle.load(file)
        print(f"goes on after epoch {state['epoch']}")
    while state["epoch"] < options.epochs:
        order = list(range(len(xs)))
        random.Random(state["epoch"]).shuffle(order)
        for i in order:
            state["at"] += 1
            error = sigmoid(sum(w * x for w, x in zip(state["weights"], xs[i]))) - ys[i]
            step(options.optimizer, state, [error * x for x in xs[i]], options.lr, state["at"])
        state["epoch"] += 1
        os.makedirs("checkpoints", exist_ok=True)
        with open(CHECKPOINT, "wb") as file:
            pickle.dump(state, file)
    bias, *weights = state["weights"]
    with open(options.out, "wb") as file:
        pickle.dump(Model(means, spreads, weights, bias), file, protocol=4)
    print(f"learned {len(weights)} weights from {len(rows)} rows in {options.epochs} epochs")


main()
