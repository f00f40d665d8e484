// Where a GlobalNetworkPolicy applies: doNotTrack, preDNAT and applyOnForward. In: its spec. Out: the stage at which it is asked;
// undefined, and reported, for a combination that the API refuses.

import type { Stage } from './policy.ts';
import { isAbsent } from './wire.ts';
import type { Fields, Report } from './wire.ts';

export function stageOf(spec: Fields): Stage {
  if (spec['doNotTrack'] === true) return 'untracked';
  return spec['preDNAT'] === true ? 'pre-dnat' : 'normal';
}

export function readApplication(spec: Fields, report: Report): Stage | undefined {
  let valid = true;
  const refuse = (field: string, problem: string): void => {
    report(`spec.${field}`, problem);
    valid = false;
  };
  for (const field of ['doNotTrack', 'preDNAT', 'applyOnForward']) {
    if (!isAbsent(spec[field]) && typeof spec[field] !== 'boolean') refuse(field, 'must be true or false');
  }
  const { doNotTrack, preDNAT, applyOnForward, egress, types } = spec;
  if (doNotTrack === true && preDNAT === true) refuse('preDNAT', 'may not be given together with doNotTrack');
  if ((doNotTrack === true || preDNAT === true) && applyOnForward !== true) refuse('applyOnForward', 'must be true with doNotTrack or preDNAT');
  if (preDNAT === true && Array.isArray(egress) && egress.length > 0) refuse('egress', 'must be empty with preDNAT');
  if (preDNAT === true && Array.isArray(types) && types.includes('Egress')) refuse('types', 'may not have Egress with preDNAT');
  return valid ? stageOf(spec) : undefined;
}
