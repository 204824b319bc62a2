/**
 * From the ledger to the workflows: claims due rows, tells their periods, starts decided alerts.
 * Any number may run on one ledger; claims keep them apart.
 *
 * Invariants
 * L-1. Nothing is claimed that cannot be sent at once: a lease never runs out in a queue here.
 * L-2. Handed-over crossings first, then alerts, then agents whose rules matched, then due rows
 *      (the ledger puts crossings first), all within one pace.
 * L-3. At most `maxInFlight` sends at a time, of which ordinary rows leave a fifth to crossings.
 */
import type { Log } from '../client/log.js';
import { systemTimers, type Timers } from '../client/timers.js';
import type { Policy } from '../domain/alert/policy.js';
import type { ClaimedPeriod } from '../ledger/ledger.js';
import {
  createDeliver,
  type DeliverCounts,
  type RelayClient,
  type RelayLedger,
} from './deliver.js';
import { createHandover } from './handover.js';
import { createNotices, type NoticesLedger } from './notices.js';
import { createOutage } from './outage.js';
import { createPace } from './pace.js';

export interface RelayConfig {
  /** A row that changes is told so often; one that crosses, at once. */
  readonly intervalMs: number;
  readonly pollMs: number;
  /** How long a claim holds; must be longer than one call to Temporal may take. */
  readonly leaseMs: number;
  readonly signalsPerSecond: number;
  readonly floorPerSecond: number;
  /** What the pace may grow to while answers are quick. */
  readonly capPerSecond: number;
  /** Rows claimed at a time. */
  readonly batch: number;
  readonly maxInFlight: number;
  /** How long `stop` waits for what is under way. */
  readonly stopMs: number;
}

export const DEFAULT_RELAY_CONFIG: RelayConfig = {
  intervalMs: 10_000,
  pollMs: 200,
  leaseMs: 3_000,
  signalsPerSecond: 50,
  floorPerSecond: 5,
  capPerSecond: 50,
  batch: 50,
  maxInFlight: 20,
  stopMs: 5_000,
};

export interface RelayOptions {
  readonly ledger: RelayLedger & NoticesLedger;
  readonly client: RelayClient;
  /** Frozen into the alerts of late crossings and notices. */
  readonly policy: Policy;
  /** A15. Whose operators hear of the relay's own lag; absent: nobody. */
  readonly serviceOrg?: string;
  readonly log: Log;
  readonly config?: Partial<RelayConfig>;
  readonly timers?: Timers;
}

export interface RelayStats extends DeliverCounts {
  readonly inFlight: number;
  /** Crossings that were handed over and wait for the pace. */
  readonly waiting: number;
  readonly dropped: number;
  readonly signalsPerSecond: number;
  readonly isLedgerAway: boolean;
  readonly isTemporalAway: boolean;
}

export interface Relay {
  start(): void;
  /** Claims nothing more, and resolves when what is under way or handed over has ended. */
  stop(): Promise<void>;
  /** Rows that ingest has claimed already: they go ahead of the queue, also before `start`. */
  deliver(claims: readonly ClaimedPeriod[]): void;
  stats(): RelayStats;
}

