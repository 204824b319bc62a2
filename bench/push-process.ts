/**
 * A gateway with push in a process of its own, so that its memory and its time are nobody else's.
 * Its one argument is a PushOrder as JSON. SIGUSR2 collects garbage and tells the memory it holds.
 */
import { startGateway } from '../gateway/server.js';
import { openLedger } from '../ledger/open.js';
import { parseSealKeys } from '../ledger/seal.js';

export interface PushOrder {
  readonly databaseUrl: string;
  readonly sealKeys: string;
}

export type PushMessage =
  | { readonly type: 'ready'; readonly url: string }
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'memory'; readonly rssBytes: number };

const ignore = (): void => undefined;

function tell(message: PushMessage): void {
  process.send?.(message);
}

async function main(): Promise<void> {
  const { databaseUrl, sealKeys } = JSON.parse(process.argv[2] ?? '{}') as PushOrder;
  const ledger = await openLedger({ databaseUrl, seal: parseSealKeys(sealKeys), embedded: true });
  const gateway = await startGateway({
    ...{ ledger, port: 0, relay: { deliver: ignore } },
    log: { info: ignore, warn: ignore, error: ignore },
    push: { ledger, confirm: () => Promise.resolve() },
  });
  const end = (): void => {
    void gateway
      .stop()
      .then(() => ledger.close())
      .finally(() => process.exit(0));
  };
  process.once('SIGTERM', end);
  process.once('disconnect', end);
  process.on('SIGUSR2', () => {
    (globalThis as { gc?: () => void }).gc?.();
    tell({ type: 'memory', rssBytes: process.memoryUsage.rss() });
  });
  tell({ type: 'ready', url: gateway.url });
}

main().catch((error: unknown) => {
  tell({ type: 'failed', reason: error instanceof Error ? error.message : String(error) });
  process.exit(1);
});
