/** POST /v1/events: what agents say of themselves, for the rules on it (R1). */
import { readJson } from '../body.js';
import { takeMetrics } from '../metrics.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { Problem, tryAgainLater } from '../problem.js';
import type { RuleCache } from '../rule-cache.js';
import { metricsAnswer, metricsBody } from '../rule-schemas.js';

const reportMetrics = {
  ...{ method: 'post', path: '/v1/events', id: 'reportMetrics' },
  summary: "Report an agent's metrics",
  description:
    'One event, or several under `events`. They are held against the rules of now; one bad event ' +
    'never costs the good ones: it is told under `rejected` and kept in quarantine.',
  scopes: ['ingest'],
  forAgentKeys: true,
  rate: 'usage',
  itself: { body: metricsBody },
  answers: { 202: { description: 'Counted, for good', schema: metricsAnswer } },
  problems: [400, 413, 415, 429],
} as const satisfies Operation;

export function addMetricsRoute(routes: Routes, gateway: Gateway, cache: RuleCache): void {
  let inFlight = 0;
  routes.add(reportMetrics, async (c) => {
    if (inFlight >= gateway.policy.maxInFlight) throw new Problem(tryAgainLater(1));
    inFlight += 1;
    try {
      const body = await readJson(c.env.incoming, gateway.policy.ingestLimit);
      const answer = await takeMetrics(gateway, cache, c.get('key'), body);
      const { accepted, duplicates, rejected, rejectedCount, matches } = answer;
      Object.assign(c.get('facts'), { accepted, duplicates, matches, rejected: rejectedCount });
      return c.json(
        {
          ...{ accepted, duplicates, rejected, matches },
          ...{ rejected_count: rejectedCount, request_id: c.get('requestId') },
        },
        202,
      );
    } finally {
      inFlight -= 1;
    }
  });
}
