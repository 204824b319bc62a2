import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePorts } from '../../cli/embedded/ports.js';
import { cacheFolder, findTemporal } from '../../cli/embedded/temporal-binary.js';
import { processesOf } from '../support/processes.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Answers `--version` as the real CLI does. */
const CLI = '#!/bin/sh\necho "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)"\n';
const OLD_CLI = CLI.replace('1.29.1', '1.20.0');
/** What scripts need beside our own folder. */
const SYSTEM_PATH = '/usr/bin:/bin';

function script(file: string, content: string): string {
  writeFileSync(file, content);
  chmodSync(file, 0o755);
  return file;
}

/** A machine of its own: a folder on PATH, a cache, and what was said. */
async function machine() {
  const folder = temporaryFolder();
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const said: string[] = [];
  const [port = 0] = await freePorts(1);
  const search = {
    env: { PATH: bin, HOME: folder, TMPDIR: folder } as NodeJS.ProcessEnv,
    // A port that is free: nothing listens there.
    downloadUrl: `http://127.0.0.1:${String(port)}`,
    onProgress: (line: string) => said.push(line),
  };
  return { folder, bin, said, search, cache: join(folder, '.cache/kavach/temporal-cli-v1.5.1') };
}

/** A download service that serves one archive holding `content` as `temporal`. */
async function downloadService(content: string): Promise<{ url: string; requests: string[] }> {
  const folder = temporaryFolder();
  script(join(folder, 'temporal'), content);
  const archive = execFileSync('tar', ['-czf', '-', '-C', folder, 'temporal']);
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    response.end(archive);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${String(port)}`, requests };
}

describe('finding a Temporal CLI', () => {
  test('with none to be had, one error names all four ways and why each failed', async () => {
    const { search } = await machine();
    const error: unknown = await findTemporal(search).catch((reason: unknown) => reason);
    expect(String(error)).toContain('1. TEMPORAL_CLI_PATH');
    expect(String(error)).toMatch(/2\. PATH: .*\(not found\)/);
    expect(String(error)).toMatch(/3\. download: .*\(ECONNREFUSED\)/);
    expect(String(error)).toMatch(/4\. go install: .*\(the program "go" is not on PATH\)/);
    expect(String(error)).toContain('TEMPORAL_ADDRESS');
  });

  test('TEMPORAL_CLI_PATH goes before PATH', async () => {
    const { bin, folder, search } = await machine();
    script(join(bin, 'temporal'), CLI);
    const own = script(join(folder, 'mine'), CLI);
    const env = { ...search.env, TEMPORAL_CLI_PATH: own };
    expect(await findTemporal({ ...search, env })).toEqual({ path: own, how: 'TEMPORAL_CLI_PATH' });
    const path = join(bin, 'temporal');
    expect(await findTemporal(search)).toEqual({ path, how: 'PATH' });
  });

  test.each([
    ['is not there', undefined, 'is not an executable file'],
    ['fails', '#!/bin/sh\nexit 3\n', 'fails when asked for its --version'],
    ['is something else', '#!/bin/sh\necho 1.0\n', 'is not the Temporal CLI'],
    ['is too old', OLD_CLI, 'is too old (server 1.20, needed 1.29)'],
  ])('a TEMPORAL_CLI_PATH that %s is refused, not passed over', async (_, content, fault) => {
    const { bin, folder, search } = await machine();
    script(join(bin, 'temporal'), CLI);
    const own = join(folder, 'mine');
    if (content !== undefined) script(own, content);
    const env = { ...search.env, TEMPORAL_CLI_PATH: own };
    await expect(findTemporal({ ...search, env })).rejects.toThrow(`${own}, which ${fault}`);
  });

  test('one on PATH that is too old is passed over aloud', async () => {
    const { bin, said, search } = await machine();
    script(join(bin, 'temporal'), OLD_CLI);
    await expect(findTemporal(search)).rejects.toThrow('is too old');
    expect(said[0]).toMatch(/^Passing over .*is too old/);
  });

  test('a download is kept, and two starts at once share one', async () => {
    const { cache, search } = await machine();
    const service = await downloadService(CLI);
    const env = { ...search.env, PATH: `${search.env['PATH'] ?? ''}:${SYSTEM_PATH}` };
    const order = { ...search, env, downloadUrl: service.url };
    const path = join(cache, 'temporal');
    const both = await Promise.all([findTemporal(order), findTemporal(order)]);
    expect(both).toContainEqual({ path, how: 'download' });
    expect(both).toContainEqual({ path, how: 'cache' });
    expect(service.requests).toEqual([
      expect.stringMatching(/^\/cli\/archive\/v1\.5\.1\?platform=/),
    ]);
    expect(readdirSync(cache)).toEqual(['temporal']);
  });

  test('a download that is no CLI is never used', async () => {
    const { cache, search } = await machine();
    const service = await downloadService('<html>captive portal</html>');
    await expect(findTemporal({ ...search, downloadUrl: service.url })).rejects.toThrow(
      'what came',
    );
    expect(readdirSync(cache)).toEqual([]);
  });

  test('go install builds into the cache and says how long it takes', async () => {
    const { bin, cache, said, search } = await machine();
    const made = script(join(bin, 'made'), CLI);
    script(join(bin, 'go'), `#!/bin/sh\necho "$@" >&2\n/bin/cp ${made} "$GOBIN/temporal"\n`);
    const path = join(cache, 'temporal');
    expect(await findTemporal(search)).toEqual({ path, how: 'go install' });
    expect(said).toContainEqual(expect.stringMatching(/go install.* 0 s so far/));
    const log = readFileSync(join(cache, 'go-install.log'), 'utf8');
    expect(log).toContain('install github.com/temporalio/cli/cmd/temporal@v1.5.1');
  });

  test('a build that breaks off leaves nothing to be used, and the error quotes it', async () => {
    const { bin, cache, search } = await machine();
    script(join(bin, 'go'), '#!/bin/sh\necho half > "$GOBIN/temporal"\necho no disk >&2\nexit 1\n');
    await expect(findTemporal(search)).rejects.toThrow('no disk');
    expect(existsSync(join(cache, 'temporal'))).toBe(false);
    expect(readdirSync(cache)).toEqual(['go-install.log']);
  });

  test('an abort ends a build with everything it started', async () => {
    const { bin, folder, said, search } = await machine();
    script(
      join(bin, 'go'),
      `#!/bin/sh\ntail -f ${folder}/bin/go &\necho ready > ${folder}/ready\nwait\n`,
    );
    const abort = new AbortController();
    const env = { ...search.env, PATH: `${bin}:${SYSTEM_PATH}` };
    const found = findTemporal({ ...search, env, signal: abort.signal });
    const refused = expect(found).rejects.toThrow('enough');
    await expect.poll(() => existsSync(join(folder, 'ready')), { timeout: 40_000 }).toBe(true);
    abort.abort(new Error('enough'));
    await refused;
    await expect.poll(() => processesOf(folder), { timeout: 40_000 }).toEqual([]);
    expect(said.at(-1)).toContain('go install');
  });

  test.each([
    [{ KAVACH_CACHE_DIR: '/a', XDG_CACHE_HOME: '/b', HOME: '/c' }, '/a'],
    [{ XDG_CACHE_HOME: '/b', HOME: '/c' }, '/b/kavach'],
    [{ HOME: '/c' }, '/c/.cache/kavach'],
  ])('the cache folder of %j is %s', (env, folder) => {
    expect(cacheFolder(env)).toBe(folder);
  });
});
