#!/usr/bin/env bash
# Runs stages in containers of a real engine: podman, with images that are built here from nothing but a static busybox. What a stage sees and
# does not, who it is, what becomes of it when its time is over or the user stops the run, and what is left behind.
# usage: tests/judges/container.sh [MLPC]     env: RIG, see rig.sh (setup.sh container)
# Says so and ends with 0 where the kernel lets nobody start a container.
set -euo pipefail
mlpc=$(realpath "${1:-target/debug/mlpc}")
work=$(mktemp -d)
# The engine's folders are our own: nobody else's containers are in reach.
export CONTAINERS_CONF=$work/containers.conf CONTAINERS_STORAGE_CONF=$work/storage.conf
cleanup() {
  if [ -e "$CONTAINERS_STORAGE_CONF" ]; then
    podman rm --all --force > /dev/null 2>&1 || true; podman rmi --all --force > /dev/null 2>&1 || true
  fi
  chmod -R u+w "$work" 2> /dev/null || true; rm -rf "$work"
}
trap cleanup EXIT
die() { echo "container: $*" >&2; exit 1; }
pass() { echo "container: $*"; }

"$(dirname "$0")/setup.sh" container > /dev/null
# Nothing of it needs a network of its own, systemd or an overlay.
cat > "$work/containers.conf" <<'EOF'
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
[containers]
netns = "host"
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
EOF
printf '[storage]\ndriver = "vfs"\nrunroot = "%s/run"\ngraphroot = "%s/graph"\n' "$work" "$work" > "$work/storage.conf"
ldd "$(command -v busybox)" > /dev/null 2>&1 && die "busybox is not static"
image() {
  mkdir -p "$work/$1/bin"; cp "$(command -v busybox)" "$work/$1/bin/busybox"
  for name in sh cat cp env grep id ls mkdir sleep touch wc; do ln -sf busybox "$work/$1/bin/$name"; done
  echo "$1" > "$work/$1/release"
  printf 'FROM scratch\nCOPY bin /bin\nCOPY release /release\nENV PATH=/bin\n' > "$work/$1/Dockerfile"
  podman build --quiet --tag "localhost/judge:$1" "$work/$1" > /dev/null
}
image one; image two
if ! podman run --rm --init --pull=never localhost/judge:one cat /release > "$work/said" 2>&1; then
  echo "container: NOT JUDGED: this machine starts no container: $(tail -1 "$work/said")"; exit 0
fi
digest() { podman image inspect --format '{{index .RepoDigests 0}}' "localhost/judge:$1" | cut -d @ -f 2; }

project() { mkdir "$work/$1"; cd "$work/$1"; { printf 'pipeline box\nedition 2026\n\n'; cat; } > main.mlp; }
run() { local status=0; "$mlpc" run "$@" > "$work/said" 2>&1 || status=$?; echo "$status"; }
expect() { [ "$1" = "$2" ] || die "$3: exit $1, not $2: $(cat "$work/said")"; }
left() { podman ps --all --quiet | wc -l; }

project image <<EOF
secret token
param rate: float = 0.5
runtime box { image: "localhost/judge@$(digest one)" }
source raw: File = "data/raw.txt"

stage look {
  in     raw
  code   "src/**"
  use    rate
  secret token
  out    seen: Report = "out/seen.txt"
  out    tree: Dir = "out/tree"
  run sh <<<
    { cat "\$raw" src/note /release; id; env; ls /; } > "\$seen"
    echo "\$token" > "\$HOME/kept"; touch "\$TMPDIR/x"; mkdir -p "\$tree/deep"; echo leaf > "\$tree/deep/leaf"
    ! test -e /etc/debian_version; test -z "\${SSL_CERT_FILE:-}" -o -s "\${SSL_CERT_FILE:-}"; ! test -e "$work/image/main.mlp"
  >>>
}
EOF
mkdir data src; echo data > data/raw.txt; echo code > src/note
export TOKEN=very-secret HOST_ONLY=1
expect "$(run)" 0 "a stage in an image"
for line in data code one "uid=$(id -u)" rate=0.5 LANG=C.UTF-8 TZ=UTC PATH=/bin token=; do grep -q "^$line" out/seen.txt || die "no $line: $(cat out/seen.txt)"; done
if [ -n "${SSL_CERT_FILE:-}" ]; then grep -q "^SSL_CERT_FILE=" out/seen.txt || die "the certificates stayed outside"; fi
! grep -q 'HOST_ONLY\|SSL_CERT_DIR' out/seen.txt || die "a variable of the host came in"
grep -q '^HOME=.*/\.mlpc/tmp/.*/home$' out/seen.txt || die "HOME is not private: $(grep HOME out/seen.txt)"
! grep -q very-secret "$work/said" || die "a secret was told"
[ "$(cat out/tree/deep/leaf)" = leaf ] && [ "$(stat -c %u out/tree/deep/leaf)" = "$(id -u)" ] || die "the tree is not as it was made"
expect "$(run)" 0 "again"; grep -q '^0 stages run' "$work/said" || die "no hit: $(cat "$work/said")"
sed -i "s/judge@sha256:[0-9a-f]*/judge@$(digest two)/" main.mlp; "$mlpc" lock > /dev/null
expect "$(run)" 0 "another image"; grep -q '^two' out/seen.txt || die "the other image is not the one that ran"
[ "$(left)" = 0 ] || die "containers were left: $(podman ps --all)"
pass "a stage sees its inputs, its code, its variables and the image, and nothing else of the machine"

