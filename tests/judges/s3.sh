#!/usr/bin/env bash
# Shares results, and fetches sources, through a real S3 server on loopback (moto's): a hit in another workspace, a corrupted object refused and rebuilt, an
# entry planted where anybody may write not used by what leads to `register`.
# usage: tests/judges/s3.sh [MLPC]     env: RIG, see rig.sh (setup.sh store)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/rig.sh"
mlpc=$(realpath "${1:-target/debug/mlpc}")
work=$(mktemp -d); server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; chmod -R u+w "$work"; rm -rf "$work"' EXIT
die() { echo "s3: $*" >&2; exit 1; }
pass() { echo "s3: $*"; }

"$here/setup.sh" store > /dev/null
"$RIG/moto/bin/moto_server" --host 127.0.0.1 --port 0 > "$work/server.log" 2>&1 & server=$!
for _ in $(seq 600); do
  port=$(sed -n 's#.*Running on http://127.0.0.1:\([0-9]*\).*#\1#p' "$work/server.log" | head -1)
  [ -z "$port" ] || break
  kill -0 "$server" || die "the server did not start: $(cat "$work/server.log")"
  sleep 0.1
done
[ -n "$port" ] || die "the server did not say its port"
export AWS_ACCESS_KEY_ID=judge AWS_SECRET_ACCESS_KEY=secret AWS_EC2_METADATA_DISABLED=true USER=judge
endpoint=http://127.0.0.1:$port
export MLPC_REMOTE="s3://team-cache/fraud?region=us-east-1&endpoint=$endpoint"
# The bucket, and a look behind mlpc's back.
s3() { "$RIG/moto/bin/python" - "$endpoint" "$@" <<'PY'
import sys, boto3
endpoint, verb, *rest = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
if verb == "make":
    s3.create_bucket(Bucket="team-cache")
elif verb == "list":
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="team-cache")
    print(*[item["Key"] for page in pages for item in page.get("Contents", [])], sep="\n")
elif verb == "get":
    sys.stdout.buffer.write(s3.get_object(Bucket="team-cache", Key=rest[0])["Body"].read())
elif verb == "put":
    s3.put_object(Bucket="team-cache", Key=rest[0], Body=rest[1].encode())
elif verb == "version":
    s3.create_bucket(Bucket="data") if rest[0] == "first" else None
    s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    print(s3.put_object(Bucket="data", Key="raw/table one.csv", Body=("word\n%s\n" % rest[0]).encode())["VersionId"])
PY
}
# In one piece: a reader that stops early would have the list fail.
listed() { grep -q "$1" <<< "$(s3 list)"; }
s3 make

version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
member() {
  mkdir "$work/$1"; cd "$work/$1"
  cat > main.mlp <<EOF
pipeline example
edition 2026

runtime py { python: "$version" }
registry models = directory("registry")

stage train {
  out  model: Model = "model.bin"
  run  <<< cat "$work/undeclared" > "\$model" >>>
}

stage look {
  out  seen: Dir = "seen"
  run  <<< mkdir -p "\$seen"; for i in {1..40}; do echo "\$i" > "\$seen/\$i"; done; cp "$work/undeclared" "\$seen/word" >>>
}

register release = train.model to models ungated "a judge"
EOF
}
run() { MLPC_REMOTE_WRITE=${write:-} "$mlpc" run "$@" 2>&1 | tee "$work/said"; }

echo honest > "$work/undeclared"; member one; write=trusted run > /dev/null
listed '^fraud/v1/trusted/results/' || die "nothing was saved"
! listed '^fraud/v1/other/' || die "what was saved stands in the other part"
[ "$(s3 list | wc -l)" -gt 42 ] || die "not all objects were saved"
pass "saved: $(s3 list | wc -l) objects"

echo elsewhere > "$work/undeclared"; member two; run > /dev/null
grep -q '^0 stages run' "$work/said" || die "no hit in another workspace: $(cat "$work/said")"
[ "$(cat model.bin seen/word | sort -u)" = honest ] || die "a hit brought something else"
[ "$(ls seen | wc -l)" = 41 ] || die "the directory is not whole"
pass "a stage that one workspace ran is a hit in another"

