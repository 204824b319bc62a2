/**
 * `kavach up`: everything in one command. Embedded parts the environment does not give, then the
 * service in this process.
 * U-1. A signal at any moment, also during the start, stops all that was started, in order; a
 *      second one ends the process, and its children with it.
 * U-2. A part that ends unasked stops the rest, with exit code 1.
 */
import type { Config } from '../worker/config.js';
import { createLog } from '../worker/log.js';
import { prepareDataFolder } from './data-folder.js';
import type { Embedded } from './embedded/embedded.js';
import { refuseTakenPort } from './embedded/ports.js';
import type { Environment } from './http.js';
import type { Output } from './output.js';
import type { Service } from './service.js';
import { exitCodeOf, Interruption, watchStopSignals } from './stop-signals.js';

/** Resolves with the exit code: 0 when it ran and was told to stop, 128 + n when signal n broke off
 *  the start, 1 when a part was lost. Rejects when the start fails. */
export async function up(output: Output, env: Environment, config: Config): Promise<number> {
  prepareDataFolder(config.dataDir);
  const stop = watchStopSignals();
  const say = (line: string): void => {
    output.line(`  ${line}`);
  };
  let embedded: Embedded | undefined;
  let service: Service | undefined;
  try {
    output.line(output.paint('strong', 'Kavach is starting'));
    const { signal } = stop;
    const { port } = config.gateway;
    const what = { what: 'the gateway', setting: 'KAVACH_PORT' };
    if (port !== 0) await refuseTakenPort({ port, ...what });
    const { startEmbedded } = await import('./embedded/embedded.js');
    // The service takes seconds to load, and loads while the embedded parts start.
    const loading = import('./service.js');
    embedded = await startEmbedded({
      dataDir: config.dataDir,
      env: embeddedEnvironment(env, config),
      onProgress: say,
      signal,
    });
    const { startService } = await loading;
    signal.throwIfAborted();
    service = await startService(config, {
      log: createLog(config.log),
      databaseUrl: embedded.databaseUrl,
      ...(embedded.temporal === undefined ? {} : { temporalAddress: embedded.temporal.address }),
      onProgress: say,
      signal,
    });
    welcome(output, config, service, embedded);
    const end = await Promise.race([embedded.lost, aborted(signal)]);
    if (end === undefined) output.line('Stopping');
    else process.stderr.write(`${end}; stopping the rest\n`);
    return end === undefined ? 0 : 1;
  } catch (error) {
    if (!(error instanceof Interruption)) throw error;
    return exitCodeOf(error.by);
  } finally {
    await service?.stop();
    await embedded?.stop();
    stop.release();
  }
}

/** The embedded parts read the ports themselves; here their defaults are put in. */
function embeddedEnvironment(env: Environment, { temporal }: Config): NodeJS.ProcessEnv {
  return {
    ...env,
    KAVACH_TEMPORAL_PORT: String(temporal.port),
    KAVACH_TEMPORAL_UI_PORT: String(temporal.uiPort),
  };
}

function welcome(output: Output, config: Config, service: Service, embedded: Embedded): void {
  const { url, adminKey } = service;
  const web = embedded.temporal?.uiUrl;
  output.json({
    type: 'ready',
    url,
    temporalUi: web,
    ...(adminKey === undefined ? {} : { apiKeyFile: adminKey.file }),
    ...(adminKey?.isNew === true ? { apiKey: adminKey.value } : {}),
  });
  output.line();
  output.line(`${output.paint('good', 'Kavach is up')} at ${output.paint('strong', url)}`);
  if (web !== undefined) output.line(`Temporal's Web UI is at ${web}`);
  if (adminKey?.isNew === true) {
    output.line(`Your API key, shown this once: ${output.paint('strong', adminKey.value)}`);
    output.line(`It is kept in ${adminKey.file}, where the commands of this machine find it.`);
    if (config.databaseUrl === undefined) output.line(POWER_CUT);
    if (config.sealKeys === undefined) {
      output.line(`Keep ${config.dataDir}/seal-keys safe: without it stored addresses are lost.`);
    }
  } else if (adminKey !== undefined) {
    output.line(`The API key is in ${adminKey.file}`);
  }
  output.line();
  output.line('Tell it what an agent may spend, then what it spent:');
  for (const line of examples(url, adminKey?.file)) output.line(`  ${line}`);
  output.line();
  output.line('Ctrl-C stops everything.');
}

const POWER_CUT =
  'The embedded ledger survives the death of any process but not a power cut: for that, set ' +
  'DATABASE_URL to a Postgres.';

function examples(url: string, keyFile: string | undefined): string[] {
  const key = keyFile === undefined ? '$KAVACH_API_KEY' : `$(cat ${keyFile})`;
  const post = (path: string, body: string): string =>
    `curl -s ${url}${path} -H "authorization: Bearer ${key}" -H 'content-type: application/json' -d '${body}'`;
  const event =
    '{"events":[{"agent_name":"hello","provider":"openai","model":"gpt-4o-mini","input_tokens":1000,"output_tokens":200,"cost":0.9,"duration_ms":800}]}';
  return [
    post(
      '/v1/sync-config',
      '{"agent_name":"hello","budgets":[{"budget_type":"cost","period":"daily","limit_value":1,"unit":"usd"}],"alert_configs":[{"channel":"slack","threshold_pct":0.8,"budget_type":"cost"}],"org_budget":null}',
    ),
    post('/v1/ingest', event),
    'npm run -s kavach status',
  ];
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => {
      resolve(undefined);
    });
  });
}
