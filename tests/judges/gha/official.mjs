#!/usr/bin/env node
// Checks GitHub Actions workflows with GitHub's own parser and language service (what github.com's editor
// and the VS Code extension run). No network: inputs of remote actions are not looked up (actionlint does that).
// usage: official.mjs FILE.yml...    env: RIG, see rig.sh. Exit status: 0 clean, 1 findings.
import fs from 'fs'; import path from 'path';
import { register } from 'node:module';
// the packages import JSON without an import attribute: serve JSON as a module
register('data:text/javascript,' + encodeURIComponent(`
  import { readFileSync } from 'fs'; import { fileURLToPath } from 'url';
  export async function load(url, ctx, next) {
    if (url.startsWith('file:') && url.endsWith('.json'))
      return { format: 'module', shortCircuit: true, source: 'export default ' + readFileSync(fileURLToPath(url), 'utf8') };
    return next(url, ctx);
  }`));
const nm = process.env.RIG + '/node/node_modules/';
const { validate } = await import(nm + '@actions/languageservice/dist/index.js');
const { TextDocument } = await import(nm + 'vscode-languageserver-textdocument/lib/esm/main.js');
const { parseWorkflow } = await import(nm + '@actions/workflow-parser/dist/index.js');
const { NoOperationTraceWriter } = await import(nm + '@actions/workflow-parser/dist/templates/trace-writer.js');
let bad = 0;
for (const f of process.argv.slice(2)) {
  const text = fs.readFileSync(f, 'utf8');
  const uri = 'file:///' + (f.includes('.github/workflows') ? path.resolve(f) : '.github/workflows/' + path.basename(f));
  const found = new Map();
  const add = (l, c, m) => found.set(`${l}:${c}: ${m}`, 1);
  const r = parseWorkflow({ name: path.basename(f), content: text }, new NoOperationTraceWriter());
  for (const e of r.context.errors.getErrors()) found.set(e.message, 1);
  for (const d of await validate(TextDocument.create(uri, 'yaml', 0, text)))
    add(d.range.start.line + 1, d.range.start.character + 1, `${d.severity === 1 ? 'error' : 'warning'}: ${d.message}`);
  for (const l of found.keys()) console.log(`${f}: ${l}`);
  console.log(`${f}: ${found.size ? 'FAIL ' + found.size : 'ok'}`);
  bad |= found.size > 0;
}
process.exit(bad ? 1 : 0);
