/** What an engine is made with. */
import type { HolderPolicy } from '../../domain/lease/policy.js';
import type { SenderPolicy } from './event-sender.js';
import type { ChannelPolicy } from './live-channel.js';
import type { HostLogger, Surroundings } from './surroundings.js';

export interface LeasedAdmissionOptions extends Partial<
  Pick<Surroundings, 'fetch' | 'clock' | 'timers' | 'random'>
> {
  /** Of the gateway: `https://kavach.example`. */
  readonly endpoint: string;
  readonly apiKey: string;
  readonly agentName: string;
  readonly runId: string;
  /** The body of POST /v1/sync-config. */
  readonly syncDocument: unknown;
  /** Its budgets hold calls back, so that calls wait for leave. */
  readonly hasBlockBudget: boolean;
  /** L6. */
  readonly whenUnreachable: 'closed' | 'open';
  /** A folder; true: below the user's state directory; absent: in memory only. */
  readonly journal?: string | true;
  readonly logger?: HostLogger;
  /** Tests are hastier. */
  readonly policy?: EnginePolicy;
}

export interface EnginePolicy {
  readonly holder?: Partial<HolderPolicy>;
  readonly sender?: Partial<SenderPolicy>;
  readonly channel?: Partial<ChannelPolicy>;
  readonly heartbeatMs?: number;
  readonly firstSyncMs?: number;
}
