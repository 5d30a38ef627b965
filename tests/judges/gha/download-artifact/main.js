// download-artifact stand-in, no dependencies. With `name`: that artifact's files straight into
// `path`, an error when there is none. Without: every artifact (or those matching `pattern`),
// each in its own folder unless merge-multiple.
const fs = require('fs'), path = require('path');
const input = (n) => (process.env[`INPUT_${n.toUpperCase().replace(/ /g, '_')}`] || '').trim();
const fail = (m) => { console.log(`::error::${m}`); process.exit(1); };
const store = process.env.GHA_ARTIFACTS || fail('GHA_ARTIFACTS is not set');
if (input('run-id') || input('artifact-ids')) fail('stand-in: run-id and artifact-ids are not supported');
const ws = process.env.GITHUB_WORKSPACE || process.cwd();
const dest = path.resolve(ws, input('path').replace(/^~(?=\/|$)/, process.env.HOME || '~') || '.');
const have = fs.existsSync(store) ? fs.readdirSync(store).sort() : [];
const name = input('name'), pat = input('pattern'), merge = input('merge-multiple') === 'true';
let pick;
if (name) {
  if (!have.includes(name)) fail(`Unable to download artifact(s): Artifact not found for name: ${name}`);
  pick = [name];
} else {
  const re = new RegExp('^' + (pat || '*').replace(/[.+^${}()|\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.') + '$');
  pick = have.filter((n) => re.test(n));
}
for (const n of pick) fs.cpSync(path.join(store, n), name || merge ? dest : path.join(dest, n), { recursive: true });
fs.mkdirSync(dest, { recursive: true });
fs.appendFileSync(process.env.GITHUB_OUTPUT, `download-path=${dest}\n`);
console.log(`Downloaded ${pick.length} artifact(s) to ${dest}`);
