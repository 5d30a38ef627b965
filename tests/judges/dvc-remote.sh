#!/usr/bin/env bash
# Data that only DVC's remote has, put there by DVC itself (`dvc push`): a folder, an HTTP server, and moto's S3 server on loopback. A fresh clone fetches it, hashed,
# into DVC's own cache, where DVC finds it; what is altered is refused, a kill leaves nothing torn, and compiled GitHub jobs run without a `dvc pull`.
# usage: dvc-remote.sh [MLPC]     env: RIG, see rig.sh (setup.sh dvc store gha)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/rig.sh"
mlpc=$(realpath "${1:-target/debug/mlpc}")
work=$(mktemp -d); servers=()
trap 'kill "${servers[@]}" 2>/dev/null || true; chmod -R u+w "$work"; rm -rf "$work"' EXIT
die() { echo "dvc-remote: $*" >&2; [ ! -e "$work/log" ] || tail -60 "$work/log" >&2; exit 1; }
pass() { echo "dvc-remote: $*"; }

"$here/setup.sh" dvc store > /dev/null
dvc=$RIG/dvc/bin/dvc
unset http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null DVC_NO_ANALYTICS=1 HOME=$work/home USER=judge
for role in AUTHOR COMMITTER; do export "GIT_${role}_NAME=j" "GIT_${role}_EMAIL=j@example.com"; done
mkdir "$work/bin" "$HOME"; ln -s "$mlpc" "$work/bin/mlpc"; export PATH="$work/bin:$PATH"

# Waits for a server's port, in what it says.
port() {
  local found=
  for _ in $(seq 600); do
    found=$(sed -n "s#$2#\1#p" "$1" | head -1)
    [ -z "$found" ] || { echo "$found"; return; }
    sleep 0.1
  done
  die "a server did not start: $(cat "$1")"
}
"$RIG/moto/bin/moto_server" --host 127.0.0.1 --port 0 > "$work/moto.log" 2>&1 & servers+=($!)
# A server that never ends the object whose name begins as $work/slow says.
cat > "$work/server.py" <<'PY'
import functools, http.server, os, sys, time
class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_): pass
    def copyfile(self, source, out):
        slow = os.path.join(os.path.dirname(self.directory), "slow")
        if os.path.exists(slow) and open(slow).read().strip() in self.path:
            out.write(source.read(3)); out.flush(); open(slow + ".reached", "w").close(); time.sleep(600)
        super().copyfile(source, out)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=sys.argv[1]))
print("port", server.server_address[1], flush=True)
server.serve_forever()
PY
mkdir "$work/store"
python3 "$work/server.py" "$work/store" > "$work/http.log" & servers+=($!)
http=http://127.0.0.1:$(port "$work/http.log" 'port \([0-9]*\)')
lake=http://127.0.0.1:$(port "$work/moto.log" '.*Running on http://127.0.0.1:\([0-9]*\).*')
curl -sf -X PUT "$lake/data" > /dev/null

# The project, as a team has it: data pushed, nothing but its md5 committed.
git init -q -b main "$work/project"; cd "$work/project"; "$dvc" init -q
mkdir -p data/images
{ echo "id,amount"; seq -f '%.0f,7' 2000; } > data/rows.csv
for n in $(seq 30); do printf 'image %s\n' "$n" > "data/images/$n.txt"; done
"$dvc" add -q data/rows.csv data/images
"$dvc" remote add -q -d store "$work/store"
"$dvc" remote add -q web "$http"
"$dvc" remote add -q lake s3://data/team
"$dvc" remote modify -q lake endpointurl "$lake"; "$dvc" remote modify -q lake region us-east-1
"$dvc" push -q
AWS_ACCESS_KEY_ID=judge AWS_SECRET_ACCESS_KEY=secret "$dvc" push -q -r lake
cat > main.mlp <<'EOF'
pipeline fraud
edition 2026

on push { branches: ["main"] }

secret key_id
secret key
credential aws = static("aws", access_key_id: key_id, secret_access_key: key, region: "us-east-1")

source rows:   Dataset<csv> = dvc("data/rows.csv")
source images: Dir          = dvc("data/images")
source one:    File         = dvc("data/images/7.txt")

stage count {
  in   rows, images, one
  credentials aws
  out  lines: Report = "lines.txt"
  run  <<< { wc -l < "$rows"; ls "$images" | wc -l; cat "$one"; } > "$lines" >>>
}

stage look {
  in   lines = count.lines
  out  head: Report = "head.txt"
  run  <<< head -1 "$lines" > "$head" >>>
}

# It names no credential: what it looks at is fetched with that of the stage.
gate enough on rows { require rows >= 1000 }

target github { install: "preinstalled", steps: "plain" }
EOF
git add -A; git commit -qm "a project"
printf '2001\n30\nimage 7\n' > "$work/expected"

