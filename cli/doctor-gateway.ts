/** The gateway as the doctor sees it, over HTTP as everybody else does. */
import type { Config } from '../worker/config.js';
import { causeOf, fail, notLookedAt, ok, warn, type Check, type Found } from './doctor-check.js';
import { refuseTakenPort } from './embedded/ports.js';
import { CliError, openGateway, type Environment } from './http.js';

const ASK_MS = 5_000;

export function gatewayChecks(env: Environment, config: Config | undefined): Check[] {
  const next = 'is it `kavach up` that listens there?';
  return [
    { name: 'gateway', look: () => readiness(env, config), next },
    { name: 'api key', look: () => apiKey(env), next },
    ...(config?.gateway.publicUrl === undefined
      ? []
      : [
          {
            ...{ name: 'public url', next: 'see KAVACH_PUBLIC_URL in docs/guides/run.md' },
            look: () => publicUrl(config.gateway.publicUrl ?? ''),
          },
        ]),
  ];
}

/** Where it does not run, whether it could. */
async function readiness(env: Environment, config: Config | undefined): Promise<Found> {
  const { url } = openGateway(env);
  let response: Response;
  try {
    response = await ask(`${url}/readyz`);
  } catch (error) {
    if (env['KAVACH_URL'])
      return fail(`${url} does not answer (${causeOf(error)})`, 'start it there');
    const port = config?.gateway.port ?? 0;
    if (port !== 0) {
      const taken = await refuseTakenPort({ port, what: 'the gateway', setting: 'KAVACH_PORT' })
        .then(() => undefined)
        .catch((fault: unknown) => causeOf(fault));
      if (taken !== undefined) return fail(taken, 'choose another port with KAVACH_PORT');
    }
    return warn(`${url} does not answer`, '`kavach up` starts it');
  }
  const state = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (typeof state['ledger'] !== 'string') {
    return fail(`what answers at ${url} is no Kavach`, 'choose another port with KAVACH_PORT');
  }
  const seen = `${url}: ledger ${state['ledger']}, Temporal ${String(state['temporal'])}`;
  if (!response.ok) return fail(seen, 'see `ledger`; senders are asked to wait meanwhile');
  return state['temporal'] === 'up'
    ? ok(seen)
    : warn(seen, 'see `temporal`; alerts wait meanwhile');
}

async function apiKey(env: Environment): Promise<Found> {
  const gateway = openGateway(env);
  try {
    await gateway.get('/v1/agents');
    return ok('accepted');
  } catch (error) {
    const status = error instanceof CliError ? error.status : undefined;
    if (status === undefined) return notLookedAt('gateway');
    if (status !== 401 && status !== 403) throw error;
    return fail(
      `refused (${String(status)})`,
      'set KAVACH_API_KEY, or KAVACH_DATA_DIR to its folder',
    );
  }
}

async function publicUrl(url: string): Promise<Found> {
  try {
    const { ok: isOk, status } = await ask(`${url}/healthz`);
    if (isOk) return ok(url);
    return warn(
      `${url} answers ${String(status)}`,
      'links in messages begin with it: does it lead here?',
    );
  } catch {
    const next = 'links in messages begin with it; from elsewhere it may be reachable';
    return warn(`${url} is not reached from here`, next);
  }
}

const ask = (url: string): Promise<Response> => fetch(url, { signal: AbortSignal.timeout(ASK_MS) });
