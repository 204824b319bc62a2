/**
 * In-house targets that an operator allows beside the public internet, as
 * `127.0.0.1:*,10.0.0.0/8,*.corp.example:8080,hooks.internal`: an address, a network or a name
 * (`*.` stands for every name below), each with a port, with `*` for any, or with the usual ones.
 */
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import ipaddr from 'ipaddr.js';

type AllowedPort = number | 'any' | 'usual';

export type AllowRule =
  | { readonly kind: 'name'; readonly name: string; readonly port: AllowedPort }
  | {
      readonly kind: 'network';
      readonly address: string;
      readonly bits: number;
      readonly port: AllowedPort;
    };

export type AllowList = readonly AllowRule[];

/** Of an entry that names no port: http's, https' and the other port of https. */
const USUAL_PORTS: readonly number[] = [80, 443, 8443];

const ENTRY = /^(?:\[(?<v6>[^\]]+)\]|(?<plain>[^:[\]]+))(?::(?<port>\*|\d{1,5}))?$/;
/** The last label must not be a number: `127.1` and `10.0.0` are addresses written short. */
const NAME =
  /^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*(?!\d+$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;

/** Every entry that can be read, and one sentence for each that cannot. */
export function readAllowList(text: string): {
  readonly rules: AllowList;
  readonly faults: readonly string[];
} {
  const rules: AllowRule[] = [];
  const faults: string[] = [];
  for (const entry of text.split(',').map((each) => each.trim())) {
    if (entry === '') continue;
    const rule = readEntry(entry);
    if (typeof rule !== 'string') rules.push(rule);
    else faults.push(`${JSON.stringify(entry.slice(0, 80))} ${rule}`);
  }
  return { rules, faults };
}

const WHAT_IT_IS =
  'is no address, no network such as 10.0.0.0/8 and no name such as hooks.internal or *.corp.example';

function readEntry(entry: string): AllowRule | string {
  // An IPv6 address without brackets has no port: its colons are its own.
  const isBareV6 = (entry.match(/:/g) ?? []).length > 1 && !entry.startsWith('[');
  const parts = isBareV6 ? { v6: entry } : ENTRY.exec(entry)?.groups;
  if (parts === undefined) return `${WHAT_IT_IS}, with a port of 1 to 65535 or * after a colon`;
  const port = readPort(parts['port']);
  if (port === undefined) return 'has a port that is neither 1 to 65535 nor *';
  const target = parts['v6'] ?? parts['plain'] ?? '';
  const [address = '', bits] = target.split('/');
  // A zone is a matter of one machine's interfaces.
  if (isIP(address) === 0 || address.includes('%')) {
    return parts['v6'] === undefined && bits === undefined ? readName(target, port) : WHAT_IT_IS;
  }
  if (parts['v6'] !== undefined && isIP(address) !== 6) return WHAT_IT_IS;
  const most = isIP(address) === 6 ? 128 : 32;
  if (bits === undefined) return { kind: 'network', address, bits: most, port };
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > most || target.split('/').length > 2) {
    return `has a prefix that is not 0 to ${String(most)}`;
  }
  return { kind: 'network', address, bits: Number(bits), port };
}

function readPort(text: string | undefined): AllowedPort | undefined {
  if (text === undefined) return 'usual';
  if (text === '*') return 'any';
  const port = Number(text);
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function readName(text: string, port: AllowedPort): AllowRule | string {
  const stem = text.startsWith('*.') ? text.slice(2) : text;
  const name = domainToASCII(stem.replace(/\.$/, ''));
  if (!NAME.test(name)) return WHAT_IT_IS;
  return { kind: 'name', name: stem === text ? name : `*.${name}`, port };
}

/** `name` as `URL.hostname` writes it. */
export function allowsName(list: AllowList, name: string, port: number): boolean {
  const wanted = name.replace(/\.$/, '');
  return list.some(
    (rule) =>
      rule.kind === 'name' &&
      admits(rule.port, port) &&
      (rule.name.startsWith('*.') ? wanted.endsWith(rule.name.slice(1)) : wanted === rule.name),
  );
}

export function allowsAddress(list: AllowList, address: string, port: number): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  return list.some((rule) => {
    if (rule.kind !== 'network' || !admits(rule.port, port)) return false;
    const network = ipaddr.parse(rule.address);
    return network.kind() === parsed.kind() && parsed.match(network, rule.bits);
  });
}

/** Can a name that has yet to be resolved turn out to be in a network of the list? */
export function mayAllow(list: AllowList, port: number): boolean {
  return list.some((rule) => rule.kind === 'network' && admits(rule.port, port));
}

function admits(allowed: AllowedPort, port: number): boolean {
  if (allowed === 'any') return true;
  return allowed === 'usual' ? USUAL_PORTS.includes(port) : allowed === port;
}
