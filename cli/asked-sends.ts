/** What the gateway sends because somebody asks for it right now: a test, or a contact's code. */
import { randomInt, randomUUID } from 'node:crypto';
import type { Channels } from '../channels/index.js';
import type { SendCode } from '../gateway/send-code.js';
import type { TestSend } from '../gateway/test-send.js';
import type { Ledger } from '../ledger/ledger.js';
import { createSendCode } from './send-code.js';
import { createTestSend } from './test-send.js';

export interface AskedSendsOptions {
  readonly ledger: Ledger;
  readonly channels: Channels;
  /** The address of an alert's page, and of this service. */
  readonly alertUrl: (alertId: string) => string;
  readonly homeUrl: () => string;
  /** Of one request, ms. */
  readonly timeoutMs: number;
}

export function createAskedSends(options: AskedSendsOptions): {
  readonly testSend: TestSend;
  readonly sendCode: SendCode;
} {
  const shared = { ...options, now: Date.now, newId: randomUUID };
  const newCode = (): string => String(randomInt(1_000_000)).padStart(6, '0');
  return { testSend: createTestSend(shared), sendCode: createSendCode({ ...shared, newCode }) };
}
