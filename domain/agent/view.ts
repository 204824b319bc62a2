/** What an agent's workflow says of its rules when asked. */

export interface RuleStatus {
  readonly rule: string;
  /** Absent: it was removed. */
  readonly name?: string;
  /** Over all senders, and how many of them no alert has told yet. */
  readonly matches: number;
  readonly held: number;
  /** Raised so far, and which of them are open. */
  readonly alerts: number;
  readonly openAlerts: readonly string[];
  /** R2. Epoch ms; absent: no cooldown runs. */
  readonly quietUntil?: number;
}

export interface AgentStatus {
  readonly org: string;
  readonly agent: string;
  /** Revision of the organisation's rules; -1: they have not been read yet. */
  readonly rev: number;
  readonly rules: readonly RuleStatus[];
  readonly rejected: number;
  readonly lastRejection?: string;
}
