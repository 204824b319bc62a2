/** The providers whose callbacks are taken: those that have a secret to be believed by. */
import { createPagerdutyReader } from './pagerduty.js';
import type { CallbackReader } from './provider.js';
import { createResendReader } from './resend.js';
import { createTwilioReader, type TwilioCallbacks } from './twilio.js';

export type { CallbackReader };

export interface CallbackOptions {
  /** Several while one is being replaced. */
  readonly resendSecrets?: readonly string[];
  readonly pagerdutySecrets?: readonly string[];
  readonly twilio?: TwilioCallbacks;
}

export function createCallbackReaders(options: CallbackOptions): readonly CallbackReader[] {
  const { resendSecrets = [], pagerdutySecrets = [], twilio } = options;
  return [
    ...(resendSecrets.length === 0 ? [] : [createResendReader(resendSecrets)]),
    ...(pagerdutySecrets.length === 0 ? [] : [createPagerdutyReader(pagerdutySecrets)]),
    ...(twilio === undefined ? [] : [createTwilioReader(twilio)]),
  ];
}
