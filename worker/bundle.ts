/**
 * The workflows as one file of code, built once and kept in the data folder under the hash of all
 * it is made of, so that a restart does not pay for the build. A file by that name is always whole.
 */
import { createHash, randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { bundleWorkflowCode } from '@temporalio/worker';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const EXTENSION = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const PREFIX = 'workflows-';

/** Where the workflows begin: also what replays use. */
export const WORKFLOWS_PATH = join(ROOT, 'workflows', `index${EXTENSION}`);

/**
 * Evaluated once a worker instead of once a workflow: an alert starts sooner and a period takes
 * less memory. Only what is pure may be here, as all workflows share its state.
 */
export const PRELOADED = [
  ...['details', 'input', 'read-report', 'reduce', 'status'].map((name) => `budget/${name}`),
  ...['details', 'reduce', 'status'].map((name) => `alert/${name}`),
].map((module) => join(ROOT, 'domain', `${module}${EXTENSION}`));

/** Answers the path of today's bundle, building it when it is not there. Takes 1 to 3 s then. */
export async function workflowBundle(
  cacheDir: string,
  { failureConverterPath }: Pick<DataConverter, 'failureConverterPath'> = {},
): Promise<{ readonly codePath: string }> {
  mkdirSync(cacheDir, { recursive: true, mode: 0o700 });
  const name = `${PREFIX}${hashSources(failureConverterPath)}.js`;
  const codePath = join(cacheDir, name);
  if (existsSync(codePath)) return { codePath };
  const { code } = await bundleWorkflowCode({
    workflowsPath: WORKFLOWS_PATH,
    preloadModules: PRELOADED,
    ...(failureConverterPath === undefined ? {} : { failureConverterPath }),
    logger: quiet,
  });
  const draft = `${codePath}.${randomUUID()}`;
  writeFileSync(draft, code);
  renameSync(draft, codePath);
  for (const old of readdirSync(cacheDir)) {
    const isOld = old.startsWith(PREFIX) && old.endsWith('.js') && old !== name;
    if (isOld) rmSync(join(cacheDir, old), { force: true });
  }
  return { codePath };
}

/** Everything a bundle can hold: workflows import domain/ and Temporal's packages only. */
function hashSources(failureConverterPath: string | undefined): string {
  const hash = createHash('sha256');
  for (const folder of ['domain', 'workflows']) {
    const files = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(EXTENSION))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    for (const file of files)
      hash.update(relative(ROOT, file)).update('\0').update(readFileSync(file));
  }
  const { version } = createRequire(import.meta.url)('@temporalio/worker/package.json') as {
    version: string;
  };
  for (const module of PRELOADED) hash.update(relative(ROOT, module));
  if (failureConverterPath !== undefined) hash.update(readFileSync(failureConverterPath));
  return hash.update(version).digest('hex').slice(0, 24);
}

const ignore = (): void => undefined;
const quiet = {
  log: ignore,
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
};
