/** The ledger's contract on the embedded database, as `kavach up` runs it: PGlite in a child. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLedgerServer } from '../../cli/embedded/ledger-server.js';
import { seedLedger } from '../support/ledger-folder.js';
import { ledgerContract } from './ledger-suite.js';

ledgerContract('PGlite', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kavach-contract-'));
  await seedLedger(dataDir);
  const server = await startLedgerServer({ dataDir });
  return {
    databaseUrl: server.databaseUrl,
    embedded: true,
    stop: async () => {
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
});
