/** What gateway and client say to each other over a socket: one JSON object a frame. */

export type ClientFrame =
  | { readonly type: 'ack'; readonly id: string }
  /** A later version's: left alone. */
  | { readonly type: 'other' }
  | { readonly type: 'unreadable' };

const ID_LIMIT = 200;

export function readFrame(text: string): ClientFrame {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return { type: 'unreadable' };
  }
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) {
    return { type: 'unreadable' };
  }
  const { type, id } = frame as { type?: unknown; id?: unknown };
  if (type !== 'ack') return typeof type === 'string' ? { type: 'other' } : { type: 'unreadable' };
  const isId = typeof id === 'string' && id !== '' && id.length <= ID_LIMIT && !id.includes('\0');
  return isId ? { type: 'ack', id: id.toWellFormed() } : { type: 'unreadable' };
}

/** The first one: how many follow that were missed, and how many of those were left out. */
export function helloFrame(sent: number, waiting: number): string {
  return JSON.stringify({ type: 'hello', missed: sent, left_out: Math.max(0, waiting - sent) });
}

/** Somebody has taken it, on this device or another. */
export function acknowledgedFrame(id: string): string {
  return JSON.stringify({ type: 'acknowledged', id });
}

/** Browsers do not show pings to scripts: this one says that the connection stands. */
export const ALIVE = JSON.stringify({ type: 'alive' });
