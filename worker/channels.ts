/** From variables to the accounts that messages are sent from. Their companions are checked before. */
import type { z } from 'zod';
import type { ChannelOptions } from '../channels/index.js';
import type { VARIABLES } from './variables.js';

type Values = z.infer<typeof VARIABLES>;

/** What is not configured is absent: its alerts are recorded as `unsupported_channel` (A10). */
export function channelOptionsOf(values: Values): ChannelOptions {
  const email = emailOf(values);
  const sms = smsOf(values);
  const pagerdutyUrl = values.PAGERDUTY_BASE_URL;
  return {
    ...(email && { email }),
    ...(sms && { sms }),
    ...(pagerdutyUrl && { pagerduty: { baseUrl: pagerdutyUrl } }),
  };
}

function emailOf(values: Values): ChannelOptions['email'] {
  const { RESEND_API_KEY: apiKey, KAVACH_SMTP_URL: url, KAVACH_EMAIL_FROM: from } = values;
  if (!from || (!apiKey && !url)) return undefined;
  return {
    from,
    ...(apiKey && { apiKey }),
    ...(values.RESEND_BASE_URL && { baseUrl: values.RESEND_BASE_URL }),
    ...(url && { smtp: { url } }),
  };
}

function smsOf(values: Values): ChannelOptions['sms'] {
  const { TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken } = values;
  if (!accountSid || !authToken) return undefined;
  const messagingServiceSid = values.TWILIO_MESSAGING_SERVICE_SID;
  return {
    ...{ accountSid, authToken, validitySeconds: values.KAVACH_SMS_VALIDITY_SECONDS },
    ...(values.TWILIO_FROM && { from: values.TWILIO_FROM }),
    ...(messagingServiceSid && { messagingServiceSid }),
    ...(values.KAVACH_PUBLIC_URL && {
      statusCallback: `${values.KAVACH_PUBLIC_URL}/callbacks/twilio`,
    }),
    ...(values.TWILIO_BASE_URL && { baseUrl: values.TWILIO_BASE_URL }),
  };
}
