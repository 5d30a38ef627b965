#!/usr/bin/env bash
# Writes that fail, each once: a workspace on a small tmpfs, which has room for one more inode, then for one more page, from run to run until
# a run comes out well. After every failure the tmpfs gets all the room it wants, and the next run has to end with the outputs of an
# undisturbed one, with a sound cache and nothing left to do.
# usage: full-disk.sh MLPC     MLPC: the program. Needs to be root, or user namespaces.
# Exit status: 0 when all of it is so.
set -euo pipefail
MLPC=$(realpath "$1")
if [ -z "${INSIDE:-}" ]; then
  [ "$(id -u)" = 0 ] && exec env INSIDE=1 unshare -m "$0" "$MLPC"
  exec env INSIDE=1 unshare -rm "$0" "$MLPC"
fi
work=$(mktemp -d); place=$work/small; mkdir "$place"
trap 'umount "$place" 2> /dev/null || true; rm -rf "$work"' EXIT
fail() { echo "FAIL: $1"; cat "$work/log"; exit 1; }

pipeline() {
  cat > many.mlp <<'END'
pipeline many
edition 2026

source raw: File = "raw.txt"

stage first {
  in  raw
  out text: File = "out/first.txt"
  out all: Dir = "out/all"
  run sh <<<
    cat "$raw" > "$text"
    mkdir -p "$all/deep" && cp "$raw" "$all/deep/a" && cp "$raw" "$all/b"
    echo said
  >>>
}

stage second {
  in  text = first.text, all = first.all
  out made: File = "out/second.txt"
  run sh <<< cat "$text" "$all/deep/a" > "$made" >>>
}
END
  printf 'a line of the source\n%.0s' $(seq 400) > raw.txt
}
made() { (cd "$1" && find out -type f | sort | xargs cat) | sha256sum; }

mkdir "$work/calm"; cd "$work/calm"; pipeline
"$MLPC" run > "$work/log" 2>&1 || fail "undisturbed"
calm=$(made "$work/calm")

# steps OPTION FIRST STEP: mounts with OPTION=FIRST, FIRST + STEP, …
steps() {
  local option=$1 room=$2 step=$3 failed=0
  while :; do
    mount -t tmpfs -o "$option=$room" none "$place"; cd "$place"
    pipeline 2> /dev/null || { cd "$work"; umount "$place"; room=$((room + step)); continue; }
    if "$MLPC" run > "$work/log" 2>&1; then
      [ "$(made .)" = "$calm" ] || fail "$option=$room: it says that all is well, and it is not"
      cd "$work"; umount "$place"
      break
    fi
    failed=$((failed + 1))
    mount -o remount,size=64m,nr_inodes=10000 "$place"
    "$MLPC" run > "$work/log" 2>&1 || fail "$option=$room: the next run"
    [ "$(made .)" = "$calm" ] || fail "$option=$room: other outputs"
    "$MLPC" cache verify > "$work/log" 2>&1 || fail "$option=$room: the cache is not sound"
    "$MLPC" run > "$work/log" 2>&1 || fail "$option=$room: the run after that"
    grep -q '^0 stages run' "$work/log" || fail "$option=$room: something was left to do"
    cd "$work"; umount "$place"
    room=$((room + step))
  done
  [ "$failed" -ge 10 ] || fail "$option: only $failed failures"
  echo "full disk: $failed runs failed for want of $option, and the next one made it good each time"
}

steps nr_inodes 6 1
steps size 16384 4096
