/** The set of processes for one test file: two gateways, relays and workers, and a fake of every provider. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownEnvironment } from '../../cli/demo/stage.js';
import { startSet, type RunningSet, type SetOptions } from '../../cli/set/set.js';
import { cachedBinaries } from '../../cli/set/temporal-binaries.js';
import { startSink, type Sink } from '../../fakes/sink.js';

export interface TestSet {
  readonly set: RunningSet;
  readonly sink: Sink;
  readonly folder: string;
  /** A request to the n-th gateway with the first key. */
  ask(gateway: number, path: string, init?: RequestInit): Promise<Response>;
  stop(): Promise<void>;
}

type Variables = Readonly<Record<string, string>>;

/** `given`: variables of every process, or what makes them where they name the sink. */
export async function startTestSet(
  given: Variables | ((sink: Sink) => Variables) = {},
  more: Pick<SetOptions, 'counts'> = {},
): Promise<TestSet> {
  const closing: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    const folder = mkdtempSync(join(tmpdir(), 'kavach-set-'));
    // Postgres may run as another user.
    chmodSync(folder, 0o755);
    closing.push(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    const sink = await startSink();
    closing.push(() => sink.stop());
    const variables = typeof given === 'function' ? given(sink) : given;
    const set = await startSet({
      ...more,
      ...{ folder, env: ownEnvironment(process.env), temporal: cachedBinaries(process.env) },
      postgresSettings: ['fsync=off'],
      variables: { KAVACH_ALLOW_TARGETS: '127.0.0.1:*', KAVACH_STORM_LIMIT: '1000', ...variables },
    });
    closing.push(() => set.stop());
    const headers = { authorization: `Bearer ${set.apiKey}`, 'content-type': 'application/json' };
    const ask = (gateway: number, path: string, init: RequestInit = {}): Promise<Response> =>
      fetch(`${set.urls[gateway] ?? ''}${path}`, { ...init, headers });
    return { set, sink, folder, ask, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
