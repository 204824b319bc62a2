/** From the configuration to the providers whose callbacks the gateway takes. */
import { explainUndelivered } from '../channels/sms-errors.js';
import { createCallbackReaders, type CallbackReader } from '../gateway/callbacks/index.js';
import type { Config } from '../worker/config.js';

/** Twilio's are signed with the address that it was told, so without one it has none. */
export function callbackReadersOf({ callbacks, channels }: Config): readonly CallbackReader[] {
  const { authToken, statusCallback: url } = channels.sms ?? {};
  return createCallbackReaders({
    ...callbacks,
    ...(authToken === undefined || url === undefined
      ? {}
      : { twilio: { authToken, url, explain: explainUndelivered } }),
  });
}
