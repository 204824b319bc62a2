/**
 * Starts a process that never outlives this one, however this one dies.
 * G1. Between us and the child sits `sh`, which holds the reading end of a pipe whose writing end
 *     only we hold: the kernel closes it even on SIGKILL, and the shell then ends the child.
 * G2. `pid` is the child's own, not the shell's.
 * G3. The child has a session of its own: Ctrl-C reaches us alone, and we stop it in order.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';

/** Fields: fd 0 the life line, fd 3 where the child's pid is told, fd 4 the child's IPC channel. */
const GUARD = `
signal=$1 ticks=$2; shift 2
exec 5<&0
"$@" </dev/null 3>&- 5<&- &
child=$!
exec 4>&-
(
  exec 3>&-
  read -r _ <&5
  kill -s "$signal" "$child"
  while [ "$ticks" -gt 0 ] && kill -0 "$child"; do sleep 0.1; ticks=$((ticks - 1)); done
  kill -s KILL 0
) >/dev/null 2>&1 &
watch=$!
echo "$child" >&3
exec 3>&- 5<&-
wait "$child"
code=$?
kill -s KILL "$watch"
wait "$watch" 2>/dev/null
exit "$code"
`;

/** How long the shell waits before SIGKILL when we are gone. A clean end takes about 1 s. */
const ORPHAN_GRACE_MS = 3_000;

export interface ChildExit {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

export interface GuardedChild {
  readonly pid: number;
  /** Settles once, whatever the cause; never rejects. */
  readonly exited: Promise<ChildExit>;
  /** Asks the child to end, kills it after `graceMs`; resolves when it is gone. */
  stop(graceMs?: number): Promise<void>;
}

export interface GuardedCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Both outputs of the child are appended here. */
  readonly logFile: string;
  /** Called with every message of a child that is a Node process; gives it an IPC channel. */
  readonly onMessage?: (message: unknown) => void;
  /** What asks the child to end; default SIGTERM. */
  readonly stopSignal?: 'SIGTERM' | 'SIGINT' | 'SIGKILL';
  readonly user?: { readonly uid: number; readonly gid: number };
}

/**
 * Starts the command under a guard. A command that does not exist ends with code 127 and its
 * reason in the log. Throws when there is no `/bin/sh` (Windows: use WSL, or give addresses).
 */
export async function spawnGuarded(order: GuardedCommand): Promise<GuardedChild> {
  const stopSignal = order.stopSignal ?? 'SIGTERM';
  const log = openSync(order.logFile, 'a', 0o600);
  const ticks = String(ORPHAN_GRACE_MS / 100);
  const guard = spawn(
    '/bin/sh',
    ['-c', GUARD, 'kavach-guard', stopSignal.slice(3), ticks, order.command, ...order.args],
    {
      detached: true,
      env: order.env,
      stdio: ['pipe', log, log, 'pipe', order.onMessage === undefined ? 'ignore' : 'ipc'],
      ...(order.cwd === undefined ? {} : { cwd: order.cwd }),
      ...order.user,
    },
  );
  closeSync(log);
  guard.stdin?.on('error', () => undefined);
  if (order.onMessage !== undefined) guard.on('message', order.onMessage);
  let ended = false;
  const exited = new Promise<ChildExit>((resolve) => {
    guard.once('error', () => {
      ended = true;
      resolve({ code: 127, signal: undefined });
    });
    guard.once('exit', (code, signal) => {
      ended = true;
      // Somebody may have killed the shell alone: closing the life line makes its other half act.
      guard.stdin?.destroy();
      resolve({ code: code ?? undefined, signal: signal ?? undefined });
    });
  });
  const pid = await readPid(guard.stdio[3] as Readable);
  if (pid === undefined || guard.pid === undefined) {
    await exited;
    throw new Error(
      `Cannot start ${order.command}: /bin/sh could not be run; see ${order.logFile}`,
    );
  }
  const group = -guard.pid;
  return {
    pid,
    exited,
    stop: async (graceMs = 10_000) => {
      if (ended) return;
      send(pid, stopSignal);
      const timer = setTimeout(() => {
        send(pid, 'SIGKILL');
      }, graceMs);
      // The shell ends only when it has seen the child end, so this means gone, not dying.
      await exited;
      clearTimeout(timer);
      // What the child itself had started, and did not take along.
      send(group, 'SIGKILL');
    },
  };
}

async function readPid(stream: Readable): Promise<number | undefined> {
  let text = '';
  try {
    for await (const chunk of stream) text += String(chunk);
  } catch {
    return undefined;
  }
  const pid = Number.parseInt(text, 10);
  return Number.isSafeInteger(pid) ? pid : undefined;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in between, which is what was wanted.
  }
}

/** The part of an environment that any child may see: no credential of ours is in it. */
export function bareEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const bare: NodeJS.ProcessEnv = {};
  for (const name of ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ']) {
    if (env[name] !== undefined) bare[name] = env[name];
  }
  return bare;
}
