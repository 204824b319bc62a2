/**
 * The parts of a guard that talks to a gateway, joined: what each hears goes to those it concerns.
 */
import type { Amounts } from '../../domain/lease/amounts.js';
import type { HolderEvent } from '../../domain/lease/events.js';
import type { LeaseAnswer } from '../../domain/lease/lease.js';
import { HOLDER_POLICY, type HolderPolicy } from '../../domain/lease/policy.js';
import { recoverHolder } from '../../domain/lease/recover.js';
import type { AdmissionStatus, CallReport } from '../admission.js';
import { causeOf } from './cause.js';
import { createEventSender, type WireEvent } from './event-sender.js';
import { createEventTime } from './event-time.js';
import { eventOf } from './event-wire.js';
import { endLeftLeases, type LeftLeases } from './left-leases.js';
import type { IngestRefusal } from './ingest-reply.js';
import { createLeaseRunner, type LeaseRunner } from './lease-runner.js';
import { openLiveChannel } from './live-channel.js';
import type { LeasedAdmissionOptions } from './options.js';
import { randomId } from './random-id.js';
import { createReported } from './reported.js';
import { startRunLife } from './run-life.js';
import { startHome } from './start-home.js';
import { createStanding, type Standing } from './standing.js';
import { readStanding, type StandingWord } from './standing-word.js';
import { statusOf } from './status.js';
import { loggerOf, systemClock, systemTimers } from './surroundings.js';
import { startSync } from './sync.js';
import { createTransport } from './transport.js';

/** A call under way. */
interface Call {
  readonly lease: string;
  readonly worst: Amounts;
}

export interface Engine {
  readonly standing: Standing;
  /** The first sync is answered, or has had its time. Never rejects. */
  readonly ready: Promise<void>;
  runner(): LeaseRunner | undefined;
  /** The gateway has said that a budget holds this agent's calls. */
  isLimited(): boolean;
  /** Asks whether something limits the agent, beside a call. */
  probe(worst: Amounts): void;
  settle(call: Call | undefined, actual: Amounts, report: CallReport): void;
  release(call: Call | undefined): void;
  report(report: CallReport): void;
  /** Keeps the process alive until it is settled. */
  whileHeld<T>(work: Promise<T>): Promise<T>;
  status(): AdmissionStatus;
  isClosed(): boolean;
  close(timeoutMs: number): Promise<void>;
}

const FIRST_SYNC_MS = 2_000;
/** While something holds the agent and no channel says when it ends. */
const RECHECK_MS = 10_000;
/** Of the time to close, at its end: for the disk. */
const LAST_MS = 500;

