/**
 * `npx tsx test/replay/record.ts [path …]`: plays the paths on a server of its own and writes their
 * histories beside this file, for replay.test.ts. To be run again when a workflow was changed on
 * purpose, before it has ever run anywhere: from then on a change is a new history beside these.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { DIGEST_PATHS } from './digest-paths.js';
import type { Kept } from './path.js';
import { PATHS } from './paths.js';
import { openStage, type Stage } from './stage.js';

const HISTORIES = fileURLToPath(new URL('histories/', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

async function keep(stage: Stage, { name, workflowId, runId }: Kept): Promise<void> {
  const history = await stage.handle(workflowId, runId).fetchHistory();
  const text = JSON.stringify(JSON.parse(historyToJSON(history)));
  // A history is public: it says nothing of the machine it was made on.
  for (const secret of [ROOT, homedir(), hostname()]) {
    if (text.includes(secret)) throw new Error(`${name}: the history holds ${secret}`);
  }
  writeFileSync(join(HISTORIES, `${name}.json`), `${text}\n`);
  console.log(`${name}: ${String(history.events?.length)} events`);
}

async function main(wanted: readonly string[]): Promise<void> {
  mkdirSync(HISTORIES, { recursive: true });
  const stage = await openStage();
  try {
    for (const [name, path] of Object.entries({ ...PATHS, ...DIGEST_PATHS })) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      for (const kept of await path(stage)) await keep(stage, kept);
    }
  } finally {
    await stage.close();
  }
}

await main(process.argv.slice(2));
