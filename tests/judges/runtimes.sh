#!/usr/bin/env bash
# A runtime with real packages from the configured index, locked with pip and with uv; what is locked is what the stage imports.
# usage: tests/judges/runtimes.sh [MLPC]
set -euo pipefail
mlpc=$(realpath "${1:-target/debug/mlpc}")
work=$(mktemp -d); trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
die() { echo "runtimes: $*" >&2; exit 1; }

python3 -m venv "$work/venv"; "$work/venv/bin/pip" install --quiet uv; mkdir "$work/bin"; cp "$work/venv/bin/uv" "$work/bin/uv"

for tool in pip uv; do
  folder=$work/$tool; mkdir "$folder"; cd "$folder"
  case $tool in pip) path=$PATH ;; uv) path=$work/bin:$PATH ;; esac
  cat > main.mlp <<EOF
pipeline example
edition 2026

runtime py { python: "$version", requirements: "requirements.txt" }

stage look {
  out  said: File = "said.txt"
  run  <<< python -c 'import six, sys; print(six.__version__, sys.prefix)' > "\$said" >>>
}
EOF
  echo 'six>=1.16,<1.17' > requirements.txt
  PATH=$path "$mlpc" run 2>&1 | sed 's/^/  /'
  grep -q '"tool": "'$tool'"' mlpc.lock || die "$tool did not choose"
  grep -q '"package": "six==1.16.0' mlpc.lock || die "$tool did not lock six"
  grep -q "^1.16.0 $folder/.mlpc/runtimes/" said.txt || die "$tool: the stage ran elsewhere: $(cat said.txt)"
  cp mlpc.lock before.lock
  PATH=$path "$mlpc" lock | grep -q 'up to date' || die "$tool: the lock is not stable"
  PATH=$path "$mlpc" lock --upgrade > /dev/null; cmp mlpc.lock before.lock || die "$tool: the same versions are another lock"
  PATH=$path "$mlpc" run 2>&1 | grep -q '^0 stages run' || die "$tool: no hit"
  # What uv locked pip installs, and the other way round.
  rm -rf said.txt .mlpc/cache; chmod -R u+w .mlpc/runtimes; rm -r .mlpc/runtimes
  PATH=$([ "$tool" = pip ] && echo "$work/bin:$PATH" || echo "$PATH") "$mlpc" run > /dev/null
  grep -q '^1.16.0' said.txt || die "$tool: the other tool installed something else"
  echo "runtimes: $tool is fine"
done
