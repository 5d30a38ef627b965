"""Makes the rows of this example: the same ones every time, from a fixed seed. No real person is in them.

usage: make.py FOLDER     writes transactions.csv and live.csv
"""

import csv
import math
import random
import sys

COLUMNS = ["amount", "hour", "distance_km", "merchant", "card_present", "label"]
# How much each kind of merchant speaks for fraud, and how common it is.
MERCHANTS = {"grocery": (-1.2, 45), "travel": (0.4, 20), "electronics": (0.9, 20), "gift_cards": (1.9, 15)}


def row(chance, drift):
    merchant = chance.choices(list(MERCHANTS), [weight for _, weight in MERCHANTS.values()])[0]
    amount = round(math.exp(3.6 + drift + 1.1 * chance.gauss(0, 1)), 2)
    hour = chance.randrange(24)
    distance = round(math.exp(1.5 + 1.4 * chance.gauss(0, 1)), 1)
    present = int(chance.random() < 0.6)
    night = 1.0 if hour < 6 else 0.0
    z = -3.2 + 1.6 * (math.log(amount) - 3.6) + 1.5 * night + 1.1 * math.log1p(distance) + 1.6 * MERCHANTS[merchant][0] - 2.2 * present
    label = int(chance.random() < 1 / (1 + math.exp(-1.8 * z)))
    return [f"{amount:.2f}", hour, f"{distance:.1f}", merchant, present, label]


def rows(seed, fraud, honest, drift=0.0):
    """Rows with so many of each label: what fraud teams train on is balanced beforehand."""
    chance = random.Random(seed)
    wanted, kept = {1: fraud, 0: honest}, []
    while any(wanted.values()):
        one = row(chance, drift)
        if wanted[one[-1]]:
            wanted[one[-1]] -= 1
            kept.append(one)
    return kept


def write(path, kept):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(kept)


folder = sys.argv[1]
write(f"{folder}/transactions.csv", rows(2026, fraud=640, honest=960))
write(f"{folder}/live.csv", rows(2027, fraud=200, honest=300, drift=0.9))
