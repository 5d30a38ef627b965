#!/usr/bin/env bash
# Runs the quickstart on Argo's own controller, with a bare repository as its remote: promoted, compared with what was
# promoted, stopped at the gate, stopped as stale. Where the engine's programs do not stand, it says so and ends with 0.
# usage: argo-quickstart.sh [MLPC]       the program (default: target/debug/mlpc, built first)
# env: that of argo-rig.sh
. "$(dirname "$0")/argo-rig.sh"
begin argo-quickstart.sh "${1:-}"
repository quickstart
(cd "$root/examples/quickstart" && git ls-files -z | xargs -0 cp --parents -t "$project")

# Runs the newest commit, as a submission of the file that was compiled; the status is the workflow's. Shows what each pod says of
# itself but its digest, and what the gate said.
run() {
  local status=0 table name
  table=$("$rig" run "$project"/argo/quickstart-submit.yaml -p "repo=$remote" -p revision="$(git -C "$project" rev-parse HEAD)") || status=$?
  sed -E 's/"digest": "[0-9a-f]*", //; s/ +$//' <<<"$table"
  name=$(sed -n 's/^workflow \(quickstart-[^:]*\):.*/\1/p' <<<"$table")
  for log in "$RIG_STATE"/node/logs/argo/"$name"-{quality,verdict}-*/main.log; do
    [ -e "$log" ] && { echo "  --- said by $(sed -E 's/.*-(quality|verdict)-.*/\1/' <<<"${log%/*}")"; grep -v '^time=\|^Error: exit status' "$log" | sed 's/^/  /'; }
  done
  return $status
}
registry() { git -C "$origin" rev-parse -q --verify refs/heads/mlpc-registry || echo none; }
pointer() { git -C "$origin" ls-tree -r --name-only mlpc-registry | grep -q production; }

echo "== first run: no production model yet, so the model is promoted"
compile; push "the quickstart"; apply
out=$(run) || { echo "$out"; fail "the first run did not succeed"; }
echo "$out"
sees "$out" '^workflow quickstart-.*: Succeeded'
sees "$out" '^  current +Pod +Succeeded|^  current +Retry +Succeeded'
pointer || fail "the registry's branch has no production pointer"
first=$(registry); echo "registry branch: $first"

echo "== an edit: compared with the production model on the same rows, and promoted"
sed -i 's/^param epochs: \(.*\)= 20/param epochs: \1= 60/' "$project/pipeline.mlp"
compile; push "more epochs"; apply
out=$(run) || { echo "$out"; fail "the second run did not succeed"; }
echo "$out"
sees "$out" 'pass +require regression\(auc_roc, relative\) <= 2% +-?[0-9]'
second=$(registry); echo "registry branch: $second"
[ "$second" != "$first" ] || fail "the registry's branch was not moved"

echo "== the threshold raised and compiled again: stopped at the gate"
sed -i 's/require auc_roc  *>= 0.95/require auc_roc >= 0.9999/' "$project/pipeline.mlp"
compile; push "a higher bar"; apply
out=$(run) && { echo "$out"; fail "a model that is not good enough got through"; }
echo "$out"
sees "$out" '^workflow quickstart-.*: Failed'
sees "$out" 'gate quality: fail'
sees "$out" 'quality.*exit code 10'
sees "$out" '^  release +.*(Omitted|Skipped)'
sees "$out" '^  verdict.*Failed'
[ "$(registry)" = "$second" ] || fail "the registry's branch was moved"
echo "registry branch: $(registry), untouched"

echo "== the threshold changed and not compiled again: stale"
sed -i 's/require auc_roc >= 0.9999/require auc_roc >= 0.5/' "$project/pipeline.mlp"
push "a lower bar, not compiled"
out=$(run) && { echo "$out"; fail "a stale workflow ran"; }
echo "$out"
sees "$out" 'commit.*exit code 11'
[ "$(registry)" = "$second" ] || fail "the registry's branch was moved"
echo "registry branch: $(registry), untouched"
echo "argo engine: the quickstart is promoted, compared, stopped at the gate, and stopped as stale"
