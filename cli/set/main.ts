/**
 * `npm run set`: the set of docker-compose.yml from binaries, for machines without Docker. It ends
 * everything on SIGINT or SIGTERM; the next start goes on where this one ended.
 */
import { resolve } from 'node:path';
import { createOutput } from '../output.js';
import { exitCodeOf, Interruption, watchStopSignals } from '../stop-signals.js';
import { startSet, type RunningSet } from './set.js';
import { buildBinaries, cachedBinaries } from './temporal-binaries.js';

const HELP = `Usage: npm run set -- [--folder .kavach-set] [--port 8787] [--build] [--json]

  --folder   where everything lives; default: .kavach-set
  --port     of the first gateway, the second takes the next one; default 8787; 0: free ones
  --build    build the Temporal server with Go where it is not cached (about 4 minutes);
             without it the server of Temporal's command line serves, on a file
  --json     one JSON document when all runs

Starts Postgres, Temporal, two gateways, two relays and two workers. KAVACH_…, RESEND_… and the
like are handed on to them. Ctrl-C ends everything.`;

interface Arguments {
  folder: string;
  port: number;
  build: boolean;
  json: boolean;
}

/** Answers a sentence where the arguments make no sense. */
function readArguments(given: readonly string[]): Arguments | string {
  const read = {
    folder: '.kavach-set',
    port: 8787,
    build: false,
    json: false,
  };
  for (let i = 0; i < given.length; i += 1) {
    const [word = '', inline] = (given[i] ?? '').split('=', 2);
    const value = (): string => inline ?? given[(i += 1)] ?? '';
    if (word === '--json') read.json = true;
    else if (word === '--build') read.build = true;
    else if (word === '--folder') read.folder = value();
    else if (word === '--port') {
      const text = value();
      if (!/^\d{1,5}$/.test(text) || Number(text) > 65_000)
        return `--port: expected a port, not "${text}"`;
      read.port = Number(text);
    } else return `There is no argument ${word}`;
  }
  return read;
}

async function main(): Promise<number> {
  const given = process.argv.slice(2);
  if (given.includes('--help')) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const read = readArguments(given);
  if (typeof read === 'string') {
    process.stderr.write(`${read}\n\n${HELP}\n`);
    return 2;
  }
  const output = createOutput(process.stdout, { json: read.json, env: process.env });
  const say = (line: string): void => {
    output.line(`  ${line}`);
  };
  const stop = watchStopSignals();
  const { signal } = stop;
  let set: RunningSet | undefined;
  try {
    output.line(output.paint('strong', 'The set is starting'));
    const { env } = process;
    const cached = cachedBinaries(env);
    const temporal = cached ?? (read.build ? await buildBinaries(env, say, signal) : undefined);
    if (temporal === undefined) say('Temporal: the command line serves, on a file (see --build)');
    set = await startSet({
      ...{ folder: resolve(read.folder), env, temporal, port: read.port, say, signal },
      variables: handedOn(env),
    });
    welcome(output, set);
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => {
        resolve();
      });
      if (signal.aborted) resolve();
    });
    output.line('Stopping');
    return 0;
  } catch (error) {
    if (signal.aborted && signal.reason instanceof Interruption)
      return exitCodeOf(signal.reason.by);
    throw error;
  } finally {
    await set?.stop();
    stop.release();
  }
}

/** The set decides where things are; what channels need, and how patient it is, the environment. */
function handedOn(env: NodeJS.ProcessEnv): Record<string, string> {
  const ours =
    /^(?:KAVACH_(?!DATA_DIR|HOST|PORT|CACHE_DIR|URL|API_KEY|SEAL_KEYS|LINK_KEY|PUBLIC_URL)|AGENTKAVACH_|RESEND_|TWILIO_|PAGERDUTY_)/;
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && ours.test(entry[0]),
    ),
  );
}

function welcome(output: ReturnType<typeof createOutput>, set: RunningSet): void {
  output.json({
    type: 'ready',
    ...{ gateways: set.urls, databaseUrl: set.databaseUrl, temporalAddress: set.temporalAddress },
    ...{ temporalUi: set.temporalUi, temporalIs: set.temporalIs, apiKeyFile: set.apiKeyFile },
    environmentFile: set.environmentFile,
    processes: Object.fromEntries(set.parts.map((part) => [part.name, part.pid()])),
  });
  output.line();
  output.table(
    [{ head: 'part' }, { head: 'pid', right: true }, { head: 'at' }],
    set.parts.map((part) => [part.name, String(part.pid()), addressOf(set, part.name)]),
  );
  output.line();
  output.line('What the commands need (doctor, backup, reseal and replay, too), to be pasted, or');
  output.line(`read from where it is kept: . ${set.environmentFile}`);
  for (const line of set.environment) output.line(`  ${line}`);
  output.line('Ctrl-C stops everything.');
}

function addressOf(set: RunningSet, name: string): string {
  if (name === 'postgres') return set.databaseUrl;
  if (name === 'temporal') return set.temporalAddress;
  const no = /^gateway (\d+)$/.exec(name)?.[1];
  return no === undefined ? '' : (set.urls[Number(no) - 1] ?? '');
}

void main()
  .catch((error: unknown) => {
    process.stderr.write(`set: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  })
  .then((code) => {
    // Temporal's native client may hold the loop; everything of ours is closed.
    process.exit(code);
  });
