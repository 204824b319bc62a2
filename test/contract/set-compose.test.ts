/**
 * docker-compose.yml and the Dockerfile, read as Docker reads them, against cli/set/plan.ts: what
 * the script starts from binaries is what the containers are.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { DYNAMIC_CONFIG } from '../../cli/embedded/temporal-settings.js';
import { NEEDS } from '../../cli/processes/requirements.js';
import {
  COMMANDS,
  COUNTS,
  dynamicConfigYaml,
  exportLines,
  namespaceCommands,
  POSTGRES_VERSION,
  processEnvironment,
  schemaCommands,
  TEMPORAL_UI_VERSION,
  TEMPORAL_VERSION,
  temporalEnvironment,
  type Surroundings,
} from '../../cli/set/plan.js';
import { temporaryFolder } from '../support/temporary-folder.js';

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
  readonly deploy?: { readonly replicas: number };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly restart: string;
}

const read = (name: string): string =>
  readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
const SECRETS: Readonly<Record<string, string>> = {
  KAVACH_SEAL_KEYS: 'seal',
  KAVACH_LINK_KEY: 'link',
};
/** As compose does: `${A:-default}` and `${A:?why}`. */
const interpolated = read('docker-compose.yml').replace(
  /\$\{(\w+):(?:-([^}]*)|\?[^}]*)\}/g,
  (_, name: string, fallback: string | undefined) => SECRETS[name] ?? fallback ?? '',
);
const compose = parse(interpolated, { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: object;
  readonly configs: Readonly<Record<string, { readonly content: string }>>;
};
const service = (name: string): Service => compose.services[name]!;
const script = (name: string): string[] => service(name).command![0]!.trim().split('\n');

const around: Surroundings = {
  postgres: { host: 'postgres', port: 5432, user: 'kavach', password: 'kavach' },
  temporal: 'temporal:7233',
  sealKeys: 'seal',
  linkKey: 'link',
  publicUrl: 'http://127.0.0.1:8787',
  dataDir: '/data',
};

describe('docker-compose.yml', () => {
  test.each(['gateway', 'relay', 'worker'] as const)('%s: command, environment, number', (role) => {
    const { command, environment, deploy, depends_on, volumes, restart } = service(role);
    expect(command).toEqual(COMMANDS[role]);
    expect(environment).toEqual(processEnvironment(around, { host: '0.0.0.0', port: 8787 }));
    expect(deploy?.replicas).toBe(COUNTS[role]);
    expect(Object.keys(depends_on!)).toEqual(['postgres', 'temporal-namespace']);
    expect(volumes).toEqual(['kavach:/data']);
    expect(restart).toBe('unless-stopped');
    // What a start would refuse to do without is there.
    for (const { variable } of NEEDS) expect(environment).toHaveProperty(variable);
  });

  test('as many ports as gateways are published, on the loopback interface only', () => {
    const [from, to] = /^127\.0\.0\.1:(\d+)-(\d+):8787$/
      .exec(service('gateway').ports![0]!)!
      .slice(1);
    expect(Number(to) - Number(from) + 1).toBe(COUNTS.gateway);
    for (const { ports = [] } of Object.values(compose.services)) {
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    }
  });

  test('the Temporal server: environment, schemas, namespace', () => {
    const place = {
      bindOn: '0.0.0.0',
      dynamicConfigFile: '/etc/temporal/kavach-dynamic-config.yaml',
    };
    expect(service('temporal').environment).toEqual(temporalEnvironment(around, place));
    expect(script('temporal-schema')).toEqual(
      schemaCommands(around).map((command) => ['temporal-sql-tool', ...command].join(' ')),
    );
    expect(script('temporal-namespace').slice(0, 2)).toEqual(
      namespaceCommands().map((command) => ['temporal', ...command].join(' ')),
    );
  });

  test('the tuned dynamic configuration is the embedded server’s', () => {
    const { content } = compose.configs['temporal-dynamic-config']!;
    const values = Object.entries(parse(content) as Record<string, { value: unknown }[]>);
    expect(Object.fromEntries(values.map(([key, [only]]) => [key, only!.value]))).toEqual(
      DYNAMIC_CONFIG,
    );
    expect(content).toBe(dynamicConfigYaml());
  });

  test('official images by their versions, ours built here', () => {
    const images = Object.entries(compose.services).map(([name, { image }]) => [name, image]);
    expect(Object.fromEntries(images)).toEqual({
      postgres: `postgres:${POSTGRES_VERSION}`,
      'temporal-schema': `temporalio/admin-tools:${TEMPORAL_VERSION}`,
      temporal: `temporalio/server:${TEMPORAL_VERSION}`,
      'temporal-namespace': `temporalio/admin-tools:${TEMPORAL_VERSION}`,
      'temporal-ui': `temporalio/ui:${TEMPORAL_UI_VERSION}`,
      gateway: 'kavach',
      relay: 'kavach',
      worker: 'kavach',
    });
    for (const role of ['gateway', 'relay', 'worker']) expect(service(role).build).toBe('.');
  });

  test('whoever is waited for can be waited for', () => {
    for (const { depends_on = {} } of Object.values(compose.services)) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        if (condition === 'service_healthy') expect(service(name).healthcheck).toBeDefined();
        else {
          expect(condition).toBe('service_completed_successfully');
          expect(service(name).restart).toMatch(/^on-failure/);
        }
      }
    }
  });
});

describe('the Dockerfile', () => {
  const lines = read('Dockerfile').split('\n');
  const of = (word: string) =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));

  test('two stages on one pinned Node that the package takes; the last one is not root', () => {
    const images = of('FROM').map((line) => line.split(' ')[0]);
    expect(images).toHaveLength(2);
    expect(new Set(images).size).toBe(1);
    expect(images[0]).toMatch(/^node:20\.(?:19|[2-9]\d)\.\d+-[\w-]+$/);
    const last = lines.findLastIndex((line) => line.startsWith('FROM '));
    expect(lines.slice(last)).toContain('USER node');
    expect(of('COPY').filter((line) => line.includes(' node_modules'))).toHaveLength(0);
  });

  test('what it runs is what the build leaves behind', () => {
    const { bin } = JSON.parse(read('package.json')) as { bin: { kavach: string } };
    expect(JSON.parse(of('ENTRYPOINT')[0]!)).toEqual(['node', bin.kavach.replace('./', '')]);
    expect(JSON.parse(of('CMD').at(-1)!)).toEqual(['gateway']);
  });
});

test('what the commands need is lines of a shell that hold no secret', () => {
  const dataDir = join(temporaryFolder(), "it's here");
  mkdirSync(dataDir);
  writeFileSync(join(dataDir, 'api-key'), 'kv_secret\n');
  writeFileSync(join(dataDir, 'seal-keys'), 'k1:sealed\n');
  const at = { databaseUrl: 'postgres://kavach@127.0.0.1:1/kavach', url: 'http://127.0.0.1:2' };
  const lines = exportLines({ ...at, temporal: '127.0.0.1:3', dataDir });
  expect(lines.join()).not.toMatch(/kv_secret|sealed/);
  const names = lines.map((line) => line.replace(/^export (\w+)=.*$/, '$1'));
  const shown = `${lines.join('\n')}\nprintf '%s\\n' ${names.map((name) => `"$${name}"`).join(' ')}`;
  expect(execFileSync('sh', ['-c', shown], { encoding: 'utf8' }).trimEnd().split('\n')).toEqual([
    ...[at.databaseUrl, '127.0.0.1:3', dataDir, at.url, 'kv_secret', 'k1:sealed'],
  ]);
});
