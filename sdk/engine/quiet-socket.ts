/**
 * A stream that stays open would keep a Node process alive that has nothing else to do. Node says
 * on a diagnostics channel which socket a request goes over; elsewhere this does nothing.
 */

interface Channels {
  subscribe(name: string, told: (message: unknown) => void): void;
  unsubscribe(name: string, told: (message: unknown) => void): void;
}

const SENT = 'undici:client:sendHeaders';

/** Until the answer is called, the socket of a request for `path` is told to keep nothing alive. */
export function quietSocket(path: string): () => void {
  const channels = nodeChannels();
  if (channels === undefined) return () => undefined;
  const told = (message: unknown): void => {
    const { request, socket } = message as {
      readonly request?: { readonly path?: unknown };
      readonly socket?: { unref?(): void };
    };
    if (request?.path === path) socket?.unref?.();
  };
  channels.subscribe(SENT, told);
  return () => {
    channels.unsubscribe(SENT, told);
  };
}

/** Without an import, so that bundlers for browsers find none. */
function nodeChannels(): Channels | undefined {
  const { process } = globalThis as unknown as {
    readonly process?: { getBuiltinModule?(name: string): unknown };
  };
  return process?.getBuiltinModule?.('node:diagnostics_channel') as Channels | undefined;
}
