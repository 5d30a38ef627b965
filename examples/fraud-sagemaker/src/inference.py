"""What the endpoint runs: the hooks that SageMaker's serving container calls."""

import json
import os

from fraud import score


def model_fn(folder):
    with open(os.path.join(folder, "model.json")) as file:
        return json.load(file)


def input_fn(body, content_type):
    assert content_type == "application/json", content_type
    return json.loads(body)


def predict_fn(row, model):
    return {"fraud": score(model, row)}


def output_fn(answer, accept):
    return json.dumps(answer)
