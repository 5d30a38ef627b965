#!/usr/bin/env bash
# Asks check-jsonschema whether what `mlpc check` writes for programs is what it should be: SARIF by its official schema
# (schemas/sarif-2.1.0.schema.json.gz, as OASIS publishes it), JSON by the schema in the book.
# usage: diagnostics.sh MLPC     env: RIG, see rig.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/rig.sh"
mlpc=$(realpath "$1"); work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
gzip -dc "$here/schemas/sarif-2.1.0.schema.json.gz" > "$work/sarif.schema.json"
judge=("$RIG/venv/bin/check-jsonschema" --no-cache --schemafile)
checked=0
for file in "$here"/../fixtures/*/main.mlp "$here"/../../examples/*/*.mlp; do
  for format in sarif json; do
    status=0; "$mlpc" check "$file" --format "$format" > "$work/said.$format" || status=$?
    [ "$status" = 0 ] || [ "$status" = 2 ] || { echo "$file ended with $status"; exit 1; }
  done
  "${judge[@]}" "$work/sarif.schema.json" "$work/said.sarif" > "$work/log" || { echo "$file, SARIF:"; cat "$work/log"; exit 1; }
  "${judge[@]}" "$here/../../book/src/schemas/diagnostics.schema.json" "$work/said.json" > "$work/log" || { echo "$file, JSON:"; cat "$work/log"; exit 1; }
  checked=$((checked + 1))
done
echo "ok    diagnostics of $checked files as SARIF 2.1.0 and JSON"
# The judge judges: what is no SARIF is refused.
printf '{"version": "2.1.0"}' > "$work/bad.sarif"
! "${judge[@]}" "$work/sarif.schema.json" "$work/bad.sarif" > /dev/null || { echo "the schema takes anything"; exit 1; }
