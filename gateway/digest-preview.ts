/**
 * The port through which a digest is shown before it is sent: the gateway knows no channels
 * (architecture.md §2), so whoever starts it builds this from what renders the mail.
 */
import type { DigestRef } from '../domain/digest/state.js';

export interface DigestPreview {
  /** What waits. */
  readonly total: number;
  /** Absent: nothing waits, so nothing would be sent. */
  readonly mail?: { readonly subject: string; readonly text: string; readonly html: string };
}

export type PreviewDigest = (ref: DigestRef, zone: string) => Promise<DigestPreview>;
