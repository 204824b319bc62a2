/**
 * Email: the same message through Resend, or through a mail server of one's own (SMTP). A
 * destination with a Resend key of its own is sent with that key, whatever the service uses.
 */
import type { Outcome } from '../domain/alert/outcome.js';
import type { Channel, DeliveryRequest } from './channel.js';
import { parseEmail, renderEmail } from './email-message.js';
import { sendByResend } from './email-resend.js';
import { sendBySmtp } from './email-smtp.js';
import { unsendable } from './errors.js';

export interface EmailOptions {
  /** The service's own Resend key; a destination's own key wins over it. */
  readonly apiKey?: string;
  /** `Kavach <alerts@example.com>`. Must not change while deliveries are under way (A11). */
  readonly from: string;
  /** Of Resend. @default 'https://api.resend.com' */
  readonly baseUrl?: string;
  /** Used instead of Resend: `smtps://user:password@mail.example.com`. */
  readonly smtp?: { readonly url: string };
}

export function createEmailChannel(options: EmailOptions): Channel {
  return {
    name: 'email',
    // A mail server takes a repeat as another mail; its receiver may know the Message-ID again.
    idempotent: options.smtp === undefined,
    render: (view) => ({
      body: JSON.stringify(renderEmail(view)),
      contentType: 'application/json',
    }),
    deliver: (request) => deliver(request, options),
  };
}

async function deliver(request: DeliveryRequest, options: EmailOptions): Promise<Outcome> {
  const content = parseEmail(request.message.body);
  if (content === undefined) return unsendable('the stored message is not an email');
  const { from, baseUrl, smtp } = options;
  // An empty key would make the package take one from the environment.
  const ownKey = request.destination.secrets?.find((key) => key !== '');
  const serviceKey = options.apiKey === '' ? undefined : options.apiKey;
  if (smtp !== undefined && ownKey === undefined) {
    return sendBySmtp(request, content, { url: smtp.url, from });
  }
  const apiKey = ownKey ?? serviceKey;
  if (apiKey === undefined) return unsendable('no Resend API key: set RESEND_API_KEY');
  return sendByResend(request, content, {
    ...{ apiKey, from },
    ...(baseUrl === undefined ? {} : { baseUrl }),
  });
}
