// Reads the emitter's corpus with the `yaml` package, as YAML 1.1 and as YAML 1.2: each text must come back as it was.
import fs from 'node:fs';
import { createRequire } from 'node:module';

const YAML = createRequire(process.env.RIG + '/node/')('yaml');
const here = (name) => fs.readFileSync(new URL(name, import.meta.url), 'utf8');
const wanted = JSON.parse(here('corpus.json')).map((s) => ({ value: s, flow: [s, s], noted: s, key: { [s]: [s] } }));
let bad = 0;
for (const version of ['1.1', '1.2']) {
  const got = YAML.parse(here('corpus.yaml'), { version });
  const wrong = wanted.flatMap((want, i) => (JSON.stringify(want) === JSON.stringify(got[i]) ? [] : [[want, got[i]]]));
  console.log(`yaml (npm) ${version}: ${wanted.length} texts, ${wrong.length} misread`);
  for (const [want, seen] of wrong.slice(0, 10)) console.log('  wanted', JSON.stringify(want), '\n  read  ', JSON.stringify(seen));
  bad += wrong.length;
}
process.exit(bad ? 1 : 0);
