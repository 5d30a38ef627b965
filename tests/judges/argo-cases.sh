#!/usr/bin/env bash
# Runs the pipelines of argo-cases/ on Argo's own controller and with `mlpc run --release` on this machine, and compares how
# every node ended and with which exit code: approvals given, refused and not asked for, inputs with `?` behind them, a profile
# that does not release, a push while a run waits, gates that say no or can't be decided, a leg that fails, a run by the clock.
# usage: argo-cases.sh [MLPC]       the program (default: target/debug/mlpc, built first)
# env: that of argo-rig.sh
. "$(dirname "$0")/argo-rig.sh"
begin argo-cases.sh "${1:-}"
laptop=$work/laptop.jsonl

# Submits the newest commit; leaves the name of the workflow in $workflow.
submit() { workflow=$("$rig" argo submit -o name "$project/argo/$1-submit.yaml" -p "repo=$remote" "${@:2}"); echo "$workflow"; }
status() { "$rig" kubectl get wf "$workflow" -o json; }
phase() { "$rig" kubectl get wf "$workflow" -o 'jsonpath={.status.phase}'; }
waiting() { status | python3 -c 'import json, sys
for node in json.load(sys.stdin).get("status", {}).get("nodes", {}).values():
    if (node["type"], node.get("phase")) == ("Suspend", "Running"): print(node["displayName"])'; }
# Waits until the workflow is over, and answers what waits meanwhile: NAME=YES|NO. Any other question is no part of the case.
answer() {
  local until=$((SECONDS + RIG_TIMEOUT)) task given pair
  local -A asked=()
  while [ $SECONDS -lt $until ]; do
    case "$(phase)" in Succeeded | Failed | Error) break ;; esac
    for task in $(waiting); do
      [ -z "${asked[$task]:-}" ] || continue
      given=
      for pair; do [ "${pair%%=*}" = "$task" ] && given=${pair#*=}; done
      [ -n "$given" ] || fail "\`$task\` asks"
      "$rig" argo node set "$workflow" --node-field-selector "displayName=$task" -p "approve=$given" >/dev/null
      "$rig" argo resume "$workflow" --node-field-selector "displayName=$task" >/dev/null
      asked[$task]=$given
      echo "  $task: $given"
    done
    sleep 1
  done
  for pair; do [ -n "${asked[${pair%%=*}]:-}" ] || fail "\`${pair%%=*}\` did not ask"; done
}
# Runs the same here, and decides the same: NAME=YES|NO of the approvals, in the order in which they are asked.
on_laptop() {
  local run pair options=()
  while [[ ${1:-} == -* ]]; do options+=("$1" "$2"); shift 2; done
  (cd "$project" && "$mlpc" run --release --json "${options[@]}" >"$laptop" 2>"$work/said") || true
  run=$(sed -n 's/.*"event":"run_ended","run":"\([^"]*\)".*/\1/p' "$laptop")
  for pair; do
    if [ "${pair#*=}" = YES ]; then options=(); else options=(--reject --reason "not today"); fi
    (cd "$project" && "$mlpc" approve "${pair%%=*}" --as alice --run "$run" "${options[@]}" >/dev/null)
    (cd "$project" && "$mlpc" run --release --resume "$run" --json >"$laptop" 2>"$work/said") || true
  done
}
same() { status | python3 "$here/argo-cases/compare.py" "$laptop" "$@" || { status | python3 "$here/argo-engine/nodes.py"; fail "they differ"; }; }
# Shows the log of a task's pod.
log() { grep -hv '^time=' "$RIG_STATE/node/logs/argo/$workflow-$1"-*/main.log; }

repository parts
cp "$here/argo-cases/parts.mlp" "$project/pipeline.mlp"
printf '/.mlpc/\n/registry/\n/out/\n' >"$project/.gitignore"
mkdir "$project/data"
echo raw >"$project/data/raw.txt"
echo '{"auc": 0.9}' >"$project/data/score.json"
compile; push "parts"; apply
began=$(git -C "$project" rev-parse HEAD)

echo "== a first model: every approval is given; what is pushed while the run waits is not in it"
submit parts
(for _ in {1..600}; do [ -n "$(waiting)" ] && break; sleep 0.5; done)
echo other >"$project/data/raw.txt"; push "pushed meanwhile"
answer first=YES change=YES go=YES
git -C "$project" checkout -q "$began"
on_laptop first=YES change=YES go=YES
same evaluate@q
git -C "$project" checkout -q main
metadata=$(git -C "$origin" ls-tree -r --name-only models | grep '/metadata.json$')
[ "$(wc -l <<<"$metadata")" = 1 ] || fail "not one version: $metadata"
of=$(git -C "$origin" show "models:$metadata")
sees "$of" "\"code_commit\": \"$began\""
! grep -q "not committed" <<<"$of" || fail "a checkout counts as changed: $of"
git -C "$origin" ls-tree -r --name-only models | grep -q pointers/production || fail "nothing was promoted"
sees "$(log deploy)" '^deployed'
sees "$(log apply)" '^raw'

echo "== the same again: nobody is asked about it, and what reads with \`?\` goes on; the change is refused"
git -C "$project" checkout -q "$began"
before=$(git -C "$origin" rev-parse models)
submit parts -p "revision=$began"
answer change=NO
on_laptop change=NO
same
[ "$(git -C "$origin" rev-parse models)" = "$before" ] || fail "the registry's branch moved"

echo "== a profile that does not release: nobody is asked, nothing is released"
before=$(git -C "$origin" rev-parse models)
submit parts -p "revision=$began" -p profile=smoke
answer
on_laptop --profile smoke
same
[ "$(git -C "$origin" rev-parse models)" = "$before" ] || fail "the registry's branch moved"
git -C "$project" checkout -q main

echo "== by the clock: gates that say no or can't be decided, and a leg that fails"
repository gates
sed "s#@REMOTE@#$remote#" "$here/argo-cases/gates.mlp" >"$project/pipeline.mlp"
mkdir "$project/data"
echo raw >"$project/data/raw.txt"
compile; push "gates"; apply
"$rig" kubectl apply -f "$project/argo/gates-cron.yaml" >/dev/null
workflow=
for _ in {1..180}; do
  workflow=$("$rig" kubectl get wf -l workflows.argoproj.io/cron-workflow=gates -o 'jsonpath={.items[0].metadata.name}' 2>/dev/null) && [ -n "$workflow" ] && break
  sleep 1
done
[ -n "$workflow" ] || fail "the clock started nothing"
# Deleting it would take the workflow with it.
"$rig" kubectl patch cronworkflow gates --type merge -p '{"spec": {"suspend": true}}' >/dev/null
echo "$workflow"
answer
on_laptop
same
sees "$(status)" '"value": "schedule"'
echo "argo engine: what Argo ran ended as it does here"
