/**
 * The play itself: configuration, three senders, a run that hangs, whatever is killed, and then
 * the waiting until every book agrees or the time for that is over.
 * PY-1. Nothing waits blindly: everything is asked again and again, up to a bound.
 * PY-2. Every task has ended when this ends, in whatever way, so that what follows may take the
 *       stage down.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { DEFAULT_POLICY } from '../../domain/alert/policy.js';
import { createKavachClient } from '../../client/client.js';
import { connectTemporal } from '../../client/connect.js';
import { audit } from './audit.js';
import { syncDocument } from './document.js';
import { createGatewayApi, type GatewayApi } from './gateway-api.js';
import { playHungRun } from './hung-run.js';
import { drawKills, runKiller } from './kills.js';
import { showBurn, showMessages } from './live.js';
import { DAY, observe, periodKeys, type Observed, type Sources } from './observe.js';
import type { Plan } from './plan.js';
import { createRandom } from './random.js';
import type { Outcome } from './report.js';
import type { Screen } from './screen.js';
import { emptyTally, postUntilStored, runSender, type SenderOptions } from './sender.js';
import type { Stage } from './stage.js';

export interface PlayOptions {
  readonly stage: Stage;
  readonly plan: Plan;
  readonly zone: string;
  readonly seed: number;
  readonly screen: Screen;
  /** How often the service is killed, and whether the Temporal server is, once. */
  readonly kills: number;
  readonly killTemporal: boolean;
  /** When the demo began, epoch ms. */
  readonly beganAt: number;
  readonly signal: AbortSignal;
}

const LOOK_EVERY_MS = 300;
/** After the last post and the hung run's time: retries, restarts and the relay's last word. */
const SETTLE_MS = 30_000;
const SETTLE_AFTER_KILLS_MS = 50_000;
/** K3. A second is promised; this is where the demo stops believing. */
const ENFORCED_WITHIN_MS = 15_000;
/** Well inside the minute for which usage counts as fresh. */
const FRESH_MS = 50_000;

/** Plays and compares. Throws when something failed or the signal aborted. */
export async function playTrace(options: PlayOptions): Promise<Outcome> {
  const { stage, plan, screen } = options;
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const tasks: Promise<void>[] = [];
  const inBackground = (task: Promise<void>): Promise<void> => {
    // What fails first ends the others; it is thrown where it is awaited, or at the end.
    const watched = task.catch((error: unknown) => {
      over.abort(error);
      throw error;
    });
    watched.catch(() => undefined);
    tasks.push(watched);
    return watched;
  };
  const api = createGatewayApi(stage.gatewayUrl, stage.apiKey);
  const temporal = await connectTemporal(stage.clientVariables);
  try {
    const targets = {
      slack: `${stage.sink.url}/slack/demo`,
      webhook: `${stage.sink.url}/webhook/demo`,
      webhookSecret: `whsec_${Buffer.from('a secret of the demo').toString('base64')}`,
    };
    await api.syncConfig(syncDocument(plan, targets), signal);
    const startAt = Date.now();
    const stopShowing = showMessages(stage.sink, screen, startAt);
    try {
      const client = createKavachClient({
        ...{ client: temporal.client, taskQueue: 'kavach', policy: DEFAULT_POLICY, log: SILENT },
      });
      const keys = periodKeys(plan, options.zone, startAt);
      const sources = { api, client, requests: stage.sink.requests, plan, keys };
      void inBackground(showBurn({ api, plan, screen }, signal));
      const hung = { api, agent: plan.agent, run: plan.hungRun, signal };
      void inBackground(playHungRun(hung));
      const tally = emptyTally();
      const senders = plan.calls.map((calls, index): SenderOptions => ({
        ...{ api, agent: plan.agent, calls, startAt, tally, signal },
        unpriced: index === plan.calls.length - 1,
      }));
      await Promise.all([
        ...senders.map((sender) => inBackground(runSender(sender))),
        ...killersOf(options, startAt, signal).map(inBackground),
      ]);
      const refused = await checkEnforcement(senders, sources, signal);
      const { observed, differences } = await settle(options, sources, startAt, signal);
      return {
        ...{ plan, observed, tally, keys, uiUrl: stage.temporal.uiUrl },
        differences: [...refused, ...differences],
        kills: { service: options.kills, temporal: options.killTemporal ? 1 : 0 },
        tookMs: Date.now() - options.beganAt,
      };
    } finally {
      stopShowing();
    }
  } catch (error) {
    // Who was broken off says only that; the reason is the one that did it.
    throw signal.aborted ? signal.reason : error;
  } finally {
    over.abort(new Error('The play is over'));
    await Promise.allSettled(tasks);
    // Broken off there may be a query under way, and closing under it would throw in a timer of
    // the SDK's; the process ends soon.
    if (!options.signal.aborted) await temporal.close();
  }
}

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

