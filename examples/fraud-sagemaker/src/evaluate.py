"""Measures a model on rows that it has not seen.

usage: evaluate.py MODEL TEST REPORT CONFUSION ROC
"""

import csv
import json
import sys

from fraud import score


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


def main(model_path, test_path, report_path, confusion_path, roc_path):
    with open(model_path) as file:
        model = json.load(file)
    with open(test_path, newline="") as file:
        rows = list(csv.DictReader(file))
    labels = [int(row["label"]) for row in rows]
    scores = [score(model, row) for row in rows]
    pairs = [(int(s >= 0.5), y) for s, y in zip(scores, labels)]
    counts = {(guess, y): pairs.count((guess, y)) for guess in (0, 1) for y in (0, 1)}
    hits, wrong = counts[1, 1], counts[1, 0] + counts[0, 1]
    report = {
        "rows": len(rows),
        "accuracy": (hits + counts[0, 0]) / len(rows),
        "f1": 2 * hits / (2 * hits + wrong),
        "auc": auc(scores, labels),
    }
    with open(report_path, "w") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
    table(confusion_path, ["guess", "label", "rows"], [(*key, count) for key, count in sorted(counts.items())])
    cuts = [cut / 20 for cut in range(21)]
    fraud, honest = labels.count(1), labels.count(0)
    rates = [(sum(s >= cut and y == 1 for s, y in zip(scores, labels)) / fraud, sum(s >= cut and y == 0 for s, y in zip(scores, labels)) / honest) for cut in cuts]
    table(roc_path, ["cut", "true_positive_rate", "false_positive_rate"], [(cut, f"{t:.4f}", f"{f:.4f}") for cut, (t, f) in zip(cuts, rates)])
    print(" ".join(f"{name}={value:.4g}" for name, value in report.items()))


main(*sys.argv[1:])
