"""Measures a model.

usage: evaluate.py MODEL ROWS REPORT
"""

import csv
import json
import math
import sys

model_path, rows_path, report_path = sys.argv[1:]
with open(model_path) as file:
    model = json.load(file)
with open(rows_path, newline="") as file:
    header, *rows = csv.reader(file)
right, loss = 0, 0.0
for row in rows:
    *values, label = [float(cell) for cell in row]
    x = [(v - mean) / spread for v, mean, spread in zip(values, model["means"], model["spreads"])]
    z = model["bias"] + sum(w * v for w, v in zip(model["weights"], x))
    right += (z > 0) == (label == 1)
    loss += math.log(1 + math.exp(-z if label == 1 else z))
with open(report_path, "w") as file:
    json.dump({"accuracy": right / len(rows), "log_loss": loss / len(rows)}, file)
