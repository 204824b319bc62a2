/**
 * What `import 'kavach'` costs: the bundle of sdk/ without the provider clients (those are the
 * author's own), minified and zipped, and the time a process spends on importing it.
 * `node scripts/sdk-size.mjs [rounds]`
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const rounds = Number(process.argv[2] ?? 9);
const folder = mkdtempSync(join(tmpdir(), 'kavach-sdk-size-'));

/** Loaded when they are needed, by the author's own installation or by `standalone`. */
const external = ['openai', '@anthropic-ai/sdk', 'resend', 'nodemailer', 'undici', 'ipaddr.js'];

async function bundle(name, more) {
  const outdir = join(folder, name);
  const { metafile } = await build({
    entryPoints: [join(root, 'sdk/index.ts')],
    ...{ outdir, bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20' },
    ...{ external, minify: true, metafile: true, outExtension: { '.js': '.mjs' }, ...more },
  });
  return { outdir, metafile };
}

/** The entry and all that it imports at once. */
function loadedAtOnce({ outputs }) {
  const entry = Object.keys(outputs).find((name) => outputs[name].entryPoint === 'sdk/index.ts');
  const seen = new Set();
  const visit = (name) => {
    if (seen.has(name) || outputs[name] === undefined) return;
    seen.add(name);
    for (const { path, kind } of outputs[name].imports) if (kind !== 'dynamic-import') visit(path);
  };
  visit(entry);
  return { entry, names: [...seen] };
}

const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
const sizes = (files) => {
  const texts = files.map((file) => readFileSync(file));
  const all = texts.reduce((sum, text) => sum + text.length, 0);
  return `${kib(all)}, gzip ${kib(texts.reduce((sum, text) => sum + gzipSync(text).length, 0))}`;
};

try {
  process.chdir(root);
  const whole = await bundle('whole', {});
  const { entry, names } = loadedAtOnce(whole.metafile);
  const own = await bundle('own', { external: [...external, '@pydantic/genai-prices'] });
  const ownNames = loadedAtOnce(own.metafile).names;
  console.log(`loaded at once          ${sizes(names)}`);
  console.log(`  without the prices    ${sizes(ownNames)}`);
  const later = readdirSync(whole.outdir)
    .map((name) => join(whole.outdir, name))
    .filter((file) => statSync(file).isFile())
    .filter((file) => !names.some((name) => join(root, name) === file));
  console.log(`later (disk, standalone, channels)  ${sizes(later)}`);

  const ask = (what) =>
    Number(
      execFileSync(process.execPath, [
        ...['--input-type=module', '--eval'],
        `const at = performance.now(); ${what}; console.log(performance.now() - at);`,
      ]),
    );
  const median = (what) =>
    Array.from({ length: rounds }, () => ask(what)).sort((a, b) => a - b)[Math.floor(rounds / 2)];
  const url = JSON.stringify(pathToFileURL(join(root, entry)).href);
  const nothing = median(`await import('data:text/javascript,')`);
  const sdk = median(`await import(${url})`);
  console.log(
    `import, median of ${rounds}     ${sdk.toFixed(0)} ms (of nothing ${nothing.toFixed(1)} ms)`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
