#!/usr/bin/env bash
# Fetches sources from a real HTTP server on loopback, which answers as servers do on bad days: what is pinned comes once and is hashed,
# what is not is asked for again, what is torn, altered or gone is never a pass.
# usage: tests/judges/fetch.sh [MLPC]
set -euo pipefail
mlpc=$(realpath "${1:-target/debug/mlpc}")
work=$(mktemp -d); server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; chmod -R u+w "$work"; rm -rf "$work"' EXIT
die() { echo "fetch: $*" >&2; exit 1; }
pass() { echo "fetch: $*"; }
unset http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY

cat > "$work/server.py" <<'PY'
import http.server, hashlib, sys, threading
BODY = b"id,amount\n" + b"".join(b"%d,%d\n" % (n, n * 7) for n in range(60000))
state, counts, lock = {"body": BODY}, {}, threading.Lock()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def do_CONNECT(self):
        # A tunnel to ourselves: what comes next on this connection is for the server behind it.
        with lock: print("CONNECT", self.path, "-", flush=True)
        self.send_response_only(200); self.end_headers(); self.close_connection = False
    def do_PUT(self):
        state["body"] = self.rfile.read(int(self.headers["content-length"])); self.send_response(204); self.end_headers()
    def do_GET(self):
        path = self.path.split("?")[0]
        with lock:
            counts[path] = seen = counts.get(path, 0) + 1
            print(path, self.headers.get("range", "-"), self.headers.get("if-none-match", "-"), flush=True)
        body = state["body"]; tag = '"%s"' % hashlib.md5(body).hexdigest()
        if path == "/flaky.csv" and seen < 3: return self.send_error(503)
        if path == "/gone.csv": return self.send_error(404)
        if path == "/private.csv": return self.send_error(403)
        if path == "/moved.csv":
            self.send_response(302); self.send_header("location", "/ok.csv"); self.send_header("content-length", "0"); return self.end_headers()
        if path == "/same.csv" and self.headers.get("if-none-match") == tag:
            self.send_response(304); self.send_header("etag", tag); return self.end_headers()
        if path == "/chunked.csv":
            self.send_response(200); self.send_header("transfer-encoding", "chunked"); self.end_headers()
            self.wfile.write(b"%x\r\n" % len(body) + body + (b"" if seen == 1 else b"\r\n0\r\n\r\n")); self.close_connection = True; return
        if path == "/endless.csv":
            self.send_response(200); self.end_headers(); self.wfile.write(body); self.close_connection = True; return
        start = 0
        wanted = self.headers.get("range")
        if wanted and self.headers.get("if-range", tag) == tag and path != "/torn.csv":
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            self.send_response(206); self.send_header("content-range", "bytes %d-%d/%d" % (start, len(body) - 1, len(body)))
        else:
            self.send_response(200)
        self.send_header("etag", tag); self.send_header("content-length", str(len(body) - start)); self.end_headers()
        if path == "/torn.csv" or (path == "/once.csv" and seen == 1):
            self.wfile.write(body[:len(body) // 2]); self.wfile.flush(); self.close_connection = True; return
        self.wfile.write(body[start:])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], hashlib.sha256(BODY).hexdigest(), flush=True)
server.serve_forever()
PY
python3 "$work/server.py" > "$work/asked" & server=$!
for _ in $(seq 100); do [ ! -s "$work/asked" ] || break; sleep 0.1; done
read -r port sha256 < "$work/asked"
at=http://127.0.0.1:$port
asked() { grep -c "^$1 " "$work/asked" || true; }

# project NAME SOURCE [CLAUSE]: a workspace with one stage that copies what it reads.
project() {
  rm -rf "$work/$1"; mkdir "$work/$1"; cd "$work/$1"
  cat > main.mlp <<EOF
pipeline example
edition 2026

source raw: Dataset<csv> = $2

stage copy {
  in   raw
  ${3:-}
  out  data: Dataset<csv> = "out.csv"
  run  <<< cp "\$raw" "\$data" >>>
}

stage count {
  in   data = copy.data
  out  lines: Report = "lines.txt"
  run  <<< wc -l < "\$data" > "\$lines" >>>
}
EOF
}
run() { local status=0; "$mlpc" run "$@" > "$work/said" 2>&1 || status=$?; echo "$status"; }
expect() { [ "$1" = "$2" ] || die "$3: exit $1, not $2: $(cat "$work/said")"; }
says() { grep -qF "$1" "$work/said" || die "not said: $1; but: $(cat "$work/said")"; }

project sha "http(\"$at/ok.csv\", digest: \"sha256:$sha256\")"
"$mlpc" plan > "$work/said"; says 'the source `raw` is not fetched yet'; [ "$(asked /ok.csv)" = 0 ] || die "a look fetched"
expect "$(run)" 0 "a pinned source"; says "fetching the source \`raw\` from 127.0.0.1:$port: "
blake3=$("$mlpc" history --json 2>/dev/null | grep -o 'blake3:[0-9a-f]*' | head -1 || true)
[ -n "$blake3" ] || blake3=$(grep -rho 'blake3:[0-9a-f]\{64\}' .mlpc/fetched | head -1)
[ "$(cat lines.txt)" = 60001 ] || die "the copy is not whole"
expect "$(run --force)" 0 "forced"; [ "$(asked /ok.csv)" = 1 ] || die "a pinned source was fetched twice"
"$mlpc" plan > "$work/said"; ! grep -q 'not fetched' "$work/said" || die "plan forgot what was fetched"
"$mlpc" cache gc --older-than 1d > /dev/null; expect "$(run --force)" 0 "after gc"; [ "$(asked /ok.csv)" = 1 ] || die "gc took a source that is in use"
pass "what is pinned by sha256 is fetched once"