export function createRelay(options: RelayOptions): Relay {
  const config = { ...DEFAULT_RELAY_CONFIG, ...options.config };
  const { ledger, log } = options;
  const timers = options.timers ?? systemTimers;
  const now = (): number => timers.now();
  const pace = createPace(
    {
      perSecond: config.signalsPerSecond,
      floorPerSecond: config.floorPerSecond,
      capPerSecond: Math.max(config.capPerSecond, config.signalsPerSecond),
    },
    now(),
  );
  const handover = createHandover(config.leaseMs / 2);
  const ledgerOutage = createOutage('the ledger', log);
  const temporalOutage = createOutage('Temporal', log);
  const notices = createNotices({ ...options, now });
  const owe = (work: Promise<void>): void => {
    owed += 1;
    void work.then(() => {
      owed -= 1;
      tellIfIdle();
    });
  };
  const deliver = createDeliver({
    ...options,
    pause: (ms) => new Promise((resolve) => timers.after(ms, resolve)),
    owe,
    ...{ now, pace, ledgerOutage, temporalOutage, intervalMs: config.intervalMs },
  });
  const maxOrdinary = Math.max(Math.floor(config.maxInFlight * 0.8), 1);
  let inFlight = 0;
  let owed = 0;
  let state: 'idle' | 'running' | 'stopping' = 'idle';
  /** Once stopped it stays so. */
  let isOver = false;
  let isPumping = false;
  let cancelTimer = (): void => undefined;
  let onIdle = (): void => undefined;

  const run = (work: Promise<void>): void => {
    inFlight += 1;
    void work.then(() => {
      inFlight -= 1;
      serveHandover();
      // A full house was the only thing that held the rest back.
      if (inFlight === maxOrdinary - 1) wake(0);
      tellIfIdle();
    });
  };

  const isIdle = (): boolean => inFlight + owed === 0 && handover.size() === 0 && !isPumping;
  const tellIfIdle = (): void => {
    if (isIdle()) onIdle();
  };

  const serveHandover = (): void => {
    while (handover.size() > 0) {
      if (inFlight >= config.maxInFlight || state === 'idle') return;
      if (!pace.mayHurry(now())) {
        wake(pace.waitMs(now()));
        return;
      }
      const claim = handover.next(now());
      if (claim !== undefined) run(deliver.period(claim));
    }
  };

  const ledgerFailed = (error: unknown): void => {
    ledgerOutage.failed(error instanceof Error ? error.message : 'unknown failure', now());
  };

  /** L-1. What may be claimed now. */
  const room = (): number => Math.min(pace.available(now()), maxOrdinary - inFlight, config.batch);

  /** Answers whether there may be more to claim. */
  const claimDue = async (): Promise<boolean> => {
    if (room() < 1 || !ledgerOutage.isOver(now())) return false;
    const request = { now: now(), leaseMs: config.leaseMs };
    const alerts = await ledger.claimAlerts({ ...request, limit: room() });
    for (const alert of alerts) run(deliver.alert(alert));
    // R2. A match may be an alert; half of the room, so that no noisy agent keeps a period waiting.
    const half = Math.ceil(room() / 2);
    const watches =
      half < 1 ? [] : await ledger.claimWatches({ ...request, now: now(), limit: half });
    for (const watch of watches) run(deliver.watch(watch));
    const limit = room();
    const claims = limit < 1 ? [] : await ledger.claimPeriods({ ...request, now: now(), limit });
    for (const claim of claims) run(deliver.period(claim));
    ledgerOutage.recovered();
    return claims.length === limit || alerts.length + watches.length > 0;
  };

  const pump = async (): Promise<void> => {
    if (isPumping || state === 'idle') return;
    isPumping = true;
    let hasMore = false;
    serveHandover();
    try {
      if (state === 'running') hasMore = await claimDue();
      // Nobody waits for it: neither a crossing, nor the next claim.
      if (notices.isDue() && ledgerOutage.isOver(now())) owe(notices.step().catch(ledgerFailed));
    } catch (error) {
      ledgerFailed(error);
    }
    isPumping = false;
    // With a backlog the next tokens are waited for, a few at a time: claims cost the ledger, too.
    wake(hasMore && inFlight < maxOrdinary ? Math.max(pace.waitMs(now()), 50) : config.pollMs);
    tellIfIdle();
  };

  let wakesAt = Number.POSITIVE_INFINITY;
  const wake = (ms: number): void => {
    const at = now() + Math.min(ms, config.pollMs);
    if (state === 'idle' || at >= wakesAt) return;
    cancelTimer();
    wakesAt = at;
    cancelTimer = timers.after(at - now(), () => {
      wakesAt = Number.POSITIVE_INFINITY;
      void pump();
    });
  };

  const stop = async (): Promise<void> => {
    isOver = true;
    if (state !== 'running') return;
    state = 'stopping';
    await new Promise<void>((resolve) => {
      const cancel = timers.after(config.stopMs, () => {
        log.warn({ inFlight, waiting: handover.size() }, 'relay: stopped with work under way');
        resolve();
      });
      onIdle = () => {
        cancel();
        resolve();
      };
      tellIfIdle();
    });
    state = 'idle';
    cancelTimer();
    wakesAt = Number.POSITIVE_INFINITY;
  };

  return {
    start: () => {
      if (state !== 'idle' || isOver) return;
      state = 'running';
      wake(0);
    },
    stop,
    deliver: (claims) => {
      if (isOver) return;
      // Usage may come in before the relay starts: its claims are kept, or they would wait for
      // their lease to end.
      handover.add(claims, now());
      serveHandover();
    },
    stats: () => ({
      ...deliver.counts,
      inFlight,
      waiting: handover.size(),
      dropped: handover.dropped(),
      signalsPerSecond: pace.perSecond(),
      isLedgerAway: ledgerOutage.isOngoing(),
      isTemporalAway: temporalOutage.isOngoing(),
    }),
  };
}
