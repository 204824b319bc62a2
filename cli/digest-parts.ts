/** What a digest's mail leads to, and how it looks before it is sent. */
import { digestContent } from '../channels/digest-message.js';
import type { PreviewDigest } from '../gateway/digest-preview.js';
import { createUnsubscribeLinks, unsubscribeUrl, type UnsubscribeLinks } from '../gateway/links.js';
import type { Ledger } from '../ledger/ledger.js';

export interface DigestParts {
  /** As a gateway is given them. */
  readonly ports: {
    readonly previewDigest: PreviewDigest;
    readonly unsubscribeLinks: UnsubscribeLinks;
  };
  readonly unsubscribeUrl: (org: string, recipient: string) => string;
}

/** `homeUrl`: where this service is found, once that is known. */
export function createDigestParts(given: {
  readonly ledger: Pick<Ledger, 'waitingContents'>;
  readonly linkKey: string;
  readonly alertUrl: (alertId: string) => string;
  readonly homeUrl: () => string;
}): DigestParts {
  const { ledger, linkKey, alertUrl, homeUrl } = given;
  const unsubscribeLinks = createUnsubscribeLinks(linkKey);
  const linkFor = (org: string, recipient: string): string =>
    unsubscribeUrl(homeUrl(), { org, recipient }, unsubscribeLinks);
  const preview = { ledger, alertUrl, unsubscribeUrl: linkFor, now: Date.now };
  return {
    ports: { previewDigest: createPreviewDigest(preview), unsubscribeLinks },
    unsubscribeUrl: linkFor,
  };
}

/** Renders what waits for a digest as its mail would, and sends nothing. */
function createPreviewDigest(dependencies: {
  readonly ledger: Pick<Ledger, 'waitingContents'>;
  readonly alertUrl: (alertId: string) => string;
  readonly unsubscribeUrl: (org: string, recipient: string) => string;
  readonly now: () => number;
}): PreviewDigest {
  const { ledger, alertUrl, unsubscribeUrl, now } = dependencies;
  return async (ref, zone) => {
    const { total, items } = await ledger.waitingContents(ref);
    if (total === 0) return { total };
    const { cadence, org, recipient } = ref;
    const { subject, text, html } = digestContent({
      ...{ cadence, zone, at: now(), total, items, alertUrl },
      unsubscribeUrl: unsubscribeUrl(org, recipient),
    });
    return { total, mail: { subject, text, html } };
  };
}
