"""What training, evaluation and the endpoint share: how a transaction becomes numbers, and how it is scored."""

import math

MERCHANTS = ["grocery", "travel", "electronics", "gift_cards"]


def features(row):
    hour = int(row["hour"])
    return [
        math.log1p(float(row["amount"])),
        float(hour < 6),
        math.log1p(float(row["distance_km"])),
        float(row["card_present"]),
        *(float(row["merchant"] == kind) for kind in MERCHANTS),
    ]


def sigmoid(z):
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def score(model, row):
    scaled = ((x - mean) / spread for x, mean, spread in zip(features(row), model["means"], model["spreads"]))
    return sigmoid(model["bias"] + sum(w * x for w, x in zip(model["weights"], scaled)))
