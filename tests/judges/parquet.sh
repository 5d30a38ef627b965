#!/usr/bin/env bash
# Tables that pyarrow writes, as Parquet in every codec that mlpc reads and as CSV: `mlpc baseline` must freeze the same numbers of all of them, and those must be
# what pyarrow itself counts.
# usage: tests/judges/parquet.sh [MLPC]     env: RIG, see rig.sh (pyarrow goes there); PYTHON: one that has it
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/rig.sh"
mlpc=$(realpath "${1:-target/debug/mlpc}")
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
if [ -z "${PYTHON:-}" ]; then
  "$here/setup.sh" parquet > /dev/null
  PYTHON=$RIG/pyarrow/bin/python
fi
cat > "$work/judge.py" <<'PY'
import json, pathlib, random, subprocess, sys
import pyarrow as pa, pyarrow.compute as pc, pyarrow.csv as pacsv, pyarrow.parquet as pq

mlpc, work = sys.argv[1], pathlib.Path(sys.argv[2])
chance = random.Random(7)
some = lambda value: None if chance.random() < 0.05 else value
N = 30_000
table = pa.table({
    "id": pa.array(range(N), pa.int64()),
    "amount": pa.array([some(chance.gauss(50, 20)) for _ in range(N)]),
    "age": pa.array([some(chance.randrange(18, 90)) for _ in range(N)], pa.int16()),
    "vip": pa.array([some(chance.random() < 0.1) for _ in range(N)]),
    "city": pa.array([some(chance.choice(["Oslo", "Bergen", "Tromsø"])) for _ in range(N)]).dictionary_encode(),
    "name": pa.array([f"n{chance.randrange(10**6)}" for _ in range(N)]),
})
plain = table.set_column(4, "city", table["city"].cast(pa.string()))
pacsv.write_csv(plain, work / "table.csv", pacsv.WriteOptions(quoting_style="needed"))


def frozen(path):
    out = path.with_suffix(path.suffix + ".json")
    subprocess.run([mlpc, "baseline", str(path), "--out", str(out)], check=True, stdout=subprocess.DEVNULL)
    read = json.loads(out.read_text())
    read.pop("digest")
    read.pop("seal")
    return read


expected = frozen(work / "table.csv")
assert expected["rows"] == N
for column in expected["columns"]:
    theirs = table[column["name"]]
    assert column["nulls"] == theirs.null_count, column["name"]
    kind, body = next(iter(column["kind"].items()))
    if kind == "numbers":
        values = theirs.drop_null()
        edges = body["bins"].get("edges") or body["bins"]["values"]
        below = [pc.sum(pc.less_equal(values, edge)).as_py() for edge in edges]
        counts = body["counts"][: len(below)]
        assert [sum(counts[: i + 1]) for i in range(len(counts))] == below, column["name"]
    elif kind == "categories" and column["name"] == "city":
        counted = {entry["values"]: entry["counts"] for entry in pc.value_counts(plain["city"].drop_null()).to_pylist()}
        assert dict(zip(body["values"], body["counts"])) == counted

forms = 0
for compression in ["none", "snappy", "zstd", "gzip"]:
    for version in ["1.0", "2.0"]:
        for group in [N, 7_000, 999]:
            path = work / f"{compression}-{version}-{group}.parquet"
            pq.write_table(table, path, compression=compression, data_page_version=version, row_group_size=group)
            assert frozen(path) == expected, path.name
            forms += 1
print(f"parquet: {forms} files of {N} rows freeze the numbers of the same rows as CSV, which are pyarrow's own")
PY
"$PYTHON" "$work/judge.py" "$mlpc" "$work"
