"""Measures a model on every fifth row.

usage: evaluate.py MODEL ROWS REPORT
"""

import csv
import json
import sys

from churn import score


def main(model_path, path, report_path):
    with open(model_path) as file:
        model = json.load(file)
    with open(path, newline="") as file:
        rows = [row for at, row in enumerate(csv.DictReader(file)) if not at % 5]
    scored = [(score(model, row), int(row["churned"])) for row in rows]
    gone, stayed = [s for s, y in scored if y], [s for s, y in scored if not y]
    report = {
        "accuracy": sum((s >= 0.5) == bool(y) for s, y in scored) / len(scored),
        "auc": sum((g > k) + (g == k) / 2 for g in gone for k in stayed) / (len(gone) * len(stayed)),
    }
    with open(report_path, "w") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
    print(report)


main(*sys.argv[1:])
