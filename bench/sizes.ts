/** How much of everything: the run that the figures stand for, and the one that tests can afford. */
import type { AdmissionSize } from './admission.js';
import type { AnswerSize } from './answer.js';
import type { BackgroundSize } from './background.js';
import type { BacklogSize } from './backlog.js';
import type { DirectSize } from './direct.js';
import type { GatewaysSize } from './gateways.js';
import type { IngestSize } from './ingest.js';
import type { PushSize } from './push.js';
import type { RecoverySize } from './recovery.js';
import type { UpsertSize } from './upsert.js';

export interface Sizes {
  /** Replays of each history. */
  readonly replays: number;
  readonly memoryPeriods: number;
  readonly direct: DirectSize;
  readonly ingest: IngestSize;
  readonly crossings: number;
  readonly load: BackgroundSize;
  readonly history: { readonly events: number; readonly bareEvents: number };
  /** Of nine crossings an arm. */
  readonly hungRounds: number;
  readonly upsert: UpsertSize;
  readonly answer: AnswerSize;
  readonly gateways: GatewaysSize;
  readonly backlog: BacklogSize;
  readonly push: PushSize;
  readonly admission: AdmissionSize;
  readonly recovery: RecoverySize;
}

export const FULL: Sizes = {
  replays: 6,
  memoryPeriods: 1_000,
  direct: { pairs: 6, records: 5_100_000, bareEvents: 1_500 },
  ingest: { pairs: 6, events: 510_000, bareEvents: 1_500 },
  crossings: 66,
  load: { eventsPerSecond: 2_000, periods: 20 },
  history: { events: 1_000_000, bareEvents: 1_500 },
  hungRounds: 35,
  push: { sockets: 9_950, stuckOffers: 150 },
  admission: { pairs: 6, calls: 2_000 },
  upsert: { pairs: 6, events: 100_000, bareEvents: 10_000 },
  answer: { seconds: 15 },
  gateways: { pairs: 6, events: 100_000 },
  backlog: { periods: 5_000, events: 1_000_000, isJudged: true },
  recovery: {
    ...{ periods: 120, postsPerSecond: 60, postsPerCrossing: 10 },
    ...{ beforeMs: 30_000, afterMs: 35_000, isJudged: true },
  },
};

export const SHORT: Sizes = {
  replays: 2,
  memoryPeriods: 50,
  direct: { pairs: 2, records: 200_000, bareEvents: 100 },
  ingest: { pairs: 2, events: 16_384, bareEvents: 100 },
  crossings: 12,
  load: { eventsPerSecond: 500, periods: 5 },
  history: { events: 20_480, bareEvents: 100 },
  hungRounds: 1,
  push: { sockets: 150, stuckOffers: 80 },
  admission: { pairs: 2, calls: 200 },
  upsert: { pairs: 2, events: 8_192, bareEvents: 400 },
  answer: { seconds: 2 },
  gateways: { pairs: 2, events: 8_192 },
  backlog: { periods: 60, events: 6_000, isJudged: false },
  recovery: {
    ...{ periods: 20, postsPerSecond: 30, postsPerCrossing: 5 },
    ...{ beforeMs: 8_000, afterMs: 8_000, isJudged: false },
  },
};
