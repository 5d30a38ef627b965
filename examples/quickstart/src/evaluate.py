"""Measures a model on rows that it has not seen.

usage: evaluate.py MODEL TEST REPORT SCORES
"""

import csv
import json
import math
import sys


def sigmoid(z):
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def score(model, row):
    scaled = ((float(row[f]) - m) / s for f, m, s in zip(model["features"], model["means"], model["spreads"]))
    return sigmoid(model["bias"] + sum(w * x for w, x in zip(model["weights"], scaled)))


def auc_roc(scores, labels):
    """The chance that a malignant row scores above a benign one; a tie counts half."""
    positive = [s for s, y in zip(scores, labels) if y == 1]
    negative = [s for s, y in zip(scores, labels) if y == 0]
    wins = sum((p > n) + (p == n) / 2 for p in positive for n in negative)
    return wins / (len(positive) * len(negative))


def main(model_path, test_path, report_path, scores_path):
    with open(model_path) as file:
        model = json.load(file)
    with open(test_path, newline="") as file:
        rows = list(csv.DictReader(file))

    labels = [int(row["malignant"]) for row in rows]
    scores = [score(model, row) for row in rows]
    guesses = [int(s >= 0.5) for s in scores]
    pairs = list(zip(guesses, labels))
    hits, false_alarms, misses = pairs.count((1, 1)), pairs.count((1, 0)), pairs.count((0, 1))
    clipped = [min(max(s, 1e-12), 1 - 1e-12) for s in scores]
    report = {
        "rows": len(rows),
        "accuracy": sum(g == y for g, y in pairs) / len(pairs),
        "auc_roc": auc_roc(scores, labels),
        "f1": 2 * hits / max(2 * hits + false_alarms + misses, 1),
        "recall": hits / max(hits + misses, 1),
        "log_loss": -sum(math.log(s if y else 1 - s) for s, y in zip(clipped, labels)) / len(labels),
    }
    with open(report_path, "w") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
    with open(scores_path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["row", "label", "score"])
        writer.writerows(zip(range(len(rows)), labels, (f"{s:.6f}" for s in scores)))
    print(" ".join(f"{name}={value:.4g}" for name, value in report.items()))


main(*sys.argv[1:])
