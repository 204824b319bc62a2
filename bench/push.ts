/**
 * push.*: many people with ten devices each at one gateway. What a socket costs the gateway; how
 * long an alert takes from its offer to each device, while others' come, too; and what a device
 * that stops reading costs the others of its person, until it is dropped.
 */
import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { keepSealKeys } from '../cli/key-files.js';
import type { Ledger } from '../ledger/ledger.js';
import { openLedger } from '../ledger/open.js';
import { parseSealKeys } from '../ledger/seal.js';
import { figure, quantile, type Report } from './figure.js';
import { openDevice, startPushGateway, type Device, type PushGateway } from './push-gateway.js';
import type { Stack } from './stack.js';

export interface PushSize {
  readonly sockets: number;
  /** To a person in each arm of the stuck device. */
  readonly stuckOffers: number;
}

const DEVICES = 10;
const IN_FLIGHT = 20;
const WARM_UP = 50;
const STEPS = 5;
/** What alert workflows could ask for at most on a machine that does 170 tasks a second. */
const OFFERS_PER_SECOND = 50;
/** Of an alert to the person whose device is stuck: what the kernel holds is soon full. */
const BIG_BYTES = 120 * 1024;
const ORG = 'default';

export async function benchPush(stack: Stack, size: PushSize): Promise<Report> {
  const sealKeys = keepSealKeys(stack.dataDir).value;
  const { databaseUrl } = stack;
  const seal = parseSealKeys(sealKeys);
  const ledger = await openLedger({ databaseUrl, seal, embedded: true });
  const logFile = join(stack.dataDir, 'push.log');
  const gateway = await startPushGateway({ databaseUrl, sealKeys }, logFile);
  const devices: Device[] = [];
  try {
    return await measure({ ledger, gateway, devices, size });
  } finally {
    for (const { socket } of devices) socket.terminate();
    await gateway.stop();
    await ledger.close();
  }
}

interface Bed {
  readonly ledger: Ledger;
  readonly gateway: PushGateway;
  readonly devices: Device[];
  readonly size: PushSize;
}

async function measure(bed: Bed): Promise<Report> {
  const { devices, size } = bed;
  await openMore(bed, WARM_UP);
  const before = await bed.gateway.memory();
  const samples: number[] = [];
  let last = before;
  for (let step = 1; step <= STEPS; step += 1) {
    const held = devices.length;
    await openMore(bed, WARM_UP + Math.floor((size.sockets * step) / STEPS));
    await delay(500);
    const now = await bed.gateway.memory();
    samples.push((now - last) / (devices.length - held));
    last = now;
  }
  const perSocket = (last - before) / (devices.length - WARM_UP);
  const fanOut = await offerToAll(bed);
  const stuck = await offerBesideStuck(bed);
  const p99 = quantile(fanOut.latencies, 0.99);
  return {
    figures: [
      { ...figure('push.bytesPerSocket', 'bytes', samples, { atMost: 60_000 }), median: perSocket },
      figure('push.fanOut.ms', 'ms', fanOut.latencies),
      figure('push.fanOut.p99', 'ms', [p99], { atMost: 500 }),
      figure('push.stuck.p99Ratio', 'x', [stuck.ratio], { atMost: 1.5 }),
    ],
    checks: [
      {
        what: 'push: sockets that are open',
        expected: devices.length - 1,
        actual: openOf(devices),
      },
      { what: 'push: alerts at devices', expected: devices.length, actual: fanOut.arrived },
      { what: 'push: alerts that came twice', expected: 0, actual: doublesOf(devices) },
      { what: 'push: the stuck device was dropped', expected: 'yes', actual: stuck.dropped },
      {
        what: 'push: alerts at the devices beside it',
        expected: 2 * size.stuckOffers * (DEVICES - 1),
        actual: stuck.arrived,
      },
    ],
    notes: [
      `push: ${String(devices.length)} sockets of ${String(devices.length / DEVICES)} people at one gateway on the embedded ledger; ` +
        `${String(OFFERS_PER_SECOND)} alerts a second, offered by another process, from the offer to each device.`,
    ],
  };
}

const personOf = (device: number): string => `person-${String(Math.floor(device / DEVICES))}`;

