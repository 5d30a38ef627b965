#!/usr/bin/env bash
# Opens the report of a run in a real browser (Chromium, headless): nothing is said to its console, nothing is asked of a network, all that should
# be there is drawn, and nothing overflows, light and dark, wide and narrow, and in print.
# usage: tests/judges/report.sh [MLPC]     env: RIG, see rig.sh (setup.sh browser); SHOTS, a folder for the pictures
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/rig.sh"
mlpc=$(realpath "${1:-target/debug/mlpc}")
"$here/setup.sh" browser > /dev/null
work=$(mktemp -d); trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
shots=${SHOTS:-$work/shots}; mkdir -p "$shots"; shots=$(realpath "$shots")
cd "$work"
cat > main.mlp <<'EOF'
## Trains a model on two thousand rows & compares it <with> the last one.
pipeline fraud_detector_for_the_northern_region
edition 2026

param rate: float = 0.5
metrics Evaluation { auc_roc: ratio higher   rmse: float lower   a_metric_with_a_rather_long_name: float lower }
source raw: File = "raw.txt"
registry models = directory("registry")

stage prepare { in raw   use rate   out rows: File = "rows.txt"   run <<< seq 1 100 > "$rows"; echo "$rate" >> "$rows" >>> }
stage train for region in ["north", "south"], seed in 1..2 {
  in  rows = prepare.rows
  out model: Model = "models/{region}/{seed}.bin"
  run <<< cat "$rows" > "$model"; echo "$region $seed" >> "$model" >>>
}
stage evaluate {
  in  model = train["north", 1].model, rows = prepare.rows
  out report: Metrics<Evaluation> of model over rows as test = "report.json"
  out roc: Plot = "roc.csv"
  out confusion: Plot = "confusion.csv"
  out losses: Plot = "losses.csv"
  out nothing_to_draw: Plot = "text.csv"
  run <<<
    rate=$(tail -1 "$rows")
    printf '{"auc_roc": 0.9%s, "rmse": %s, "a_metric_with_a_rather_long_name": 123456.789}' "${rate#0.}" "$rate" > "$report"
    { echo fpr,tpr; for i in {0..20}; do echo "$(awk "BEGIN { print $i / 20 \",\" ($i / 20) ^ 0.3 }")"; done; } > "$roc"
    { echo actual,predicted; for i in {1..60}; do [ $((i % 7)) = 0 ] && echo fraud,honest || echo honest,honest; [ $((i % 3)) = 0 ] && echo "needs a second look,fraud"; done; true; } > "$confusion"
    { echo epoch,train,test; for i in {1..30}; do awk "BEGIN { print $i \",\" 1 / $i \",\" 1.2 / $i + 0.05 }"; done; } > "$losses"
    echo words,only > "$nothing_to_draw"
  >>>
}
stage breaks { in rows = prepare.rows   out made: File = "made.txt"   run <<< echo 'a line that says <script>alert(1)</script>'; exit 3 >>> }
gate quality on evaluate.report { require auc_roc >= 0.85   require rmse <= 0.4   warn a_metric_with_a_rather_long_name <= 1000 }
gate never on evaluate.report { require auc_roc >= 0.1 }
register release = train["north", 1].model to models after never { metrics: evaluate.report }
EOF
echo data > raw.txt
for rate in 0.3 0.35 0.32 0.5; do "$mlpc" run --set "rate=$rate" > said 2>&1 || true; done
"$mlpc" report --output report.html > said 2>&1 || { cat said; exit 1; }
NODE_PATH=$RIG/node/node_modules node --no-warnings "$here/browser/report.cjs" "$work/report.html" "$shots"
