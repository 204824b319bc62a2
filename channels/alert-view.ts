/** An alert and what a delivery of it is to say -> what every channel renders from. */
import { incidentOf } from '../domain/alert/incident.js';
import type { AlertInput, Purpose } from '../domain/alert/state.js';
import { alertCode } from '../domain/ids.js';
import type { AlertView } from './channel.js';

const STATES: Readonly<Record<Purpose, AlertView['state']>> = {
  fire: 'firing',
  acknowledge: 'acknowledged',
  resolve: 'resolved',
};

/** `dashboardUrl`: the alert's page; empty where there is no service that could show one. */
export function alertViewOf(input: AlertInput, purpose: Purpose, dashboardUrl: string): AlertView {
  return {
    alertId: input.id,
    state: STATES[purpose],
    incidentKey: incidentOf(input),
    code: alertCode(input.id),
    facts: input.facts,
    dashboardUrl,
  };
}
