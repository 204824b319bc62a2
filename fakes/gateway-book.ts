/** The book behind the fake gateway: one budget, its leases, its events, and who is stopped. */

type Fields = Readonly<Record<string, unknown>>;
type Answer = readonly [status: number, body: object];

const NAMES = ['cost_nano_usd', 'tokens', 'calls'] as const;
type WireAmounts = Record<(typeof NAMES)[number], number>;

/** What is not named is unlimited; none at all: no `block` budget holds the agent. */
export type GatewayLimits = Partial<Readonly<WireAmounts>>;

export interface BookedLease {
  readonly id: string;
  readonly holder: string;
  readonly granted: WireAmounts;
  readonly settled: WireAmounts;
  readonly seqs: Set<number>;
  lastSeq?: number;
  state: 'open' | 'closing' | 'closed' | 'abandoned';
}

interface Standing {
  readonly stopped?: object;
  readonly killed?: object;
}

export interface GatewayBook {
  readonly leases: ReadonlyMap<string, BookedLease>;
  /** In the order they were counted, each once. */
  readonly events: readonly Fields[];
  /** Times an event came that was known. */
  repeats(): number;
  readonly runs: readonly Fields[];
  spent(): WireAmounts;
  /** Open remainders of all leases. */
  leased(): WireAmounts;
  standing(): Standing;
  setLimits(limits: GatewayLimits | undefined): void;
  stop(why: string): void;
  resume(): void;
  kill(dimension: string): void;
  unkill(): void;
  takeRun(body: Fields): Answer;
  takeEvents(body: Fields): Answer;
  ask(body: Fields): Answer;
  close(body: Fields): Answer;
}

const TTL_MS = 30_000;
const DIMENSIONS = { cost_nano_usd: 'cost', tokens: 'tokens_total', calls: 'calls' } as const;

