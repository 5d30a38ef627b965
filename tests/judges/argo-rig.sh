# Read by the scripts that run what is compiled on Argo's own controller: the engine in a folder of its own, a bare repository
# that pods clone, and the steps that all of them take. Where the engine's programs do not stand, the script ends with 0.
# usage: . argo-rig.sh; begin NAME [MLPC]       MLPC: the program (default: target/debug/mlpc, built first)
# env: RIG_BIN    what argo-engine/setup.sh built (default /var/cache/argorig/bin)
#      RIG_PORT   first of five free ports (default 18440)
#      KEEP=1     leaves the folder with repository, logs and data
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) root=$(cd "$here/../.." && pwd)
rig=$here/argo-engine/rig

skip() { echo "argo engine: not here, skipped: $1 (build it with tests/judges/argo-engine/setup.sh: half an hour, once)"; exit 0; }

end() {
  local code=$?
  [ -z "${daemon:-}" ] || kill "$daemon" 2>/dev/null || true
  "$rig" down >/dev/null 2>&1 || true
  [ "${KEEP:-}" = 1 ] && echo "kept: $work" || rm -rf "$work"
  exit $code
}

begin() {
  script=$1
  local engine=${RIG_BIN:-/var/cache/argorig/bin} program
  for program in etcd kube-apiserver kubectl prockubelet gofakes3 argo argoexec workflow-controller crds; do
    [ -e "$engine/$program" ] || skip "no $engine/$program"
  done
  [ "$(id -u)" = 0 ] || skip "it needs root, for namespaces"
  mlpc=${2:-}
  [ -n "$mlpc" ] || { (cd "$root" && cargo build --quiet --locked); mlpc=$root/target/debug/mlpc; }
  mlpc=$(readlink -f "$mlpc")
  # Containers see the machine's root file system without /tmp, and the folder RIG_BIN as the last of their PATH.
  work=$(mktemp -d /var/tmp/mlpc-argo.XXXXXX)
  export RIG_STATE=$work/rig RIG_PORT=${RIG_PORT:-18440} RIG_TIMEOUT=${RIG_TIMEOUT:-300} RIG_BIN=$work/bin
  export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=tour GIT_AUTHOR_EMAIL=tour@example GIT_COMMITTER_NAME=tour GIT_COMMITTER_EMAIL=tour@example
  trap end EXIT
  trap 'exit 130' INT TERM
  mkdir "$work/bin"
  ln -s "$engine"/* "$work/bin/"
  cp "$mlpc" "$work/bin/mlpc"
  # What a container writes to disk goes with it, so the remotes are served.
  "$(git --exec-path)/git-daemon" --reuseaddr --listen=127.0.0.1 --port=$((RIG_PORT + 4)) --base-path="$work" --export-all --enable=receive-pack "$work" 2>"$work/daemon.log" &
  daemon=$!
  echo "== the engine"
  "$rig" up >/dev/null
  "$RIG_BIN/argo" version --short 2>/dev/null || true
}

# Makes an empty repository and a clone of it; what follows is about these.
repository() {
  origin=$work/$1.git project=$work/$1 remote=git://127.0.0.1:$((RIG_PORT + 4))/$1.git
  git init -q --bare -b main "$origin"
  git clone -q "$origin" "$project" 2>/dev/null
  git -C "$project" checkout -q -b main
}

fail() {
  echo "$script: $1"
  for log in "$RIG_STATE"/node/logs/argo/*/main.log; do [ -e "$log" ] && { echo "--- ${log#"$RIG_STATE/node/logs/argo/"}"; grep -v '^time=' "$log" || true; }; done
  exit 1
}
compile() { (cd "$project" && "$mlpc" compile --target argo 2>"$work/said" | sed "s#$project/##") || { cat "$work/said"; fail "does not compile"; }; }
push() { git -C "$project" add -A; git -C "$project" commit -qm "$1"; git -C "$project" push -q origin main; }
apply() { for file in "$project"/argo/*-{account,template}.yaml; do "$rig" kubectl apply -f "$file" >/dev/null; done; }
sees() { grep -qE "$2" <<<"$1" || fail "expected /$2/ in what stands above"; }
