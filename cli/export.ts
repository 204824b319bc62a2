/** `kavach export`: an organisation's records, to a file or to standard output. */
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { CliError } from './errors.js';
import type { Gateway } from './http.js';
import type { Output, OutputStream } from './output.js';

export interface ExportFlags {
  readonly format: string;
  readonly agent?: string;
  readonly from?: string;
  readonly to?: string;
  readonly out?: string;
}

/** A file appears when it is whole, readable by its owner only. */
export async function exportRecords(
  gateway: Gateway,
  output: Output,
  stdout: OutputStream,
  { what, flags }: { readonly what: string; readonly flags: ExportFlags },
): Promise<void> {
  const { out, format, agent, from, to } = flags;
  if (output.isJson && out === undefined) {
    throw new CliError('--json answers what was written: name a file with --out');
  }
  const asked = new URLSearchParams({ format });
  if (agent !== undefined) asked.set('agent', agent);
  if (from !== undefined) asked.set('from', from);
  if (to !== undefined) asked.set('to', to);
  const path = `/v1/export/${encodeURIComponent(what)}?${asked.toString()}`;
  const body = await gateway.stream(path);
  if (out === undefined) {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    for await (const chunk of body) stdout.write(decoder.decode(chunk, { stream: true }));
    return;
  }
  const bytes = await writeFileWhole(out, body);
  output.json({ what, format, file: out, bytes });
  output.line(`${what} are in ${out} (${String(bytes)} bytes)`);
}

async function writeFileWhole(out: string, body: AsyncIterable<Uint8Array>): Promise<number> {
  const draft = `${out}.part-${String(process.pid)}`;
  const file = openDraft(draft);
  let bytes = 0;
  try {
    for await (const chunk of body) {
      for (let done = 0; done < chunk.length;) done += writeSync(file, chunk, done);
      bytes += chunk.length;
    }
    closeSync(file);
    renameSync(draft, out);
    return bytes;
  } catch (error) {
    rmSync(draft, { force: true });
    if (error instanceof CliError) throw error;
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new CliError(`${out} cannot be written (${code}): nothing is left of it`);
  }
}

function openDraft(draft: string): number {
  try {
    return openSync(draft, 'wx', 0o600);
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new CliError(`${draft} cannot be made (${code}): name another place with --out`);
  }
}
