/**
 * API keys as the ledger has them: by the SHA-256 of what their holder shows, never themselves.
 * L-6. A key that ended (revoked, or past the end of its grace) never comes back.
 */
import type { KeyScope } from '../domain/words.js';

/** Who asks, and what they may do. */
export interface ApiKey {
  readonly org: string;
  readonly name: string;
  /** The beginning of its hash: names the key, opens nothing. */
  readonly id: string;
  readonly scopes: readonly KeyScope[];
  /** It may touch this agent only. */
  readonly agent?: string;
  /** Epoch ms; from then on it is refused. */
  readonly expiresAt?: number;
}

/** A key as its organisation sees it. */
export interface KeyView extends Omit<ApiKey, 'org'> {
  /** Its first characters; absent for keys from before keys had rights. */
  readonly hint?: string;
  readonly createdAt?: number;
  readonly createdBy?: string;
  readonly revokedAt?: number;
  /** The id of the key that took its place. */
  readonly replacedBy?: string;
}

/** What a key to be stored is known by. */
export interface KeyMark {
  /** SHA-256 of the key, lower-case hex. */
  readonly hash: string;
  readonly hint: string;
}

export interface NewKey extends KeyMark {
  readonly org: string;
  readonly name: string;
  readonly scopes: readonly KeyScope[];
  readonly agent?: string;
  readonly by: string;
  readonly now: number;
}

export interface KeyRotation extends KeyMark {
  readonly org: string;
  readonly id: string;
  /** How long the old key stays valid, ms. */
  readonly graceMs: number;
  readonly by: string;
  readonly now: number;
}

export type RotatedKey =
  | { readonly type: 'rotated'; readonly key: KeyView; readonly old: KeyView }
  | { readonly type: 'unknown' }
  /** It was revoked, or it was rotated before: it has a successor. */
  | { readonly type: 'ended'; readonly old: KeyView };

export interface KeyQuery {
  readonly org: string;
  readonly limit: number;
  /** Those that come after this one in the list. */
  readonly after?: { readonly createdAt: number; readonly id: string };
}

export interface KeyStore {
  /** Tells the operators of its organisation, once a day, that a key which is over is used. */
  keyRefused(hash: string, now: number): Promise<void>;
  /** Undefined when unknown or revoked; whoever asks looks at `expiresAt`. */
  apiKey(hash: string): Promise<ApiKey | undefined>;
  /** A key made elsewhere; with every scope unless named. One that is there stays as it is. */
  putApiKey(
    hash: string,
    key: Pick<ApiKey, 'org' | 'name'> & Partial<Pick<ApiKey, 'scopes' | 'agent'>>,
    now?: number,
  ): Promise<void>;
  createKey(key: NewKey): Promise<KeyView>;
  /** A new key with the rights of the old one, which ends after its grace. */
  rotateKey(rotation: KeyRotation): Promise<RotatedKey>;
  /** Ends a key at once; undefined: there is none. Twice is once. */
  revokeKey(
    org: string,
    id: string,
    by: string,
    now: number,
  ): Promise<{ readonly changed: boolean; readonly key: KeyView } | undefined>;
  /** The newest first, ended ones included. */
  keys(query: KeyQuery): Promise<readonly KeyView[]>;
}