project tag <<'EOF'
runtime box { image: "localhost/judge:one" }
stage look { out seen: Report = "seen.txt"   run sh <<< cat /release > "$seen" >>> }
EOF
expect "$(run)" 0 "an image by its tag"; grep -q "$(digest one)" mlpc.lock || die "the digest is not locked: $(cat mlpc.lock)"
podman tag localhost/judge:two localhost/judge:one; rm -rf .mlpc seen.txt
expect "$(run)" 0 "a tag that moved"; [ "$(cat seen.txt)" = one ] || die "the tag moved what was locked"
pass "a tag is locked to its digest, and moves nothing"

project built <<'EOF'
runtime box { dockerfile: "box/Dockerfile" }
stage look { out seen: Report = "seen.txt"   run sh <<< cat /release > "$seen" >>> }
EOF
cp -r "$work/two" box; expect "$(run)" 0 "an image that is built"; [ "$(cat seen.txt)" = two ] || die "built otherwise"
echo three > box/release; expect "$(run)" 2 "a recipe that changed"; grep -q 'mlpc lock' "$work/said" || die "no way out: $(cat "$work/said")"
"$mlpc" lock > /dev/null 2>&1; expect "$(run)" 0 "locked again"; [ "$(cat seen.txt)" = three ] || die "not built again"
pass "an image is built from what is locked"

project ends <<'EOF'
runtime box { image: "localhost/judge:two" }
stage late  { out made: File = "late.txt"    timeout 2s   run sh <<< touch "$made"; sleep 31313 >>> }
stage fails { out made: File = "fails.txt"   run sh <<< touch "$made"; exit 75 >>> }
stage long  { out made: File = "long.txt"    run sh <<< echo begun; sleep 31313 >>> }
EOF
began=$SECONDS
expect "$(run late)" 1 "a timeout"; grep -qi 'timeout\|too long\|longer than' "$work/said" || die "not told: $(cat "$work/said")"
[ $((SECONDS - began)) -lt 60 ] || die "the timeout took $((SECONDS - began)) s"
[ "$(left)" = 0 ] && ! pgrep -f 'sleep 31313' > /dev/null || die "a container outlived its timeout: $(podman ps --all)"
expect "$(run fails)" 1 "a status"; grep -q 'status 75' "$work/said" || die "the status was lost: $(cat "$work/said")"
for signal in INT TERM; do
  "$mlpc" run long > "$work/said" 2>&1 & job=$!
  for _ in $(seq 100); do [ "$(podman ps --quiet | wc -l)" = 0 ] || break; sleep 0.2; done
  kill -s "$signal" "$job"; status=0; wait "$job" || status=$?; expect "$status" 130 "SIG$signal"
  [ "$(left)" = 0 ] && ! pgrep -f 'sleep 31313' > /dev/null || die "a container outlived SIG$signal: $(podman ps --all)"
done
"$mlpc" run long > "$work/said" 2>&1 & job=$!
for _ in $(seq 100); do [ "$(podman ps --quiet | wc -l)" = 0 ] || break; sleep 0.2; done
kill -s KILL "$job"; wait "$job" 2> /dev/null || true
expect "$(run fails)" 1 "the run after a kill"
[ "$(left)" = 0 ] && ! pgrep -f 'sleep 31313' > /dev/null || die "a container outlived a kill and the next run: $(podman ps --all)"
pass "a timeout, Ctrl-C and a kill end the container"
