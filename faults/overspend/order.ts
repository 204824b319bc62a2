/** What one agent's process is told to do, and what it says at its end. */

export interface AgentOrder {
  readonly guard: 'leased' | 'checked';
  readonly endpoint: string;
  readonly apiKey: string;
  readonly llmUrl: string;
  readonly agent: string;
  readonly limitUsd: number;
  /** Calls at a time. */
  readonly atOnce: number;
  /** Refusals in a row, over all its calls, after which it believes them. */
  readonly refusals: number;
  readonly seed: number;
  /** Where a restart finds what its predecessor held. */
  readonly journalDir?: string;
}

export interface AgentDone {
  readonly answered: number;
  /** Requests about leases. */
  readonly asks: number;
}