export function createGatewayBook(first: GatewayLimits | undefined): GatewayBook {
  let limits = first;
  let stopped: object | undefined;
  let killed: object | undefined;
  let repeats = 0;
  const leases = new Map<string, BookedLease>();
  const keys = new Set<string>();
  const events: Fields[] = [];
  const runs: Fields[] = [];
  const holders = new Map<string, { n: number; answer: Answer }>();

  const spent = (): WireAmounts => {
    const sum = nothing();
    for (const event of events) add(sum, amountsOfEvent(event));
    return sum;
  };
  const leased = (): WireAmounts => {
    const sum = nothing();
    for (const lease of leases.values()) add(sum, remainderOf(lease));
    return sum;
  };
  const standing = (): Standing => ({
    ...(stopped === undefined ? {} : { stopped }),
    ...(killed === undefined ? {} : { killed }),
  });
  const refusal = (): Fields | undefined => {
    if (stopped !== undefined) return { reason: 'tier_agent_limit', rejected_agents: ['bot'] };
    return killed === undefined ? undefined : { reason: 'org_budget_exceeded' };
  };

  const budgets = (): object[] =>
    NAMES.flatMap((name) => {
      const limit = limits?.[name];
      if (limit === undefined) return [];
      return {
        ...{ period_id: 'default/agent:bot/daily/1', scope: 'agent', cadence: 'daily' },
        ...{ dimension: DIMENSIONS[name], limit, spent: spent()[name], leased: leased()[name] },
        resets_at: null,
      };
    });
  const words = ({ id, granted }: BookedLease): object => ({
    ...{ id, granted: { ...granted }, expires_in_ms: TTL_MS, valid_in_ms: 0, ends_in_ms: null },
    budgets: budgets(),
  });

  const grant = (body: Fields): object => {
    const now = Date.now();
    if (limits === undefined) return { type: 'unlimited', renew_in_ms: TTL_MS, now };
    if (stopped !== undefined) {
      return { type: 'refused', why: 'stopped', others_hold: false, reason: 'stopped', now };
    }
    if (killed !== undefined) {
      return { type: 'refused', why: 'killed', others_hold: false, reason: 'killed', now };
    }
    const holder = String(body['holder']);
    const id = (body['lease'] as string | undefined) ?? `${holder}/${String(body['n'])}`;
    const known = leases.get(id);
    if (body['lease'] !== undefined && known?.state !== 'open') {
      return { type: 'refused', why: 'ended', others_hold: false, now };
    }
    const lease: BookedLease = known ?? {
      ...{ id, holder, granted: nothing(), settled: nothing(), seqs: new Set(), state: 'open' },
    };
    const need = body['need'] as WireAmounts;
    const want = body['want'] as WireAmounts;
    const total = nothing();
    for (const name of NAMES) {
      const limit = limits[name] ?? Infinity;
      const left = limit - spent()[name] - leased()[name];
      const reach = Math.max(lease.granted[name], lease.settled[name]) + Math.max(left, 0);
      if (need[name] > reach) {
        const budget = budgets().find(
          (one) => 'dimension' in one && one.dimension === DIMENSIONS[name],
        );
        const lacks = { type: 'refused', why: 'exhausted', others_hold: false, budget, now };
        return known === undefined ? lacks : { ...lacks, lease: words(lease) };
      }
      total[name] = Math.max(
        Math.min(Math.max(want[name], need[name]), reach),
        lease.settled[name],
      );
    }
    Object.assign(lease.granted, total);
    leases.set(id, lease);
    return { type: 'granted', lease: words(lease), wanted: false, now };
  };

  /** FG-2. */
  const once = (body: Fields, make: () => object): Answer => {
    const holder = String(body['holder']);
    const n = Number(body['n']);
    const last = holders.get(holder);
    if (last !== undefined && n === last.n) return last.answer;
    if (last !== undefined && n < last.n) return [409, { title: 'stale', detail: 'stale' }];
    const answer: Answer = [200, make()];
    holders.set(holder, { n, answer });
    return answer;
  };

  const settle = (event: Fields): void => {
    const lease = leases.get(String(event['lease']));
    if (lease === undefined) return;
    add(lease.settled, amountsOfEvent(event));
    lease.seqs.add(Number(event['lease_seq']));
    closeWhole(lease);
  };

  return {
    ...{ leases, events, runs, spent, leased, standing },
    repeats: () => repeats,
    setLimits: (next) => {
      limits = next;
    },
    stop: (why) => {
      stopped = { reason: 'tier_agent_limit', at: new Date().toISOString(), by: 'kim', why };
    },
    resume: () => {
      stopped = undefined;
    },
    kill: (dimension) => {
      killed = {
        ...{ reason: 'org_budget_exceeded', period_id: 'default/agent:bot/daily/1' },
        ...{ cadence: 'daily', dimension, threshold: 1, at: new Date().toISOString() },
      };
    },
    unkill: () => {
      killed = undefined;
    },
    takeRun: (body) => {
      runs.push(body);
      const no = refusal();
      return no === undefined ? [202, { status: 'ok', period_id: 'p' }] : [429, no];
    },
    takeEvents: (body) => {
      let accepted = 0;
      const all = body['events'] as readonly Fields[];
      for (const event of all) {
        const key = String(event['idempotency_key']);
        if (keys.has(key)) {
          repeats += 1;
          continue;
        }
        keys.add(key);
        accepted += 1;
        events.push(event);
        settle(event);
      }
      const stored = {
        accepted,
        duplicates: all.length - accepted,
        rejected: [],
        rejected_count: 0,
      };
      const no = refusal();
      return no === undefined ? [202, stored] : [429, { ...stored, ...no, detail: 'refused' }];
    },
    ask: (body) => once(body, () => grant(body)),
    close: (body) =>
      once(body, () => {
        const lease = leases.get(String(body['lease']));
        if (lease === undefined) return { type: 'unknown', lease: body['lease'] };
        const mark = body['mark'] as WireAmounts | undefined;
        if (mark === undefined) {
          lease.lastSeq = Number(body['last_seq']);
          lease.state = 'closing';
          closeWhole(lease);
        } else {
          lease.state = 'abandoned';
          for (const name of NAMES) {
            lease.granted[name] = Math.max(
              lease.settled[name],
              Math.min(mark[name], lease.granted[name]),
            );
          }
        }
        return { type: lease.state, lease: lease.id };
      }),
  };
}

function closeWhole(lease: BookedLease): void {
  const { lastSeq } = lease;
  if (lease.state !== 'closing' || lastSeq === undefined) return;
  const all = Array.from({ length: lastSeq }, (_, at) => at + 1);
  if (all.every((seq) => lease.seqs.has(seq))) lease.state = 'closed';
}

function remainderOf({ granted, settled, state }: BookedLease): WireAmounts {
  const left = nothing();
  if (state === 'closed') return left;
  for (const name of NAMES) left[name] = Math.max(granted[name] - settled[name], 0);
  return left;
}

function amountsOfEvent(event: Fields): WireAmounts {
  return {
    cost_nano_usd: Math.round(Number(event['cost'] ?? 0) * 1e9),
    tokens: Number(event['input_tokens']) + Number(event['output_tokens']),
    calls: 1,
  };
}

function nothing(): WireAmounts {
  return { cost_nano_usd: 0, tokens: 0, calls: 0 };
}

function add(sum: WireAmounts, more: WireAmounts): void {
  for (const name of NAMES) sum[name] += more[name];
}
