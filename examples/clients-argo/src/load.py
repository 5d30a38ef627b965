"""What all steps share: how a day becomes numbers, and how its load is forecast."""


def features(row: dict[str, str]) -> list[float]:
    temperature, off = float(row["temperature"]), float(int(row["weekday"]) >= 5)
    cold, heat = max(15 - temperature, 0.0), max(temperature - 20, 0.0)
    return [1.0, cold, heat, off, off * cold, off * heat]


def forecast(weights: list[float], row: dict[str, str]) -> float:
    return sum(w * x for w, x in zip(weights, features(row)))
