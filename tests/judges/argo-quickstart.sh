#!/usr/bin/env bash
# Runs the quickstart on Argo's own controller, with a bare repository as its remote: promoted, compared with what was
# promoted, stopped at the gate, stopped as stale. Where the engine's programs do not stand, it says so and ends with 0.
# usage: argo-quickstart.sh [MLPC]       the program (default: target/debug/mlpc, built first)
# env: RIG_BIN    what argo-engine/setup.sh built (default /var/cache/argorig/bin)
#      RIG_PORT   first of five free ports (default 18440)
#      KEEP=1     leaves the folder with repository, logs and data
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) root=$(cd "$(dirname "$0")/../.." && pwd)
engine=${RIG_BIN:-/var/cache/argorig/bin}
skip() { echo "argo engine: not here, skipped: $1 (build it with tests/judges/argo-engine/setup.sh: half an hour, once)"; exit 0; }
for program in etcd kube-apiserver kubectl prockubelet gofakes3 argo argoexec workflow-controller crds; do
  [ -e "$engine/$program" ] || skip "no $engine/$program"
done
[ "$(id -u)" = 0 ] || skip "it needs root, for namespaces"

mlpc=${1:-}
[ -n "$mlpc" ] || { (cd "$root" && cargo build --quiet --locked); mlpc=$root/target/debug/mlpc; }
mlpc=$(readlink -f "$mlpc")

# Containers see the machine's root file system without /tmp, and the folder RIG_BIN as the last of their PATH.
work=$(mktemp -d /var/tmp/mlpc-argo.XXXXXX)
export RIG_STATE=$work/rig RIG_PORT=${RIG_PORT:-18440} RIG_TIMEOUT=${RIG_TIMEOUT:-300} RIG_BIN=$work/bin
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=tour GIT_AUTHOR_EMAIL=tour@example GIT_COMMITTER_NAME=tour GIT_COMMITTER_EMAIL=tour@example
rig=$here/argo-engine/rig
end() {
  local code=$?
  [ -z "${daemon:-}" ] || kill "$daemon" 2>/dev/null || true
  "$rig" down >/dev/null 2>&1 || true
  [ "${KEEP:-}" = 1 ] && echo "kept: $work" || rm -rf "$work"
  exit $code
}
trap end EXIT
trap 'exit 130' INT TERM
mkdir "$work/bin"
ln -s "$engine"/* "$work/bin/"
cp "$mlpc" "$work/bin/mlpc"

origin=$work/origin.git project=$work/project
git init -q --bare -b main "$origin"
git clone -q "$origin" "$project" 2>/dev/null
# What a container writes to disk goes with it, so the remote is served.
"$(git --exec-path)/git-daemon" --reuseaddr --listen=127.0.0.1 --port=$((RIG_PORT + 4)) --base-path="$work" --export-all --enable=receive-pack "$work" 2>"$work/daemon.log" &
daemon=$!
remote=git://127.0.0.1:$((RIG_PORT + 4))/origin.git
git -C "$project" checkout -q -b main
(cd "$root/examples/quickstart" && git ls-files -z | xargs -0 cp --parents -t "$project")

fail() {
  echo "argo-quickstart.sh: $1"
  for log in "$RIG_STATE"/node/logs/argo/*/main.log; do [ -e "$log" ] && { echo "--- ${log#"$RIG_STATE/node/logs/argo/"}"; grep -v '^time=' "$log" || true; }; done
  exit 1
}
compile() { (cd "$project" && "$mlpc" compile --target argo | sed "s#$project/##"); }
push() { git -C "$project" add -A; git -C "$project" commit -qm "$1"; git -C "$project" push -q origin main; }
apply() { for file in "$project"/argo/*-{account,template}.yaml; do "$rig" kubectl apply -f "$file" >/dev/null; done; }
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
sees() { grep -qE "$2" <<<"$1" || fail "expected /$2/ in what stands above"; }

echo "== the engine"
"$rig" up >/dev/null
"$RIG_BIN/argo" version --short 2>/dev/null || true

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
sed -i 's/require auc_roc >= 0.95/require auc_roc >= 0.9999/' "$project/pipeline.mlp"
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
sees "$out" 'prepare.*exit code 11'
[ "$(registry)" = "$second" ] || fail "the registry's branch was moved"
echo "registry branch: $(registry), untouched"
echo "argo engine: the quickstart is promoted, compared, stopped at the gate, and stopped as stale"