project blake "http(\"$at/lazy.csv?sig=SECRET\", digest: \"$blake3\")"
"$mlpc" plan > "$work/said"; says 'never ran here'
expect "$(run)" 0 "pinned by blake3"; rm -rf .mlpc/cache/v1/objects; expect "$(run)" 0 "nothing to do"
[ "$(asked /lazy.csv)" = 1 ] || die "what has a known key was fetched again"
! grep -q SECRET "$work/said" || die "the query of an address was told"
pass "what is pinned by blake3 has its key before it is fetched"

project wrong "http(\"$at/ok.csv\", digest: \"blake3:$(printf 0%.0s {1..64})\")"
expect "$(run)" 11 "another digest"; says 'is pinned to `blake3:0000'; [ ! -e out.csv ] || die "an output of the wrong data"
project frozen "http(\"$at/ok.csv\") frozen \"blake3:$(printf 0%.0s {1..64})\""
expect "$(run)" 11 "another digest than frozen"
pass "another digest is exit 11"

project flaky "http(\"$at/flaky.csv\", digest: \"$blake3\")"; expect "$(run)" 0 "a server that comes back"
says 'is asked for again'; [ "$(asked /flaky.csv)" = 3 ] || die "asked $(asked /flaky.csv) times"
project once "http(\"$at/once.csv\", digest: \"$blake3\")"; expect "$(run)" 0 "a connection that broke"
grep -qE '^/once.csv bytes=[1-9][0-9]*-' "$work/asked" || die "it did not go on where it broke"
project chunked "http(\"$at/chunked.csv\", digest: \"$blake3\")"; expect "$(run)" 0 "chunks that broke off"
[ "$(asked /chunked.csv)" = 2 ] || die "torn chunks were taken"
project moved "http(\"$at/moved.csv\", digest: \"$blake3\")"; expect "$(run)" 0 "sent on"
pass "passing faults are tried again, and a broken download goes on where it broke"

for one in "torn.csv 1 broke off:" "gone.csv 1 says 404" "private.csv 1 says 403"; do
  read -r file status word <<< "$one"
  project fail "http(\"$at/$file\", digest: \"$blake3\")"; expect "$(run)" "$status" "$file"; says "$word"; [ ! -e out.csv ] || die "$file made an output"
done
project endless "http(\"$at/endless.csv\")" "rerun always"; expect "$(run)" 1 "no length"; says 'does not say how many bytes'
project endless "http(\"$at/endless.csv\", digest: \"$blake3\")"; expect "$(run)" 0 "no length, but pinned"
project dead 'http("http://127.0.0.1:9/x.csv", digest: "'"$blake3"'")'; expect "$(run)" 1 "a dead server"; says "can't be fetched: cannot ask 127.0.0.1:9"
project user 'http("http://me:pass@127.0.0.1:9/x.csv", digest: "'"$blake3"'")'; expect "$(run)" 2 "a password in an address"
pass "torn, gone, forbidden, dead: exit 1, and nothing is made of it"

project same "http(\"$at/same.csv\")" "rerun always"
expect "$(run)" 0 "not pinned"; before=$(cat lines.txt)
expect "$(run)" 0 "again"; grep -qE '^/same.csv - "[0-9a-f]+"' "$work/asked" || die "the tag was not sent"
[ "$(asked /same.csv)" = 2 ] || die "an unpinned source was asked $(asked /same.csv) times"
printf 'id,amount\n1,2\n' | curl -sf -X PUT --data-binary @- "$at/body"
expect "$(run)" 0 "changed"; [ "$(cat lines.txt)" = 2 ] && [ "$before" = 60001 ] || die "the change was not seen"
pass "what is not pinned is asked for in each run, and sent only if it changed"

project gate "http(\"$at/judged.csv\")" "rerun always"
cat >> main.mlp <<'EOF'

gate plenty on raw { require rows >= 10 }
EOF
expect "$(run)" 10 "a gate on what is fetched"; [ "$(asked /judged.csv)" = 1 ] || die "one run saw two states of a source"
pass "a gate on a source reads the same state as the stages"

project proxied 'http("http://data.invalid/ok.csv?x=1")' "rerun always"
status=0; http_proxy=$at "$mlpc" run > "$work/said" 2>&1 || status=$?; expect "$status" 0 "a proxy"
grep -q '^CONNECT data.invalid:80 ' "$work/asked" || die "the proxy was not asked"
pass "a proxy is asked"
project off "http(\"$at/off.csv\")" 'rerun always
  isolation off'
expect "$(run)" 0 "without isolation"
pass "without isolation it stands in the workspace"
