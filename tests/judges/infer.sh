#!/usr/bin/env bash
# mlpc infer with the real strace: what it says to add is added, and then the stage runs isolated.
# usage: tests/judges/infer.sh [MLPC]
set -euo pipefail
mlpc=$(realpath "${1:-target/debug/mlpc}")
work=$(mktemp -d); trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
die() { echo "infer: $*" >&2; exit 1; }
"$(dirname "$0")/setup.sh" trace > /dev/null

mkdir "$work/toy"; cd "$work/toy"; mkdir -p src/features data
cat > toy.mlp <<'END'
pipeline toy
edition 2026

source raw: File = "data/raw.csv"

stage prepare {
  in  raw
  out clean: Dataset<csv> = "out/clean.csv"
  run <<< sed s/x/y/ "$raw" > "$clean" >>>
}

stage train {
  in   raw
  code "src/train.py", "src/old.py"
  out  model: File = "out/model.txt"
  run  <<< python3 src/train.py "$model" >>>
}
END
printf 'x\n1\n' > data/raw.csv; echo 'rate: 1' > conf.yaml; echo > src/old.py; echo > src/features/__init__.py
echo 'def build(): return open("out/clean.csv").read()' > src/features/build.py
cat > src/train.py <<'END'
import sys
from features.build import build
open(sys.argv[1], "w").write(build() + open("conf.yaml").read())
open("scratch.txt", "w").write("s"); open("scratch.txt").read()
END

"$mlpc" run prepare > said
! "$mlpc" run train > said 2>&1 || die "train ran although it declares too little"
"$mlpc" infer train | tee told
for line in '  code "src/train.py"' '+ in   clean = prepare.clean' '+ code "conf.yaml"' '+ code "src/features/__init__.py"' \
  '+ code "src/features/build.py"' '- in   raw' '- code "src/old.py"'; do
  grep -qxF -- "$line" told || die "does not say: $line"
done
[ "$(grep -c '^[ +-] ' told)" = 7 ] || die "says more than that"
[ ! -e out/model.txt ] && [ ! -e scratch.txt ] || die "the traced run wrote into the workspace"

# The stage with the lines that were told.
sed -n 's/^[ +] \(in\|code\)/  \1/p' told > lines
awk -v lines="$(cat lines)" '/^stage train/ { print; inside = 1; print lines; next } inside && /^  (in|code)/ { next } { print }' toy.mlp > new
mv new toy.mlp
"$mlpc" run train || die "the stage does not run with the lines that were told"
"$mlpc" infer train | tee told
grep -qx '`train` declares what it reads' told || die "it is not content with its own lines"
echo "infer: the lines of a stage were found, with $(strace -V | head -1)"
