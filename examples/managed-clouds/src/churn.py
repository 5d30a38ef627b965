"""How a customer is scored: what training, evaluation and the service share."""

import math

COLUMNS = ["months", "monthly_fee", "calls_to_support", "yearly_contract"]


def score(model, customer):
    scaled = ((float(customer[c]) - m) / s for c, m, s in zip(COLUMNS, model["means"], model["spreads"]))
    z = model["bias"] + sum(w * x for w, x in zip(model["weights"], scaled))
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))
