/** What an alert says of itself when asked. */
import type { AlertFacts } from './facts.js';
import type { AlertResult, Delivery } from './state.js';

export interface AlertStatus {
  readonly id: string;
  readonly org: string;
  readonly subject: string;
  readonly phase: 'firing' | 'acknowledged' | 'resolved';
  readonly facts: AlertFacts;
  readonly raisedAt: number;
  readonly acknowledged?: { readonly by: string; readonly at: number; readonly note?: string };
  readonly resolved?: { readonly by: string; readonly at: number; readonly note?: string };
  readonly deliveries: readonly Delivery[];
  readonly result: AlertResult;
  /** All deliveries have ended and none was accepted (A1). */
  readonly exhausted: boolean;
  readonly rejected: number;
}
