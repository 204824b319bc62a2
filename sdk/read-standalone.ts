/** The option `standalone`, checked: what a service would have in its configuration. */
import { isZone } from '../domain/period.js';
import type { ChannelConfig } from './channel.js';
import {
  fault,
  inside,
  kindOf,
  readFields,
  readHttpUrl,
  readText,
  refuseUnknown,
  seen,
  type Place,
} from './faults.js';
import type { StandaloneOptions } from './options.js';

const KNOWN: Record<keyof StandaloneOptions, true> = {
  ...{ timeZone: true, emailFrom: true, allowTargets: true, resendUrl: true, pagerdutyUrl: true },
};

/** `true -> {}`; false: there is a service. */
export function readStandalone(value: unknown, place: Place): StandaloneOptions | false {
  if (typeof value === 'boolean') return value ? {} : false;
  const fields = readFields(value, place);
  if (fields === undefined) return false;
  refuseUnknown(fields, Object.keys(KNOWN), place);
  const read = <T>(name: keyof StandaloneOptions, reader: (value: unknown, place: Place) => T) =>
    fields[name] === undefined ? {} : { [name]: reader(fields[name], inside(place, name)) };
  return {
    ...read('timeZone', readZone),
    ...read('emailFrom', readSender),
    ...read('allowTargets', readTargets),
    ...read('resendUrl', readBase),
    ...read('pagerdutyUrl', readBase),
  };
}

/** There is no service whose own key could send it. */
export function refuseKeylessEmail(channels: readonly ChannelConfig[], root: Place): void {
  channels.forEach((channel, index) => {
    if (channel.type !== 'email' || channel.apiKey !== undefined) return;
    const at = inside(root, `channels[${String(index)}].apiKey`);
    fault(at, 'a Resend key, here or in RESEND_API_KEY, as there is no service', 'nothing');
  });
}

function readZone(value: unknown, place: Place): string | undefined {
  if (typeof value === 'string' && isZone(value)) return value;
  fault(place, 'an IANA time zone such as Europe/Berlin', seen(value));
  return undefined;
}

function readSender(value: unknown, place: Place): string | undefined {
  const text = readText(value, place, 320);
  if (text === undefined || /^[^<>@]*<[^\s<>@]+@[^\s<>@]+>$|^[^\s<>@]+@[^\s<>@]+$/.test(text)) {
    return text;
  }
  fault(place, 'an address, or Name <address>', kindOf(value));
  return undefined;
}

/** What each entry means is the channels' to say, which are loaded when something is to be sent. */
function readTargets(value: unknown, place: Place): readonly string[] | undefined {
  const isList =
    Array.isArray(value) &&
    value.every((each) => typeof each === 'string' && /^[^\s,]+$/.test(each));
  if (isList) return value as string[];
  fault(place, 'an array such as ["127.0.0.1:*", "10.0.0.0/8"]', kindOf(value));
  return undefined;
}

function readBase(value: unknown, place: Place): string | undefined {
  return readHttpUrl(value, place)?.replace(/\/+$/, '');
}
