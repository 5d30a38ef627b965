"""A logistic regression as it is pickled: weights, and how to score a row."""

import math

from features.build import features


class Model:
    def __init__(self, means, spreads, weights, bias):
        self.means, self.spreads, self.weights, self.bias = means, spreads, weights, bias

    def score(self, row):
        scaled = ((x - m) / s for x, m, s in zip(features(row), self.means, self.spreads))
        z = self.bias + sum(w * x for w, x in zip(self.weights, scaled))
        return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))
