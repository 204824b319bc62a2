/**
 * Temporal's own download of its CLI, the one the SDKs use: one archive for this platform.
 * Without a network it fails in milliseconds; a network that hangs costs 20 s of silence at most.
 */
import { execFile } from 'node:child_process';
import { createWriteStream, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Procurement } from './temporal-procurement.js';

const SILENCE_MS = 20_000;
const TELL_EVERY_BYTES = 20_000_000;
const ARCHES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Puts the CLI at `target`; answers why not, or undefined. Throws only when it is aborted. */
export async function downloadTemporal(order: Procurement): Promise<string | undefined> {
  const arch = ARCHES[process.arch];
  if (arch === undefined || !['linux', 'darwin'].includes(process.platform)) {
    return `there is none for ${process.platform} ${process.arch}`;
  }
  const query = new URLSearchParams({ platform: process.platform, arch });
  const url = `${order.downloadUrl}/cli/archive/${order.version}?${query.toString()}`;
  const folder = mkdtempSync(join(order.cacheDir, 'download-'));
  const archive = join(folder, 'archive.tar.gz');
  try {
    order.say(`Downloading the Temporal CLI ${order.version} from ${new URL(url).host}`);
    await save(url, archive, order);
    await untar(archive, folder, order.signal);
    const fault = await order.check(join(folder, 'temporal'));
    if (fault !== undefined) return `what came ${fault}`;
    renameSync(join(folder, 'temporal'), order.target);
    return undefined;
  } catch (error) {
    order.signal?.throwIfAborted();
    return describe(error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function save(url: string, file: string, order: Procurement): Promise<void> {
  const silence = new AbortController();
  const onSilence = () => {
    silence.abort(new Error(`nothing came for ${String(SILENCE_MS / 1000)} s`));
  };
  const timer = setTimeout(onSilence, SILENCE_MS);
  const stop = AbortSignal.any([silence.signal, ...(order.signal ? [order.signal] : [])]);
  try {
    const answer = await fetch(url, { signal: stop });
    if (!answer.ok || answer.body === null) throw new Error(`HTTP ${String(answer.status)}`);
    let [bytes, toldAt] = [0, 0];
    const body = Readable.fromWeb(answer.body);
    body.on('data', (chunk: Buffer) => {
      timer.refresh();
      bytes += chunk.length;
      if (bytes - toldAt < TELL_EVERY_BYTES) return;
      toldAt = bytes;
      order.say(`Downloading the Temporal CLI: ${String(Math.round(bytes / 1e6))} MB so far`);
    });
    await pipeline(body, createWriteStream(file), { signal: stop });
  } catch (error) {
    if (silence.signal.aborted) throw silence.signal.reason;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function untar(archive: string, folder: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('tar', ['-xzf', archive, '-C', folder], { signal }, (error) => {
      if (error === null) resolve();
      else reject(new Error('the archive could not be unpacked with tar', { cause: error }));
    });
  });
}

/** `fetch` hides the reason (no such host, refused) one level down. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause as { code?: unknown } | undefined;
  return typeof cause?.code === 'string' ? cause.code : error.message;
}
