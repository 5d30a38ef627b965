"""What the model must do whatever its numbers are: tests of behaviour, written as JUnit XML.

usage: run.py MODEL RESULTS     ends with 1 where a test fails; the gate reads the file
"""

import pickle
import sys
import time
from xml.sax.saxutils import quoteattr

model_path, results_path = sys.argv[1:]
with open(model_path, "rb") as file:
    MODEL = pickle.load(file)


def score(amount, category="card"):
    return MODEL.score({"amount": amount, "category": category})


def a_score_is_a_probability():
    for amount in (0, 1, 1e3, 1e6):
        assert 0 <= score(amount) <= 1, amount


def more_money_is_never_less_suspicious():
    for category in ("card", "transfer", "cash"):
        scores = [score(amount, category) for amount in (1, 10, 100, 1000, 10000)]
        assert scores == sorted(scores), (category, scores)


def a_cent_changes_little():
    assert abs(score(100.00) - score(100.01)) < 0.01


def a_coffee_is_no_fraud():
    assert score(3.20) < 0.1


def an_unknown_category_is_scored_all_the_same():
    assert 0 <= score(50, "cheque") <= 1


TESTS = [
    a_score_is_a_probability,
    more_money_is_never_less_suspicious,
    a_cent_changes_little,
    a_coffee_is_no_fraud,
    an_unknown_category_is_scored_all_the_same,
]
cases, failed = [], 0
for test in TESTS:
    began = time.perf_counter()
    try:
        test()
        inner = ""
    except AssertionError as problem:
        failed += 1
        inner = f"<failure message={quoteattr(str(problem))}/>"
        print(f"{test.__name__}: {problem}")
    cases.append(f'<testcase classname="behaviour" name="{test.__name__}" time="{time.perf_counter() - began:.3f}">{inner}</testcase>')
with open(results_path, "w") as file:
    file.write(f'<testsuite name="behaviour" tests="{len(TESTS)}" failures="{failed}">\n' + "\n".join(cases) + "\n</testsuite>\n")
sys.exit(failed > 0)
