/** The signal that carries one sender's counts of matches to an agent's workflow (R2, R3). */

/**
 * Cumulative, as totals are: repeating, reordering or losing one changes nothing. `sender` is
 * `ledger`, or a direct reporter's own stable name; `epoch` grows when its counts start over, `seq`
 * with every change. `rev`: the newest revision of the rules that the sender knows.
 */
export interface MatchReport {
  readonly sender: string;
  readonly epoch: number;
  readonly seq: number;
  readonly rev: number;
  readonly rules: readonly RuleCount[];
}

/** What a sender has seen of one rule. Times are epoch ms, by the sender's clock. */
export interface RuleCount {
  /** The rule's id. */
  readonly rule: string;
  readonly matches: number;
  /** How often in a row the condition was false, as last seen. */
  readonly misses: number;
  /** When it was last looked at. */
  readonly heardAt: number;
  /** When it last matched. */
  readonly matchedAt?: number;
}
