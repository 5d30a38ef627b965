// upload-artifact stand-in, no dependencies. Rules kept from the documented v4+ behaviour:
// immutable names (second upload of a name fails unless overwrite), forbidden characters in
// names, globs with ! exclusion, hidden files left out, the least common ancestor of the
// search paths as the artifact's root, if-no-files-found warn|error|ignore.
const fs = require('fs'), path = require('path'), crypto = require('crypto');
const input = (n) => (process.env[`INPUT_${n.toUpperCase().replace(/ /g, '_')}`] || '').trim();
const fail = (m) => { console.log(`::error::${m}`); process.exit(1); };
const store = process.env.GHA_ARTIFACTS || fail('GHA_ARTIFACTS is not set');
const ws = process.env.GITHUB_WORKSPACE || process.cwd();
const name = input('name') || 'artifact';
if (/["<>|*?\r\n\\/:]/.test(name)) fail(`artifact name is not valid: ${name}`);
const hidden = input('include-hidden-files') === 'true';
const lines = input('path').split('\n').map((s) => s.trim()).filter((s) => s && !s.startsWith('#'));
if (!lines.length) fail('input required and not supplied: path');
const abs = (p) => path.resolve(ws, p.replace(/^~(?=\/|$)/, process.env.HOME || '~'));
const toRe = (g) => new RegExp('^' + g.replace(/[.+^${}()|\\]/g, '\\$&')
  .replace(/\*\*\/?/g, '\0').replace(/\*/g, '[^/]*').replace(/\?/g, '[^/]').replace(/\0/g, '(?:.*/)?') + '(?:/.*)?$');
const base = (g) => { const out = []; for (const s of g.split('/')) { if (/[*?[\]]/.test(s)) break; out.push(s); } return out.join('/') || '/'; };
const walk = (d, out = []) => {
  let st; try { st = fs.statSync(d); } catch { return out; }
  if (st.isFile()) { out.push(d); return out; }
  for (const e of fs.readdirSync(d)) walk(path.join(d, e), out);
  return out;
};
const inc = [], exc = [];
for (const l of lines) (l.startsWith('!') ? exc : inc).push(abs(l.replace(/^!/, '').trim()));
const roots = inc.map(base), excRe = exc.map(toRe), found = new Set();
inc.forEach((g, i) => { const re = toRe(g); for (const f of walk(roots[i])) if (re.test(f)) found.add(f); });
const files = [...found].filter((f) => !excRe.some((r) => r.test(f)))
  .filter((f) => hidden || !roots.some((r) => f.startsWith(r) && path.relative(r, f).split('/').some((s) => s.startsWith('.') && s !== '..' && s !== '')))
  .sort();
if (!files.length) {
  const m = `No files were found with the provided path: ${lines.join(' ')}. No artifacts will be uploaded.`;
  const k = input('if-no-files-found') || 'warn';
  if (k === 'error') fail(m); else { console.log(k === 'ignore' ? m : `::warning::${m}`); process.exit(0); }
}
const lca = (ps) => { let a = ps[0].split('/'); for (const p of ps.slice(1)) { const b = p.split('/'); let i = 0; while (i < a.length && a[i] === b[i]) i++; a = a.slice(0, i); } return a.join('/') || '/'; };
let root = roots.length > 1 ? lca(roots) : roots[0];
if (fs.existsSync(root) && fs.statSync(root).isFile()) root = path.dirname(root);
const dest = path.join(store, name);
if (fs.existsSync(dest)) {
  if (input('overwrite') === 'true') fs.rmSync(dest, { recursive: true });
  else fail(`Failed to CreateArtifact: Received non-retryable error: (409) Conflict: an artifact with this name already exists on the workflow run: ${name}`);
}
const h = crypto.createHash('sha256');
for (const f of files) {
  const t = path.join(dest, path.relative(root, f));
  fs.mkdirSync(path.dirname(t), { recursive: true }); fs.copyFileSync(f, t);
  h.update(path.relative(root, f) + '\0').update(fs.readFileSync(f));
}
const id = fs.readdirSync(store).length;
fs.appendFileSync(process.env.GITHUB_OUTPUT, `artifact-id=${id}\nartifact-digest=${h.digest('hex')}\nartifact-url=file://${dest}\n`);
console.log(`Artifact ${name} stored: ${files.length} file(s), root ${root}`);
