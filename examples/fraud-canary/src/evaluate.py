"""Measures a model on rows that it has not seen.

usage: evaluate.py MODEL TEST REPORT CONFUSION ROC SCORES
"""

import csv
import json
import math
import pickle
import sys


def auc(scores, labels):
    """The chance that a fraud scores above an honest transaction; a tie counts half."""
    fraud = [s for s, y in zip(scores, labels) if y == 1]
    honest = [s for s, y in zip(scores, labels) if y == 0]
    return sum((f > h) + (f == h) / 2 for f in fraud for h in honest) / (len(fraud) * len(honest))


def table(path, header, rows):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main(model_path, test_path, report_path, confusion_path, roc_path, scores_path):
    with open(model_path, "rb") as file:
        model = pickle.load(file)
    with open(test_path, newline="") as file:
        rows = list(csv.DictReader(file))
    labels = [int(row["label"]) for row in rows]
    scores = [model.score(row) for row in rows]
    pairs = [(int(s >= 0.5), y) for s, y in zip(scores, labels)]
    counts = {(guess, y): pairs.count((guess, y)) for guess in (0, 1) for y in (0, 1)}
    hits, false_alarms, misses = counts[1, 1], counts[1, 0], counts[0, 1]
    report = {
        "rows": len(rows),
        "auc_roc": auc(scores, labels),
        # A model that never says fraud has no precision: null is an error of the gate, never a pass.
        "precision": hits / (hits + false_alarms) if hits + false_alarms else None,
        "f1": 2 * hits / (2 * hits + false_alarms + misses) if hits + false_alarms + misses else None,
        "rmse": math.sqrt(sum((s - y) ** 2 for s, y in zip(scores, labels)) / len(labels)),
    }
    with open(report_path, "w") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
    table(confusion_path, ["guess", "label", "rows"], [(*key, count) for key, count in sorted(counts.items())])
    fraud, honest = labels.count(1), labels.count(0)
    curve = []
    for cut in (at / 20 for at in range(21)):
        caught = sum(s >= cut and y == 1 for s, y in zip(scores, labels))
        bothered = sum(s >= cut and y == 0 for s, y in zip(scores, labels))
        curve.append((cut, f"{caught / fraud:.4f}", f"{bothered / honest:.4f}"))
    # What mlpc compares row by row, and by category.
    scored = [(at, row["category"], y, s) for at, (row, y, s) in enumerate(zip(rows, labels, scores))]
    table(scores_path, ["row", "category", "label", "fraud"], scored)
    table(roc_path, ["cut", "true_positive_rate", "false_positive_rate"], curve)
    print(report)


main(*sys.argv[1:])
