/**
 * Sign-in for the pages: a key is given once and becomes a cookie for some hours.
 *
 * SE-1. A session is the hash of its key, an end, and a signature over both under a key of this
 *       installation: nothing is stored, and no cookie contains what a program could sign in with.
 * SE-2. Its key is looked up on every request: one that was revoked ends its sessions at once.
 * SE-3. A form acts only when three things are right: the cookie, which no other site's request
 *       carries (SameSite=Strict); the origin, as browsers state it; the token in the form.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { isSame } from './same-text.js';

export interface Session {
  /** Of the API key, as the ledger knows it. */
  readonly keyHash: string;
  /** The cookie's value. */
  readonly token: string;
  /** For the forms of its pages. */
  readonly formToken: string;
}

export interface Sessions {
  readonly cookie: { readonly name: string; readonly isSecure: boolean; readonly maxAgeS: number };
  open(keyHash: string, now: number): Session;
  /** Undefined for one that was not signed here, was changed, or has ended. */
  read(token: string | undefined, now: number): Session | undefined;
  isFormToken(session: Session, given: string | null): boolean;
  /** Where a request came from, by its headers; without any of them it is nobody's. */
  isOwnOrigin(headers: {
    readonly origin: string | undefined;
    readonly site: string | undefined;
    readonly host: string | undefined;
  }): boolean;
}

const HOURS = 8;

/** `publicUrl`: what people reach the pages at, where that is not the gateway itself. */
export function createSessions(key: string, publicUrl?: string): Sessions {
  const isSecure = publicUrl?.startsWith('https://') === true;
  const publicOrigin = publicUrl === undefined ? undefined : new URL(publicUrl).origin;
  const sign = (what: string, text: string): string =>
    createHmac('sha256', key).update(`kavach ${what}\n${text}`).digest('base64url');
  const sessionOf = (keyHash: string, token: string): Session => ({
    ...{ keyHash, token, formToken: sign('form', token) },
  });
  return {
    cookie: {
      name: isSecure ? '__Host-kavach' : 'kavach',
      isSecure,
      maxAgeS: HOURS * 3_600,
    },
    open: (keyHash, now) => {
      const endsAt = now + HOURS * 3_600_000;
      const text = `${keyHash}.${String(endsAt)}.${randomBytes(12).toString('base64url')}`;
      return sessionOf(keyHash, `${text}.${sign('session', text)}`);
    },
    read: (token, now) => {
      const [, text = '', keyHash = '', endsAt = '', signature = ''] =
        /^(([0-9a-f]{64})\.(\d{1,15})\.[\w-]{16})\.([\w-]{43})$/.exec(token ?? '') ?? [];
      if (text === '' || !isSame(signature, sign('session', text))) return undefined;
      return now < Number(endsAt) ? sessionOf(keyHash, `${text}.${signature}`) : undefined;
    },
    isFormToken: ({ formToken }, given) => isSame(given ?? '', formToken),
    isOwnOrigin: ({ origin, site, host }) => {
      if (site !== undefined && site !== 'same-origin') return false;
      if (origin === undefined) return site === 'same-origin';
      if (!URL.canParse(origin)) return false;
      return origin === publicOrigin || new URL(origin).host === host?.toLowerCase();
    },
  };
}