export function startEngine(options: LeasedAdmissionOptions): Engine {
  const { agentName, runId, policy = {} } = options;
  const { clock = systemClock, timers = systemTimers, random = Math.random } = options;
  const logger = loggerOf(options.logger ?? {});
  const transport = createTransport({
    ...{ endpoint: options.endpoint, apiKey: options.apiKey, clock, timers },
    // Looked up at each call: a host may replace the global one.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
  });
  const reported = createReported();
  const eventTime = createEventTime(clock);
  const session = randomId();
  let calls = 0;
  let runner: LeaseRunner | undefined;
  let left: LeftLeases | undefined;
  let isLimited = false;
  let isProbing = false;
  let isSynced = false;
  let isClosed = false;
  let closing: Promise<void> | undefined;

  const late = (ms: number): Promise<undefined> =>
    new Promise((resolve) => {
      timers.after(ms, () => {
        resolve(undefined);
      });
    });

  const standing = createStanding(agentName, (error) => {
    logger.error({ cause: causeOf(error) }, 'whoever was told of a kill or Stop failed');
  });
  const tellRunner = (event: HolderEvent): void => {
    runner?.tell(event);
  };
  const tellHalt = (): void => {
    const held = standing.held();
    if (held === undefined) tellRunner({ type: 'stood' });
    else if (held.why === 'stopped' || held.why === 'killed') {
      tellRunner({ type: 'stood', halt: { why: held.why, reason: held.detail } });
    }
  };
  const stand = (word: StandingWord, isWhole: boolean): void => {
    if (standing.set(word, isWhole)) tellHalt();
  };

  let words = 0;
  const refuse = ({ reason, detail }: IngestRefusal, before: number): void => {
    const isOld = before < words && channel.isOpen();
    // Whether it is a kill, and of what, is the gateway's to say; a lease shows it as well.
    if (reason === 'org_budget_exceeded') tellRunner({ type: 'limitsChanged' });
    else if (!isOld) standing.suspect({ why: 'stopped', reason, detail });
    sync.again();
  };

  const home = startHome({ ...options, timers, logger });
  const sender = createEventSender({
    ...{ transport, timers, random, logger, words: () => words, onRefused: refuse },
    spool: home.then((opened) => opened.spool),
    onStored: (events) => {
      for (const event of events) tellStored(event);
    },
    ...(policy.sender === undefined ? {} : { policy: policy.sender }),
  });
  const sync = startSync({
    ...{ transport, timers, random, logger, document: options.syncDocument },
    onSynced: (word) => {
      isSynced = true;
      if (word !== undefined) stand(word, !channel.isOpen());
    },
    onRefused: () => {
      // What holds there already goes on to hold.
      isSynced = true;
    },
  });
  const channel = openLiveChannel({
    ...{ transport, timers, random, logger, agentName, runId, onEvent: hear },
    ...(policy.channel === undefined ? {} : { policy: policy.channel }),
  });
  const run = startRunLife({
    ...{ transport, timers, agentName, runId, words: () => words, onRefused: refuse },
    ...(policy.heartbeatMs === undefined ? {} : { everyMs: policy.heartbeatMs }),
  });

  function hear(name: string, data: unknown): void {
    if (name === 'limits') tellRunner({ type: 'limitsChanged' });
    if (name === 'recall') {
      const { why } = (data ?? {}) as { readonly why?: unknown };
      const known = RECALLS.find((each) => each === why);
      if (known !== undefined) tellRunner({ type: 'recalled', why: known });
    }
    const word = name === 'standing' ? readStanding(data) : undefined;
    if (word === undefined) return;
    words += 1;
    sync.outdate();
    stand(word, true);
  }

  function tellStored(event: WireEvent): void {
    const { lease, lease_seq: seq } = event;
    if (typeof lease !== 'string' || typeof seq !== 'number') return;
    const upTo = reported.add(lease, seq);
    if (upTo !== undefined) tellRunner({ type: 'reported', lease, upTo });
  }

  const holderPolicy: HolderPolicy = {
    ...HOLDER_POLICY,
    unreachable: options.whenUnreachable,
    ...policy.holder,
  };
  const heardAnswer = (answer: LeaseAnswer): void => {
    isLimited = answer.type !== 'unlimited';
    if (answer.type !== 'refused') standing.leaseGranted();
    eventTime.heard(answer);
  };
  const machine = { clock, timers, logger, transport, isSynced: () => isSynced };

  const started = home.then((opened) => {
    const input = {
      holder: opened.holder,
      agent: agentName,
      run: runId,
      policy: holderPolicy,
    };
    const begin = recoverHolder(input, opened.record);
    const { journal } = opened;
    runner = createLeaseRunner({
      ...{ ...machine, begin, onAnswer: heardAnswer },
      ...(journal === undefined ? {} : { journal }),
    });
    tellHalt();
    runner.tell({ type: 'ticked' });
    left = endLeftLeases(opened.left, { ...machine, agentName, policy: holderPolicy });
  });

  const ready = Promise.all([
    started,
    Promise.race([sync.first, late(policy.firstSyncMs ?? FIRST_SYNC_MS)]),
  ]).then(() => undefined);

  const recheck = (): void => {
    timers.after(RECHECK_MS, () => {
      if (isClosed) return;
      if (standing.held() !== undefined && !channel.isOpen()) sync.again();
      recheck();
    });
  };
  recheck();

  const report = (report: CallReport, lease?: string, leaseSeq?: number): void => {
    calls += 1;
    sender.add(
      eventOf({
        ...{
          report,
          agentName,
          runId,
          key: `${session}-${String(calls)}`,
          at: eventTime.at(lease),
        },
        ...(lease === undefined || leaseSeq === undefined ? {} : { lease, leaseSeq }),
      }),
    );
  };

  const finish = async (timeoutMs: number): Promise<void> => {
    isClosed = true;
    channel.stop();
    const forMs = Math.max(timeoutMs - LAST_MS, 0);
    await started;
    const given = runner?.end();
    await Promise.race([Promise.all([sender.flush(forMs), given, run.end(forMs)]), late(forMs)]);
    sync.stop();
    runner?.stop();
    left?.stop();
    await Promise.race([
      sender
        .stop()
        .then(() => home)
        .then((opened) => opened.close()),
      late(LAST_MS),
    ]);
  };

  const whileHeld = async <T>(work: Promise<T>): Promise<T> => {
    const release = timers.hold();
    try {
      return await work;
    } finally {
      release();
    }
  };

  return {
    standing,
    ready,
    runner: () => runner,
    isLimited: () => isLimited,
    probe: (worst) => {
      if (isProbing || runner === undefined) return;
      isProbing = true;
      void runner.want(worst).then((leave) => {
        isProbing = false;
        const { lease } = leave.type === 'admitted' ? leave : {};
        if (lease !== undefined) runner?.settle({ lease, worst }, undefined);
      });
    },
    settle: (call, actual, callReport) => {
      const seq = call === undefined ? undefined : runner?.settle(call, actual);
      report(callReport, call?.lease, seq);
    },
    release: (call) => {
      if (call !== undefined) runner?.settle(call, undefined);
    },
    report,
    whileHeld,
    status: () => statusOf({ sender, runner, isOpen: channel.isOpen() }),
    isClosed: () => isClosed,
    close: (timeoutMs) => {
      closing ??= whileHeld(finish(timeoutMs)).catch((error: unknown) => {
        logger.error({ cause: causeOf(error) }, 'the guard could not be closed in order');
      });
      return closing;
    },
  };
}

const RECALLS = ['overrun', 'lowered', 'wanted'] as const;