# fresh NAME [REMOTE]: a clone, which has no data and no cache.
fresh() { git clone -q "$work/project" "$work/$1"; cd "$work/$1"; [ -z "${2:-}" ] || sed -i "s/remote = store/remote = $2/" .dvc/config; }
run() { local status=0; KEY_ID=judge KEY=secret mlpc run "$@" > "$work/log" 2>&1 || status=$?; echo "$status"; }
says() { grep -qF "$1" "$work/log" || die "not said: $1"; }
good() { [ "$(run)" = 0 ] || die "$1"; diff lines.txt "$work/expected" || die "$1 made something else"; }
# Every object is what its name says, and as DVC leaves it; and there are so many.
whole() {
  local file name count=0
  for file in .dvc/cache/files/md5/??/*; do
    name=${file#.dvc/cache/files/md5/}; name=${name/\//}
    [ "$(md5sum < "$file" | cut -d ' ' -f 1)" = "${name%.dir}" ] || die "$file is torn"
    [ "$(stat -c %a "$file")" = 444 ] || die "$file can be written to"
    count=$((count + 1))
  done
  [ "$count" = "$1" ] || die "$count objects in DVC's cache, not $1"
}

fresh folder
mlpc plan > "$work/log" 2>&1 || die "plan"; says 'the source `rows` is not fetched yet'
[ ! -e .dvc/cache ] || die "a look fetched"
good "a folder as the remote"; says "fetching the source \`rows\` from DVC's remote \`store\` ($work/store), "
says 'fetched the source `images`: 31 objects of DVC, '
! grep -q 'source `one` from' "$work/log" || die "what the folder has was fetched again"
whole 32; mv "$work/store" "$work/away"
"$dvc" checkout -q || die "DVC does not find what was fetched"; diff -r data/images "$work/project/data/images" || die "DVC finds something else"
rm -rf .mlpc; good "from DVC's cache"; ! grep -q fetching "$work/log" || die "what DVC's cache has was fetched"
mv "$work/away" "$work/store"
pass "a folder: fetched into DVC's cache, and DVC finds it there"

fresh served web; good "an HTTP server"; whole 32; says "DVC's remote \`web\` ($http)"
fresh stored lake; good "S3"; whole 32; says "DVC's remote \`lake\` (s3://data/team)"
pass "an HTTP server and S3, each with what dvc push put there"

fresh altered; sed -i '/^gate enough/d' main.mlp
object=$work/store/files/md5/$(sed -n 's/.*md5: \(..\)\(.*\)$/\1\/\2/p' data/rows.csv.dvc); cp -p "$object" "$work/kept"
chmod u+w "$object"; echo hacked > "$object"
[ "$(run)" = 11 ] || die "an altered object"; says 'has another md5'; [ ! -e lines.txt ] && [ ! -e "${object/#$work\/store/.dvc/cache}" ] || die "what was altered was kept"
rm "$object"; [ "$(run)" = 1 ] || die "a lost object"; says 'run `dvc pull data/rows.csv`'
cp -p "$work/kept" "$object"; good "put right"
pass "what is altered is exit 11, what is gone says so"

fresh killed web
python3 -c 'import json, sys; print(next(line["md5"][2:] for line in json.load(open(sys.argv[1])) if line["relpath"] == "7.txt"))' "$work"/store/files/md5/??/*.dir > "$work/slow"
KEY_ID=judge KEY=secret mlpc run > "$work/log" 2>&1 & victim=$!
for _ in $(seq 300); do [ ! -e "$work/slow.reached" ] || break; sleep 0.1; done
sleep 0.3; kill -9 "$victim"; wait "$victim" 2>/dev/null || true
[ -z "$(find .dvc/cache -name '*.dir')" ] || die "a list without its files"
whole "$(find .dvc/cache -type f | wc -l)"
rm "$work/slow"; good "after a kill"; whole 32
pass "killed half-way, nothing is torn, and the next run goes on"

# A compiled workflow on act, whose runner has a checkout, and keys as secrets.
for steps in plain managed; do
  fresh "act-$steps" lake
  sed -i "s/steps: \"plain\"/steps: \"$steps\"/" main.mlp
  mlpc check > "$work/log" 2>&1 || die "check"; ! grep -q dvc-out-of-reach "$work/log" || die "out of reach"
  mlpc compile > "$work/log" 2>&1 || die "compile"
  ! grep -q 'dvc pull' .github/workflows/fraud.yml || die "it pulls"
  git add -A; git commit -qm "compiled"
  export GHA_ARTIFACTS=$work/artifacts-$steps; mkdir "$GHA_ARTIFACTS"
  "$here/run-gha.sh" "$PWD" .github/workflows/fraud.yml push -s KEY_ID=judge -s KEY=secret --env GITHUB_RUN_ID=1 > "$work/log" 2>&1 || die "act, steps: $steps"
  says "fetched the source \`rows\`"; says 'enough: pass'
  grep -rqx 2001 "$GHA_ARTIFACTS"/look-1 || die "act made something else, steps: $steps"
  ! grep -q 'secret_access_key' .dvc/config || die "a key was written down"
done
pass "compiled jobs fetch by themselves, in plain and in managed steps"
