/**
 * Where a customer's configuration may make us connect: to the public internet, and to what the
 * operator allows (allow-list.ts).
 *
 * N-1. https on port 443 or 8443 only; what is on the allow-list may be http, and on its ports.
 * N-2. Only public unicast addresses: as a literal, after the one resolution that the connection
 *      itself uses (so a name that changes its mind is harmless), and as the peer that answered.
 * N-3. One address that is not allowed among those of a name refuses the name.
 * N-4. What is refused is told in words without the address (C-4).
 */
import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { buildConnector } from 'undici';
import { allowsAddress, allowsName, mayAllow, type AllowList } from './allow-list.js';

export interface Guard {
  /**
   * Why nothing may be sent there; undefined where it may, as far as the URL tells. With
   * `pinnedTo` only these hosts will do, and what is on the allow-list.
   */
  refuse(url: URL, pinnedTo?: readonly string[]): string | undefined;
  /** Connects for one attempt. Fails with the code `REFUSED_ADDRESS` where N-1 to N-3 say no. */
  readonly connect: buildConnector.connector;
}

export interface GuardOptions {
  readonly allow?: AllowList;
  /** Resolves names; called once a connection. @default the system's */
  readonly lookup?: LookupFunction;
  /** N-1. @default [443, 8443] */
  readonly ports?: readonly number[];
}

export const REFUSED_ADDRESS = 'ERR_KAVACH_REFUSED_ADDRESS';

/** Of the connection; `post` turns it into an outcome. */
class RefusedAddress extends Error {
  override readonly name = 'RefusedAddress';
  readonly code = REFUSED_ADDRESS;
  constructor() {
    super(WORDS.notPublic);
  }
}

const ASK = 'an operator can allow in-house targets with KAVACH_ALLOW_TARGETS';
const WORDS = {
  notPublic: `the address is not on the public internet; ${ASK}`,
  notHttps: `the address is not https: set an https address; ${ASK}`,
  oddPort: `the address has a port other than 443 and 8443; ${ASK}`,
} as const;

const HTTPS_PORTS: readonly number[] = [443, 8_443];

/** `anywhere`: the operator named it. `listed`: only networks of the allow-list. */
type Reach = 'anywhere' | 'public' | 'listed';

export function createGuard(options: GuardOptions = {}): Guard {
  const { allow = [], ports = HTTPS_PORTS } = options;
  const lookup = options.lookup ?? systemLookup;

  const judge = (protocol: string, host: string, port: number): Reach | { reason: string } => {
    const isLiteral = isIP(host) !== 0;
    const isAllowed = isLiteral ? allowsAddress : allowsName;
    if (isAllowed(allow, host, port)) return 'anywhere';
    if (isLiteral && !isPublic(host)) return { reason: WORDS.notPublic };
    if (protocol === 'https:' && ports.includes(port)) return 'public';
    if (!isLiteral && mayAllow(allow, port)) return 'listed';
    return { reason: protocol === 'https:' ? WORDS.oddPort : WORDS.notHttps };
  };

  return {
    refuse(url, pinnedTo) {
      const reach = judge(url.protocol, hostOf(url.hostname), portOf(url.protocol, url.port));
      if (typeof reach === 'object') return reach.reason;
      if (pinnedTo === undefined || reach === 'anywhere') return undefined;
      if (pinnedTo.includes(url.hostname.replace(/\.$/, ''))) return undefined;
      return `the address is not on ${pinnedTo.join(' or ')}; ${ASK}`;
    },
    connect(target, callback) {
      const port = portOf(target.protocol, target.port);
      const host = hostOf(target.hostname);
      const reach = judge(target.protocol, host, port);
      const isReachable = (address: string): boolean =>
        reach === 'anywhere' ||
        allowsAddress(allow, address, port) ||
        (reach === 'public' && isPublic(address));
      // The resolver is not asked about literals: `judge` has decided on them.
      if (typeof reach === 'object') {
        callback(new RefusedAddress(), null);
        return;
      }
      const connect = buildConnector({ lookup: checked(lookup, isReachable) });
      connect(target, (...[error, socket]) => {
        if (error !== null) {
          callback(error, null);
        } else if (isReachable(socket.remoteAddress ?? '')) {
          callback(null, socket);
        } else {
          socket.destroy();
          callback(new RefusedAddress(), null);
        }
      });
    },
  };
}

/** The default of every channel. */
export const PUBLIC_ONLY: Guard = createGuard();

/** For addresses of the service's own configuration (base URLs), never for a customer's. */
export const OPERATORS_OWN: Guard = {
  refuse: () => undefined,
  connect: (target, callback) => {
    buildConnector({})(target, callback);
  },
};

/** N-2, N-3. One resolution, and the connection gets what was looked at. */
function checked(lookup: LookupFunction, isReachable: (address: string) => boolean) {
  const lookupChecked: LookupFunction = (host, options, callback) => {
    lookup(host, options, (error, found, family) => {
      if (error !== null) {
        callback(error, found, family);
        return;
      }
      const addresses = typeof found === 'string' ? [found] : found.map(({ address }) => address);
      const areReachable = addresses.length > 0 && addresses.every(isReachable);
      callback(areReachable ? null : new RefusedAddress(), found, family);
    });
  };
  return lookupChecked;
}

/** IPv6 has its public addresses in one block; whatever lies outside it tunnels, maps or is local. */
const GLOBAL_V6 = ipaddr.IPv6.parseCIDR('2000::/3');

/** Is it a unicast address of the public internet, not of any special-purpose block? */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast') return false;
  return parsed.kind() === 'ipv4' || parsed.match(GLOBAL_V6);
}

/** `[::1] -> ::1`. */
function hostOf(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function portOf(protocol: string, port: string): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}