digest=$(s3 list | grep '/objects/' | while read -r key; do [ "$(s3 get "$key" | tr -d "\0")" != honest ] || echo "$key"; done | head -1)
[ -n "$digest" ] || die "the object is not in the bucket"
s3 put "$digest" hacked; echo honest > "$work/undeclared"; member three; write=trusted run > /dev/null
grep -q 'was refused: its output `model` is not what it should be' "$work/said" || die "a corrupted object was taken: $(cat "$work/said")"
[ "$(cat model.bin)" = honest ] || die "the model is $(cat model.bin)"
[ "$(s3 get "$digest")" = honest ] || die "it was not put right"
pass "a corrupted object is refused, made anew and put right"

export MLPC_REMOTE="s3://team-cache/second?region=us-east-1&endpoint=$endpoint"
echo planted > "$work/undeclared"; member stranger; run > /dev/null; "$mlpc" cache push | grep -q 'new in `other`' || die "push"
echo honest > "$work/undeclared"; member four; run > /dev/null
[ "$(cat model.bin)" = honest ] || die "what leads to register took a planted entry"
[ "$(cat seen/word)" = planted ] || die "what leads nowhere may take it"
"$mlpc" cache pull > /dev/null
pass "an entry planted where anybody may write is not used by what leads to register"

member five; "$mlpc" cache pull | grep -qE '^[1-9][0-9]* results fetched' || die "pull"
"$mlpc" cache push --trusted look > /dev/null; "$mlpc" cache verify > /dev/null
pass "push and pull"

echo other > "$work/undeclared"; member six; write=trusted run --force > /dev/null
listed '^second/v1/trusted/' || die "nothing saved"
echo another > "$work/undeclared"; member seven; write=trusted run --force > /dev/null
grep -q 'not deterministic' "$work/said" || die "a second result under one key was not told: $(cat "$work/said")"
pass "of two results under one key the first stands, and the other is told"

# A compiled job: what it is told of the cache comes out of the workflow; the keys of the cache are not those of the environment, and
# the stage sees neither. A pull request reads, and writes nothing even where somebody gave it a key that could.
rm -rf "$work/jobs"; mkdir "$work/jobs"; cd "$work/jobs"
cat > main.mlp <<EOF
pipeline jobs
edition 2026

on push         { branches: ["main"] }
on pull_request { branches: ["main"] }

credential reader = oidc("aws", role: "arn:aws:iam::1:role/read", region: "us-east-1")
credential writer = oidc("aws", role: "arn:aws:iam::1:role/write", region: "us-east-1")
runtime py { python: "$version" }
registry models = git("mlpc-registry")

stage train {
  out  model: Model = "model.bin"
  run  <<< ! env | grep -i 'aws\|remote\|secret' >&2; cat "$work/undeclared" > "\$model" >>>
}

register release = train.model to models ungated "a judge"

