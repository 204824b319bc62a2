/** POST /v1/ingest: usage, from the Python SDK, ours, or anything else. */
import { ingestAnswer } from '../answers.js';
import { readJson } from '../body.js';
import { ingestBatch, type IngestAnswer } from '../ingest.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { Problem, problemResponse, tryAgainLater } from '../problem.js';
import { refusalProblem } from '../refusal.js';
import { ingestBody } from '../schemas.js';
import type { ScopeCache } from '../scopes.js';

const ingest = {
  ...{ method: 'post', path: '/v1/ingest', id: 'ingest' },
  summary: 'Report usage',
  description:
    'One bad event never costs the good ones: it is told under `rejected` and kept in quarantine. ' +
    'A 429 with a `reason` is for good, and stored; one without is to be sent again.',
  scopes: ['ingest'],
  forAgentKeys: true,
  rate: 'usage',
  itself: { body: ingestBody },
  answers: { 202: { description: 'Stored, for good', schema: ingestAnswer } },
  problems: [400, 413, 415, 429],
} as const satisfies Operation;

/**
 * 202 once it is stored; a permanent 429 only after it is stored (K3); a 429 without a reason
 * where it could not be.
 */
export function addIngestRoute(routes: Routes, gateway: Gateway, cache: ScopeCache): void {
  let inFlight = 0;
  routes.add(ingest, async (c) => {
    const requestId = c.get('requestId');
    if (inFlight >= gateway.policy.maxInFlight) {
      throw new Problem(tryAgainLater(1));
    }
    inFlight += 1;
    try {
      const body = await readJson(c.env.incoming, gateway.policy.ingestLimit);
      const answer = await ingestBatch(gateway, cache, c.get('key'), body);
      Object.assign(c.get('facts'), {
        accepted: answer.accepted,
        duplicates: answer.duplicates,
        rejected: answer.rejectedCount,
      });
      if (answer.refusal === undefined) return c.json(wireAnswer(answer, requestId), 202);
      Object.assign(c.get('facts'), { reason: answer.refusal.reason });
      return problemResponse(
        refusalProblem(answer.refusal, wireAnswer(answer, requestId)),
        requestId,
      );
    } finally {
      inFlight -= 1;
    }
  });
}

function wireAnswer(answer: IngestAnswer, requestId: string) {
  return {
    accepted: answer.accepted,
    duplicates: answer.duplicates,
    rejected: answer.rejected,
    rejected_count: answer.rejectedCount,
    ...(answer.warnings.length === 0 ? {} : { warnings: answer.warnings }),
    request_id: requestId,
  };
}
