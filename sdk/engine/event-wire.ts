/** A call as POST /v1/ingest takes it. */
import { NANOS_PER_USD } from '../../domain/money.js';
import type { CallReport } from '../admission.js';
import type { WireEvent } from './event-sender.js';

export interface ReportedCall {
  readonly report: CallReport;
  readonly agentName: string;
  readonly runId?: string;
  /** Of this call alone, for good (B5). */
  readonly key: string;
  /** Epoch ms. */
  readonly at: number;
  readonly lease?: string;
  /** Absent: it settles no lease. */
  readonly leaseSeq?: number;
}

export function eventOf({
  report,
  key,
  at,
  lease,
  leaseSeq,
  agentName,
  runId,
}: ReportedCall): WireEvent {
  const { cost, prompt } = report;
  return {
    ...{ agent_name: agentName, provider: report.provider, model: report.model },
    ...{ input_tokens: report.inputTokens, output_tokens: report.outputTokens },
    ...(cost === undefined ? {} : { cost: cost / NANOS_PER_USD }),
    ...{ duration_ms: report.durationMs, status: report.status },
    ...{ timestamp: new Date(at).toISOString(), idempotency_key: key },
    ...(runId === undefined ? {} : { run_id: runId }),
    ...(prompt === undefined ? {} : { prompt }),
    ...(lease === undefined || leaseSeq === undefined ? {} : { lease, lease_seq: leaseSeq }),
  };
}
