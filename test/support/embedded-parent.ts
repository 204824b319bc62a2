/**
 * A process that starts the embedded servers and then only lives: the tests kill it.
 * Argument: data folder. It prints one line of JSON when all runs.
 */
import { startEmbedded } from '../../cli/embedded/embedded.js';

const dataDir = process.argv[2];
if (dataDir === undefined) throw new Error('embedded-parent: the data folder is missing');
const embedded = await startEmbedded({
  dataDir,
  env: process.env,
  migrate: new URL('./no-migrations.ts', import.meta.url).href,
});
console.log(JSON.stringify({ temporal: embedded.temporal, databaseUrl: embedded.databaseUrl }));
