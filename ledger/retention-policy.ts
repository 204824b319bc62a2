/**
 * How long each kind of record is kept. Days, or for ever; what decides what happens next is
 * never taken away, however old it is (retention.ts).
 */
import type { Value } from './literals.js';

/**
 * `events`: usage, with its idempotency keys. `runs`, `periods`: closed rows with their totals.
 * `messages`: what was rendered, and what agents' notices said. `attempts`: each try and its
 * outcome. `journal`: alerts and every decision about them. `audit`: who changed what, and silences
 * that are over. `quarantine`: events that could not be read. `notices`: what the operators were
 * told. `metrics`: keys of metric events, so that a repeated one counts once. `leases`: those that
 * are over, and guards that nobody has heard of since, with their last answers.
 */
export const RETENTION_KINDS = [
  'events',
  'runs',
  'periods',
  'messages',
  'attempts',
  'journal',
  'audit',
  'quarantine',
  'notices',
  'metrics',
  'leases',
] as const;
export type RetentionKind = (typeof RETENTION_KINDS)[number];

/** Whole days; undefined: for ever. */
export type Retention = Readonly<Record<RetentionKind, number | undefined>>;

export const DEFAULT_RETENTION: Retention = {
  events: 400,
  runs: 90,
  periods: undefined,
  messages: 30,
  attempts: 400,
  journal: 400,
  audit: 1_095,
  quarantine: 30,
  notices: 90,
  metrics: 7,
  leases: 30,
};

/**
 * The longest calendar period and the 7 days an event may be late by (B4) end before day 40, and
 * so does the time for which Temporal knows a workflow's id.
 */
const LEAST: Readonly<Record<RetentionKind, number>> = {
  ...{ events: 40, runs: 40, periods: 40 },
  ...{ messages: 1, attempts: 1, journal: 1, audit: 1, quarantine: 1, notices: 1, metrics: 1 },
  // An event that comes late may still name one (B4).
  leases: 8,
};
const MOST = 36_500;
export const DAY_MS = 86_400_000;

/**
 * `events=90,audit=forever` over the defaults; undefined where it is not of that form, names an
 * unknown kind or one twice, or keeps one for less than it is needed.
 */
export function readRetention(text: string): Retention | undefined {
  const given = new Map<RetentionKind, number | undefined>();
  for (const part of text.split(',')) {
    const [, name, days] = /^\s*([a-z]+)\s*=\s*(\d{1,5}|forever)\s*$/.exec(part) ?? [];
    const kind = RETENTION_KINDS.find((each) => each === name);
    if (kind === undefined || given.has(kind)) return undefined;
    const count = days === 'forever' ? undefined : Number(days);
    if (count !== undefined && (count < LEAST[kind] || count > MOST)) return undefined;
    given.set(kind, count);
  }
  return { ...DEFAULT_RETENTION, ...Object.fromEntries(given) };
}

export interface PruneRequest {
  /** What is older goes, epoch ms. */
  readonly before: number;
  /** Rows looked at, in one short transaction. */
  readonly limit: number;
  /** Where the last batch ended; absent: from the beginning. */
  readonly after?: readonly Value[];
}

export interface Pruned {
  readonly removed: number;
  /** Absent: nothing more is old enough. */
  readonly next?: readonly Value[];
}

/** One line of what is kept. */
export interface KeptKind {
  readonly kind: RetentionKind;
  /** Absent: for ever. */
  readonly days?: number;
  readonly rows: number;
  /** Epoch ms; absent where there is none. */
  readonly oldestAt?: number;
  /** On disk with indexes; `runs` and `periods`, and what shares a table, are told together. */
  readonly bytes: number;
}