async function openMore({ ledger, gateway, devices }: Bed, upTo: number): Promise<void> {
  let next = devices.length;
  const work = async (): Promise<void> => {
    while (next < upTo) {
      const device = next;
      next += 1;
      const ticket = randomUUID();
      const hash = createHash('sha256').update(ticket).digest('hex');
      const expiresAt = Date.now() + 60_000;
      await ledger.putPushTicket({ hash, org: ORG, recipient: personOf(device), expiresAt });
      devices[device] = await openDevice(gateway.url, ticket);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
}

/** Answers when it was begun, and with which id. */
async function offer(ledger: Ledger, person: string, text: string): Promise<[string, number]> {
  const id = randomUUID();
  const begun = performance.now();
  const ref = {
    ...{ org: ORG, alertId: `bench/${id}`, deliveryId: `bench/${id}/0` },
    ...({ purpose: 'fire', channel: 'push', recipient: person } as const),
  };
  const body = JSON.stringify({ type: 'notification', id, title: 'bench', body: text });
  await ledger.offerPush({ ref, recipient: person, id, body }, Date.now());
  return [id, begun];
}

/** One alert to each person, by the clock. */
async function offerToAll({ ledger, devices }: Bed) {
  const people = devices.length / DEVICES;
  const offers: Promise<[string, number]>[] = [];
  const began = performance.now();
  for (let person = 0; person < people; person += 1) {
    const dueAt = began + (person * 1_000) / OFFERS_PER_SECOND;
    await delay(Math.max(dueAt - performance.now(), 0));
    offers.push(offer(ledger, `person-${String(person)}`, 'x'.repeat(200)));
  }
  const made = await Promise.all(offers);
  const arrivals = (): number[] =>
    devices.flatMap(({ arrivals }, device) => {
      const [id = '', begun = 0] = made[Math.floor(device / DEVICES)] ?? [];
      return (arrivals.get(id) ?? []).map((at) => at - begun);
    });
  // Looking costs this process, which is also all of the devices: seldom.
  for (let looks = 0; looks < 40 && arrivals().length < devices.length; looks += 1) {
    await delay(500);
  }
  const latencies = arrivals();
  return { latencies, arrived: latencies.length };
}

/** Two people in turn, one of whose ten devices does not read, or is as the others. */
async function offerBesideStuck({ ledger, devices, size }: Bed) {
  const arms = { good: devices.slice(0, DEVICES), stuck: devices.slice(DEVICES, 2 * DEVICES) };
  const [silent] = arms.stuck;
  silent?.socket.pause();
  const latencies = { good: [] as number[], stuck: [] as number[] };
  for (let round = 0; round < size.stuckOffers; round += 1) {
    for (const arm of ['good', 'stuck'] as const) {
      const person = personOf(arm === 'good' ? 0 : DEVICES);
      const [id, begun] = await offer(ledger, person, 'x'.repeat(BIG_BYTES));
      const others = arms[arm].slice(1);
      await untilThere(() => others.every(({ arrivals }) => arrivals.has(id)));
      for (const { arrivals } of others) {
        for (const at of arrivals.get(id) ?? []) latencies[arm].push(at - begun);
      }
    }
  }
  // What the kernel still holds for it is read, and then its end.
  silent?.socket.resume();
  await untilThere(() => silent?.socket.readyState === silent?.socket.CLOSED);
  return {
    ratio: quantile(latencies.stuck, 0.99) / quantile(latencies.good, 0.99),
    arrived: latencies.good.length + latencies.stuck.length,
    dropped: silent?.socket.readyState === silent?.socket.CLOSED ? 'yes' : 'no',
  };
}

/** Goes on after 20 s all the same: what is missing is in the account. */
async function untilThere(isThere: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!isThere() && performance.now() < deadline) await delay(10);
}

function openOf(devices: readonly Device[]): number {
  return devices.filter(({ socket }) => socket.readyState === socket.OPEN).length;
}

function doublesOf(devices: readonly Device[]): number {
  const times = devices.flatMap(({ arrivals }) => [...arrivals.values()]);
  return times.filter(({ length }) => length > 1).length;
}
