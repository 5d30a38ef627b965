"""Compares how the nodes of a pipeline ended on a laptop and on Argo.

usage: compare.py EVENTS [BUT ...] < WORKFLOW
EVENTS is what `mlpc run --json` wrote, WORKFLOW the Workflow as JSON. Nodes in BUT are shown and not compared.
"""
import json, re, sys

WELL, BADLY, NOT_RUN = "well", "badly", "not run"


def on_laptop(event):
    ending, kind = event["ending"], event["kind"]
    if isinstance(ending, str):
        # Nobody was asked: on Argo such a task is skipped.
        return NOT_RUN if (kind, ending) == ("approval", "hit") else {"done": WELL, "hit": WELL, "approved": WELL}.get(ending, ending)
    word, said = next(iter(ending.items()))
    if word == "decided":
        return WELL if said in ("pass", "warn") else BADLY
    return {"asks": WELL, "skipped": NOT_RUN, "blocked": NOT_RUN, "not_released": NOT_RUN}.get(word, BADLY)


def slug(name):
    return "-".join(word for word in re.split("[^a-z0-9]+", name.lower()) if word)


def on_argo(nodes, name, kind):
    node = nodes.get(slug(name), {})
    if kind == "approval" and node.get("phase") != "Skipped":
        node = nodes.get(slug(name) + "-answer", {})
    phase = node.get("phase", "none")
    return {"Succeeded": WELL, "Failed": BADLY, "Error": BADLY, "Skipped": NOT_RUN, "Omitted": NOT_RUN}.get(phase, phase)


events = [json.loads(line) for line in open(sys.argv[1])]
laptop = {event["node"]: event for event in events if event["event"] == "node_ended"}
code = [event["exit"] for event in events if event["event"] == "run_ended"][-1]
workflow = json.load(sys.stdin)["status"]
nodes = {node["displayName"]: node for node in workflow.get("nodes", {}).values()}
different = 0
for name, event in sorted(laptop.items()):
    here, there = on_laptop(event), on_argo(nodes, name, event["kind"])
    but = name in sys.argv[2:]
    different += here != there and not but
    mark = "=" if here == there else "(≠)" if but else "≠"
    print(f"  {name:<12} laptop {here:<8} argo {there:<8} {mark}")
verdict = nodes.get("verdict", {})
said = verdict.get("outputs", {}).get("exitCode", "none")
phase = workflow.get("phase")
print(f"  {'exit':<12} laptop {code:<8} argo {said:<8} {phase}")
different += str(code) != said or (phase == "Succeeded") != (code == 0)
sys.exit(1 if different else 0)
