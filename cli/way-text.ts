/** Where to send, as people type it. A reference is what `kavach destinations` shows. */

/** Of a destination, as the ledger makes them; PagerDuty's own keys look the same. */
export function isReference(channel: string, where: string): boolean {
  return channel !== 'pagerduty' && /^[0-9a-f]{32}$/.test(where);
}

/** `slack=https://…`, or `slack=<reference>`. */
export function wayOf(text: string): object {
  const at = text.indexOf('=');
  const [channel, where] = at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
  return { channel, ...(isReference(channel, where) ? { destination: where } : { target: where }) };
}
