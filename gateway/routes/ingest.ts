/** POST /v1/ingest: usage, from the Python SDK, ours, or anything else. */
import type { App } from '../env.js';
import { readJson } from '../body.js';
import { ingestBatch, type IngestAnswer } from '../ingest.js';
import type { Gateway } from '../options.js';
import { Problem, problemResponse, tryAgainLater } from '../problem.js';
import { refusalProblem } from '../refusal.js';
import type { ScopeCache } from '../scopes.js';

/**
 * 202 once it is stored; a permanent 429 only after it is stored (K3); a 429 without a reason
 * where it could not be.
 */
export function addIngestRoute(app: App, gateway: Gateway, cache: ScopeCache): void {
  let inFlight = 0;
  app.post('/v1/ingest', async (c) => {
    const requestId = c.get('requestId');
    if (inFlight >= gateway.policy.maxInFlight) {
      throw new Problem(tryAgainLater(1));
    }
    inFlight += 1;
    try {
      const body = await readJson(c.env.incoming, gateway.policy.ingestLimit);
      const answer = await ingestBatch(gateway, cache, c.get('key').org, body);
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
    request_id: requestId,
  };
}
