/** Names a latch (T2): one per dimension, threshold and channel of a period. */
import type { ChannelName, Dimension } from '../words.js';

export function latchKey(dimension: Dimension, bps: number, channel: ChannelName): string {
  return `${dimension}/${String(bps)}/${channel}`;
}
