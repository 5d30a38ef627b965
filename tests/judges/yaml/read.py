"""Reads the emitter's corpus with PyYAML (YAML 1.1) and ruamel.yaml (YAML 1.2): each text must come back as it was."""
import json
import pathlib
import sys

import ruamel.yaml
import yaml

here = pathlib.Path(__file__).parent
corpus = json.loads((here / "corpus.json").read_text(encoding="utf-8"))
text = (here / "corpus.yaml").read_text(encoding="utf-8")
wanted = [{"value": s, "flow": [s, s], "noted": s, "key": {s: [s]}} for s in corpus]
bad = 0
for reader, got in [
    ("PyYAML", yaml.safe_load(text)),
    ("ruamel.yaml 1.2", ruamel.yaml.YAML(typ="safe", pure=True).load(text)),
]:
    wrong = [(w, g) for w, g in zip(wanted, got, strict=True) if w != g]
    print(f"{reader}: {len(wanted)} texts, {len(wrong)} misread")
    for want, seen in wrong[:10]:
        print(f"  wanted {want!r}\n  read   {seen!r}")
    bad += len(wrong)
sys.exit(1 if bad else 0)
