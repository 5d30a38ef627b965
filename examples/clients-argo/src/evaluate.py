"""Measures a client's model on days that it has not seen.

usage: evaluate.py MODEL TEST REPORT DAYS
"""

import csv
import json
import math
import sys

from load import forecast


def main(model: str, test: str, report: str, days: str) -> None:
    with open(model) as file:
        weights = json.load(file)["weights"]
    with open(test, newline="") as file:
        rows = list(csv.DictReader(file))
    pairs = [(float(row["load"]), forecast(weights, row)) for row in rows]
    numbers = {
        "days": len(pairs),
        "mape": sum(abs(y - guess) / y for y, guess in pairs) / len(pairs),
        "rmse": math.sqrt(sum((y - guess) ** 2 for y, guess in pairs) / len(pairs)),
        "worst": max(abs(y - guess) / y for y, guess in pairs),
    }
    with open(report, "w") as file:
        json.dump(numbers, file, indent=1)
        file.write("\n")
    with open(days, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["date", "load", "forecast"])
        writer.writerows((row["date"], y, f"{guess:.1f}") for row, (y, guess) in zip(rows, pairs))
    print(" ".join(f"{name}={value:.4g}" for name, value in numbers.items()))


main(*sys.argv[1:])