target github { cache: { url: "s3://team-cache/jobs?endpoint=$endpoint", read: reader, write: writer } }
EOF
"$mlpc" lock > /dev/null; "$mlpc" compile --target github -o out > /dev/null
python3 - out/.github/workflows/jobs.yml > env <<'PY'
import re, sys
text = open(sys.argv[1]).read()
job = text[text.index("\n  train:"):text.index("\n  release:")]
print(re.search(r"MLPC_PLAN: '?(\w+)", text)[1], re.search(r"MLPC_REMOTE: (\S+)", job)[1], re.search(r"MLPC_REMOTE_WRITE: \$\{\{ \((.*)\) && 'trusted'", job)[1], sep="\n")
PY
{ read -r plan; read -r url; read -r who; } < env
[ "$who" = "github.event_name == 'push'" ] || die "who writes: $who"
job() {
  rm -rf .mlpc model.bin job
  env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY MLPC_REMOTE="$url" MLPC_REMOTE_WRITE=trusted MLPC_REMOTE_ACCESS_KEY_ID=judge MLPC_REMOTE_SECRET_ACCESS_KEY=secret \
    GITHUB_ACTIONS=true GITHUB_JOB=train GITHUB_RUN_ID=1 GITHUB_RUN_ATTEMPT=1 GITHUB_REPOSITORY=team/jobs GITHUB_EVENT_NAME="$1" GITHUB_REF_NAME="$2" \
    RUNNER_TEMP="$work" GITHUB_OUTPUT="$work/output" GITHUB_STEP_SUMMARY="$work/summary" GITHUB_WORKSPACE="$PWD" \
    "$mlpc" exec train --file main.mlp --plan "$plan" --out job/train > "$work/said" 2>&1 || die "$1 of $2: $(cat "$work/said")"
}
echo request > "$work/undeclared"; job pull_request feature; [ "$(cat model.bin)" = request ] || die "nothing was made"
grep -q 'the remote is only read' "$work/said" || die "not told: $(cat "$work/said")"; ! listed '^jobs/' || die "a pull request wrote"
echo pushed > "$work/undeclared"; job push other; ! listed '^jobs/' || die "a branch that nobody named wrote"
job push main; listed '^jobs/v1/trusted/results/' || die "nothing was saved: $(cat "$work/said")"
echo again > "$work/undeclared"; job pull_request feature; [ "$(cat model.bin)" = pushed ] || die "a pull request did not read"
pass "compiled jobs read, and those of named refs write; a stage sees no key"

# A source in a store: of the version that is named, with the credential that the stage names, and for a stage of the cache's key.
first=$(s3 version first); s3 version second > /dev/null
reads() {
  rm -rf "$work/$1"; mkdir "$work/$1"; cd "$work/$1"
  cat > main.mlp <<EOF
pipeline reader
edition 2026

secret key_id
secret key
credential aws = static("aws", access_key_id: key_id, secret_access_key: key, region: "us-east-1", endpoint: "$endpoint")
source raw: Dataset<csv> = s3("s3://data/raw/table one.csv"$2)

stage copy {
  in   raw
  credentials aws
  ${3:-}
  out  data: Dataset<csv> = "out.csv"
  run  <<< cp "\$raw" "\$data" >>>
}
EOF
}
secretly() { local status=0; env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY -u MLPC_REMOTE KEY_ID=judge KEY=secret "$mlpc" run "$@" > "$work/said" 2>&1 || status=$?; echo "$status"; }
reads pinned ", version: \"$first\""; [ "$(secretly)" = 0 ] || die "a version: $(cat "$work/said")"
[ "$(tail -1 out.csv)" = first ] || die "another version came"
[ "$(secretly --force)" = 0 ] && ! grep -q fetching "$work/said" || die "a version was fetched twice"
reads never ", version: \"9f0e\""; [ "$(secretly)" = 1 ] && grep -q "can't be fetched" "$work/said" || die "no such version: $(cat "$work/said")"
reads open "" "rerun always"; [ "$(secretly)" = 0 ] && [ "$(tail -1 out.csv)" = second ] || die "not pinned: $(cat "$work/said")"
s3 version third > /dev/null; [ "$(secretly)" = 0 ] && [ "$(tail -1 out.csv)" = third ] || die "a change was not seen: $(cat "$work/said")"
[ "$(secretly)" = 0 ] && ! grep -q fetching "$work/said" || die "what did not change was sent again: $(cat "$work/said")"
sed -i 's/table one/no table/' main.mlp; [ "$(secretly)" = 1 ] && grep -q 'NoSuchKey' "$work/said" || die "no such object: $(cat "$work/said")"
reads gated "" "rerun always"; printf '\ngate some on raw { require rows >= 1 }\n' >> main.mlp
[ "$(secretly)" = 0 ] && grep -q 'some  *pass' "$work/said" || die "a gate on a source: $(cat "$work/said")"
pass "sources are fetched by their version, or as they are; a gate on one with the credential of the stage that reads it"

kill "$server"; wait "$server" 2>/dev/null || true; server=
member eight; run > /dev/null; grep -q 'the run goes on without it' "$work/said" || die "a dead server was not told: $(cat "$work/said")"
pass "a server that is gone is told, and the run goes on"
