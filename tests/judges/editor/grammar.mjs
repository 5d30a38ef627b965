// Tokenises .mlp text with the engine of Visual Studio Code and compares scopes. Shell and Python stand in by one rule each.
// usage: grammar.mjs ROOT     (NODE_PATH's packages: vscode-textmate, vscode-oniguruma)
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = process.argv[2];
const require = createRequire(join(process.env.RIG, "node", "package.json"));
const { Registry, parseRawGrammar, INITIAL } = require("vscode-textmate");
const { loadWASM, OnigScanner, OnigString } = require("vscode-oniguruma");

const wasm = readFileSync(join(process.env.RIG, "node/node_modules/vscode-oniguruma/release/onig.wasm"));
await loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
const folder = join(root, "editors/vscode");
const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
const [contributed] = manifest.contributes.grammars;
const text = readFileSync(join(folder, contributed.path), "utf8");
const stub = (scope, name) => parseRawGrammar(JSON.stringify({ scopeName: scope, patterns: [{ match: "\\b(echo|python|print)\\b", name }] }), "stub.json");
const registry = new Registry({
  onigLib: Promise.resolve({ createOnigScanner: (s) => new OnigScanner(s), createOnigString: (s) => new OnigString(s) }),
  loadGrammar: async (scope) =>
    ({
      "source.mlp": () => parseRawGrammar(text, "mlp.tmLanguage.json"),
      "source.shell": () => stub("source.shell", "support.shell"),
      "source.python": () => stub("source.python", "support.python"),
    })[scope]?.(),
});
const grammar = await registry.loadGrammar(contributed.scopeName);

let failures = 0;
// Returns [line, text, innermost scopes] for each token.
function tokens(source) {
  const all = [];
  let stack = INITIAL;
  source.split("\n").forEach((line, index) => {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, stack);
    for (const one of tokens) all.push([index + 1, line.slice(one.startIndex, one.endIndex), one.scopes.slice(1)]);
    stack = ruleStack;
  });
  return { all, open: stack !== INITIAL && stack.depth > 1 };
}
function expects(source, ...wanted) {
  const { all } = tokens(source);
  for (const [word, scope] of wanted) {
    const found = all.filter(([, token]) => token.trim() === word);
    if (!found.some(([, , scopes]) => scopes.some((one) => one === scope || one.startsWith(scope + ".")))) {
      console.log(`\`${word}\` is not ${scope} in\n${source}\n${JSON.stringify(found)}`);
      failures++;
    }
  }
}

expects("stage train for seed in 1..3 {", ["stage", "storage.type"], ["train", "entity.name.function"], ["for", "keyword.other"], ["3", "constant.numeric"]);
expects("  run <<<\n    echo \"$x\"  # stage\n  >>>\n}", ["run", "keyword.control"], ["echo", "meta.embedded.block.shell"], ["echo", "support.shell"], [">>>", "punctuation.definition.string.end"]);
expects("  run python <<<EOF\nprint(1)\n>>>\nprint(2)\nEOF>>>\nstage a {", ["print", "support.python"], ["EOF", "entity.name.tag"], ["stage", "storage.type"]);
expects("  run <<< echo a >>>\n  code \"x\"", ["echo", "meta.embedded.block.shell"], ["code", "keyword.control"]);
expects("param lr: float in >0.0..1.0 = 1e-4", ["param", "storage.type"], ["lr", "variable.other.definition"], ["float", "support.type.primitive"], ["1e-4", "constant.numeric"]);
expects("  timeout 90m", ["timeout", "keyword.control"], ["m", "keyword.other.unit"]);
expects("## Doc.\n# note\nmetrics Evaluation { auc: ratio higher }", ["## Doc.", "comment.block.documentation"], ["# note", "comment.line"], ["Evaluation", "entity.name.type"], ["higher", "keyword.other"], ["auc", "variable.other.property"]);
expects("  out  m: Model<onnx> = \"models/{seed}.onnx\"", ["Model", "support.class"], ["{", "punctuation.section.interpolation.begin"], ["models/", "string.quoted.double"]);
expects("  baseline models@production", ["baseline", "keyword.control"], ["production", "constant.other.pointer"]);
expects("on pull_request { branches: [\"main\"] }", ["on", "storage.type"], ["pull_request", "support.constant.trigger"]);
expects("  status 0, 1\n  in data = a.b", ["status", "keyword.control"], ["in", "keyword.control"]);

// Every declaration of whole files is recognised, and nothing is left open at their ends.
for (const file of ["tests/fixtures/flagship/main.mlp", "tests/fixtures/whole-language/main.mlp", "examples/quickstart/pipeline.mlp"]) {
  const source = readFileSync(join(root, file), "utf8");
  const { all, open } = tokens(source);
  if (open) { console.log(`${file}: something is open at the end`); failures++; }
  source.split("\n").forEach((line, index) => {
    const word = line.match(/^(stage|gate|param|source|register|approval|promote|rollout|action|monitor|metrics|schema|registry|profile)\s+\w+/)?.[1];
    if (!word) return;
    const [, , scopes] = all.find(([at]) => at === index + 1);
    if (!scopes.includes("storage.type.mlp")) { console.log(`${file}:${index + 1}: ${word} is ${scopes}`); failures++; }
  });
}
if (failures) process.exit(1);
console.log("ok    the grammar, by vscode-textmate");
