// Reads one end (`source` or `destination`) of a rule of Calico's policies; what its parts mean is in entity-rule.ts.
//
// In: the wire form, and the namespace of the policy. Out: undefined, with every problem reported, where the API refuses it. In a
// NetworkPolicy selectors mean its own namespace unless a namespaceSelector says otherwise; nets and ports alone mean everybody.

import { readNet } from './cidr.ts';
import type { EntityRule } from './entity-rule.ts';
import { readIpPort } from './ip-port.ts';
import { namespaceLabel, serviceAccountLabel } from './labels.ts';
import { dnsSubdomainProblem } from './names.ts';
import { conjunction, readSelector } from './selector-field.ts';
import { scoped } from './selector.ts';
import type { Selector } from './selector.ts';
import { isAbsent, knowsAll, readAll, readFields, readList } from './wire.ts';
import type { Fields, Report } from './wire.ts';

const known = ['nets', 'notNets', 'selector', 'notSelector', 'namespaceSelector', 'ports', 'notPorts', 'serviceAccounts', 'services'];

/** `namespace`: the policy's own; "" for a global one. */
export function readEntityRule(value: unknown, namespace: string, field: string, report: Report): EntityRule | undefined {
  const entity = readFields(value, field, report);
  if (entity === undefined) return undefined;
  const isKnown = knowsAll(entity, known, field, report);
  const nets = readEach(entity, 'nets', field, report, readNet);
  const notNets = readEach(entity, 'notNets', field, report, readNet);
  const ports = readEach(entity, 'ports', field, report, readIpPort);
  const notPorts = readEach(entity, 'notPorts', field, report, readIpPort);
  const notSelector = readSelector(entity['notSelector'], `${field}.notSelector`, report);
  const selector = readEffectiveSelector(entity, namespace, field, report);
  const service = readService(entity, namespace, field, report);
  if (!isKnown || !nets || !notNets || !ports || !notPorts || !notSelector || !selector || service === undefined) return undefined;
  return { nets, notNets, selector, notSelector, ports, notPorts, service: service === 'none' ? undefined : service };
}

function readEach<T>(entity: Fields, name: string, field: string, report: Report, read: (value: unknown, field: string, report: Report) => T | undefined): readonly T[] | undefined {
  const list = readList(entity[name], `${field}.${name}`, report);
  return list && readAll(list, `${field}.${name}`, (value, at) => read(value, at, report));
}

function readEffectiveSelector(entity: Fields, namespace: string, field: string, report: Report): Selector | 'none' | undefined {
  const own = readSelector(entity['selector'], `${field}.selector`, report);
  const namespaces = readSelector(entity['namespaceSelector'], `${field}.namespaceSelector`, report, 'global() too');
  const accounts = readServiceAccounts(entity['serviceAccounts'], `${field}.serviceAccounts`, report);
  if (!own || !namespaces || !accounts) return undefined;
  if (namespaces !== 'none') return conjunction([scoped(namespaces, 'namespace'), accounts, own]);
  const isAboutLabels = own !== 'none' || accounts !== 'none' || (!isAbsent(entity['notSelector']) && entity['notSelector'] !== '');
  const home: Selector | 'none' = namespace === '' || !isAboutLabels ? 'none' : { kind: '==', label: namespaceLabel, value: namespace };
  return conjunction([home, accounts, own]);
}

function readServiceAccounts(value: unknown, field: string, report: Report): Selector | 'none' | undefined {
  const accounts = readFields(value, field, report);
  if (accounts === undefined) return undefined;
  const isKnown = knowsAll(accounts, ['names', 'selector'], field, report);
  const names = readEach(accounts, 'names', field, report, (name, at) => {
    // Calico makes a selector of it, which has no way to write a quote or half a character.
    if (typeof name === 'string' && !name.includes('"') && !name.includes("'") && name.isWellFormed()) return name;
    report(at, 'must be a text without quotes');
    return undefined;
  });
  const selector = readSelector(accounts['selector'], `${field}.selector`, report);
  if (!isKnown || !names || !selector) return undefined;
  return conjunction([
    names.length === 0 ? 'none' : { kind: 'in', label: serviceAccountLabel, values: names },
    selector === 'none' ? 'none' : scoped(selector, 'serviceAccount'),
  ]);
}

/** A Service is named instead of nets and selectors; without a namespace it is in the policy's own, which a global policy has not. */
function readService(entity: Fields, namespace: string, field: string, report: Report): string | undefined {
  if (isAbsent(entity['services'])) return 'none';
  const services = readFields(entity['services'], `${field}.services`, report);
  if (services === undefined) return undefined;
  let valid = knowsAll(services, ['name', 'namespace'], `${field}.services`, report);
  const refuse = (at: string, problem: string | undefined): void => {
    if (problem === undefined) return;
    report(at, problem);
    valid = false;
  };
  const name = services['name'];
  const where = isAbsent(services['namespace']) || services['namespace'] === '' ? namespace : services['namespace'];
  refuse(`${field}.services.name`, typeof name === 'string' ? dnsSubdomainProblem(name) : 'must name a Service');
  refuse(`${field}.services.namespace`, typeof where === 'string' ? dnsSubdomainProblem(where) : 'must be a string');
  for (const other of ['nets', 'notNets', 'selector', 'notSelector', 'namespaceSelector', 'serviceAccounts']) {
    const given = entity[other];
    const isGiven = !isAbsent(given) && given !== '' && !(Array.isArray(given) && given.length === 0);
    refuse(`${field}.${other}`, isGiven ? 'may not be given together with services' : undefined);
  }
  return valid && typeof name === 'string' && typeof where === 'string' ? `${where}/${name}` : undefined;
}
