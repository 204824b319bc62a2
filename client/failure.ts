/**
 * What a failed call to Temporal means for who made it. Decided once, here, where the gRPC
 * status is seen.
 */
import { ServiceError } from '@temporalio/client';

/**
 * `throttled`: the server asks for less. `unavailable`: nobody answers, everything waits.
 * `permanent`: this very request is refused, and will be again.
 */
export type FailureKind = 'throttled' | 'unavailable' | 'permanent';

export interface ClientFailure {
  readonly kind: FailureKind;
  /** For people and the ledger: subject and cause, no addresses or payloads. */
  readonly reason: string;
}

const RESOURCE_EXHAUSTED = 8;
/** The statuses that blame the request: invalid, denied, failed precondition, unimplemented, … */
const PERMANENT = new Map<number, string>([
  [3, 'INVALID_ARGUMENT'],
  [5, 'NOT_FOUND'],
  [7, 'PERMISSION_DENIED'],
  [9, 'FAILED_PRECONDITION'],
  [11, 'OUT_OF_RANGE'],
  [12, 'UNIMPLEMENTED'],
  [16, 'UNAUTHENTICATED'],
]);

/** Sorts what a call of the facade threw. What is unknown counts as `unavailable`: try again. */
export function describeFailure(error: unknown): ClientFailure {
  const { code, details } = grpcStatus(error);
  if (code === RESOURCE_EXHAUSTED)
    return { kind: 'throttled', reason: `Temporal is busy: ${details}` };
  const name = code === undefined ? undefined : PERMANENT.get(code);
  if (name !== undefined)
    return { kind: 'permanent', reason: `Temporal refused: ${name} ${details}` };
  if (code !== undefined)
    return { kind: 'unavailable', reason: `Temporal did not answer: ${details}` };
  // Encoding faults are thrown before anything is sent, by the converter, and come back each time.
  if (error instanceof TypeError || error instanceof RangeError) {
    return { kind: 'permanent', reason: `cannot be sent: ${error.message}` };
  }
  return {
    kind: 'unavailable',
    reason: error instanceof Error ? error.message : 'unknown failure',
  };
}

/** The gRPC status behind an error of the SDK, where there is one. */
export function grpcStatus(error: unknown): { code: number | undefined; details: string } {
  const cause: unknown = error instanceof ServiceError ? error.cause : error;
  if (typeof cause !== 'object' || cause === null) return { code: undefined, details: '' };
  const code = 'code' in cause && typeof cause.code === 'number' ? cause.code : undefined;
  const details = 'details' in cause && typeof cause.details === 'string' ? cause.details : '';
  return { code, details: details.slice(0, 300) };
}
