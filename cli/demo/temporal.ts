/**
 * The demo's Temporal server: the embedded one, until it is killed and started again on its data.
 */
import type { Embedded } from '../embedded/embedded.js';
import { findTemporal } from '../embedded/temporal-binary.js';
import { startTemporalServer, type TemporalServer } from '../embedded/temporal-server.js';

export interface KeptTemporal {
  readonly address: string;
  readonly uiUrl: string;
  readonly pid: () => number;
  /** SIGKILL, and the same server again on the same data and ports. */
  killAndRestart(): Promise<void>;
  /** Stops the second one; the first is `embedded`'s. */
  stop(): Promise<void>;
  /** Resolves with a sentence when it, or the ledger, ended unasked. */
  readonly lost: Promise<string>;
}

export interface KeptTemporalOptions {
  readonly embedded: Embedded;
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

export function keepTemporal(options: KeptTemporalOptions): KeptTemporal {
  const { embedded, dataDir, env, log, signal } = options;
  const started = embedded.temporal;
  if (started === undefined) throw new Error('The demo needs a Temporal server of its own');
  let tellLost: (sentence: string) => void = () => undefined;
  const lost = new Promise<string>((resolve) => (tellLost = resolve));
  let isKilled = false;
  let second: TemporalServer | undefined;
  let isStopped = false;
  void embedded.lost.then((sentence) => {
    if (!isKilled) tellLost(sentence);
  });
  return {
    address: started.address,
    uiUrl: started.uiUrl,
    pid: () => second?.pid ?? started.pid,
    lost,
    async killAndRestart() {
      const { path } = await findTemporal({ env, signal });
      isKilled = true;
      process.kill(second?.pid ?? started.pid, 'SIGKILL');
      await (second?.exited ?? embedded.lost);
      const port = Number(new URL(`tcp://${started.address}`).port);
      const uiPort = Number(new URL(started.uiUrl).port);
      const server = await startTemporalServer({
        ...{ binary: path, dataDir, port, uiPort, log, signal },
      });
      second = server;
      if (isStopped) await server.stop();
      void server.exited.then(() => {
        if (!isStopped) tellLost('The restarted Temporal server ended unasked');
      });
    },
    async stop() {
      isStopped = true;
      await second?.stop();
    },
  };
}