function killersOf(options: PlayOptions, startAt: number, signal: AbortSignal): Promise<void>[] {
  const { stage, plan, kills, killTemporal, screen, seed } = options;
  const spanMs = Math.max(plan.playMs, plan.limits.durationMs);
  const random = createRandom(seed + 1);
  const say = (what: string) => async (kill: () => Promise<void>) => {
    const at = Date.now();
    screen.say(`kill -9 ${what}`, 'warning');
    await kill();
    screen.say(`${what} serves again after ${((Date.now() - at) / 1_000).toFixed(1)} s`, 'warning');
  };
  const service = runKiller({
    ...{ moments: drawKills(kills, spanMs, random), startAt, signal },
    kill: () => say('the service')(() => stage.service.killAndRestart()),
  });
  const temporal = runKiller({
    ...{ moments: drawKills(killTemporal ? 1 : 0, spanMs, random), startAt, signal },
    kill: () => say('the Temporal server')(() => stage.temporal.killAndRestart()),
  });
  return [service, temporal];
}

/**
 * K1, K3. Once the day is killed, an agent that goes on is refused: the last batch of a sender is
 * posted once more, which counts nothing (B5) and must be answered with the refusal.
 */
async function checkEnforcement(
  senders: readonly SenderOptions[],
  { api, plan }: { api: GatewayApi; plan: Plan },
  signal: AbortSignal,
): Promise<string[]> {
  const kills = plan.crossings.some(({ channels }) => channels.includes('kill'));
  const last = senders.find(({ calls }) => calls.at(-1)?.atMs === plan.playMs) ?? senders[0];
  if (!kills || last === undefined) return [];
  const until = Date.now() + ENFORCED_WITHIN_MS;
  do {
    const status = await api.status(plan.agent, signal);
    const day = status?.budgets.find(({ key }) => key.cadence === 'daily');
    if (day?.killed !== undefined) {
      // What is older is answered 202 for the sake of usage that waited on a disk.
      if (Date.now() - last.startAt - plan.playMs > FRESH_MS) return [];
      const again = { ...last, tally: emptyTally() };
      const { refusal } = await postUntilStored(again, last.calls.slice(-1));
      if (refusal !== undefined) return [];
    }
    await delay(LOOK_EVERY_MS, undefined, { signal });
  } while (Date.now() < until);
  return [`${DAY}: the agent was not refused within ${String(ENFORCED_WITHIN_MS / 1_000)} s`];
}

/** Asks until nothing differs; what differs at the end of the time is the result. */
async function settle(
  { plan, kills, killTemporal }: PlayOptions,
  sources: Sources,
  startAt: number,
  signal: AbortSignal,
): Promise<{ observed: Observed | undefined; differences: readonly string[] }> {
  const graceMs = kills > 0 || killTemporal ? SETTLE_AFTER_KILLS_MS : SETTLE_MS;
  const until = Math.max(Date.now(), startAt + plan.limits.durationMs) + graceMs;
  let observed: Observed | undefined;
  let differences: readonly string[] = [];
  for (;;) {
    const seen = await observe(sources, signal);
    if (typeof seen === 'string') {
      differences = [`the books cannot be read: ${seen}`];
    } else {
      observed = seen;
      differences = audit(plan, seen);
    }
    if (differences.length === 0 || Date.now() > until) return { observed, differences };
    await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}
