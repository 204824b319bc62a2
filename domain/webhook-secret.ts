/**
 * Secrets of Standard Webhooks are `whsec_` and base64; any other text is a secret as it stands.
 * The prefix alone, or with what is no base64, would sign with a key that anybody can guess.
 */
const BASE64 = /^[A-Za-z0-9+/]{22,}={0,2}$/;

/** What is wrong with it, without any of it; undefined where nothing is. */
export function webhookSecretFault(secret: string): string | undefined {
  if (!secret.startsWith('whsec_') || BASE64.test(secret.slice('whsec_'.length))) return undefined;
  return 'begins with whsec_ and does not go on with base64 of at least 16 bytes';
}
