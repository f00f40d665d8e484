// The API server's own rules for names, label keys, label values and port names (apimachinery, util/validation). Each function
// returns undefined when the text is valid, else what is wrong with it.

const dnsLabel = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const dnsSubdomain = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const qualifiedName = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** Names of namespaces. */
export function dnsLabelProblem(text: string): string | undefined {
  if (text.length <= 63 && dnsLabel.test(text)) return undefined;
  return 'must be 1 to 63 lower-case letters, digits and inner "-"';
}

/** Names of everything else that is read here. */
export function dnsSubdomainProblem(text: string): string | undefined {
  if (text.length <= 253 && dnsSubdomain.test(text)) return undefined;
  return 'must be 1 to 253 lower-case letters, digits, inner "-" and "."';
}

export function labelKeyProblem(key: string): string | undefined {
  const slash = key.indexOf('/');
  const name = key.slice(slash + 1);
  const prefixValid = slash < 0 || dnsSubdomainProblem(key.slice(0, slash)) === undefined;
  if (prefixValid && name.length <= 63 && qualifiedName.test(name)) return undefined;
  return 'is no label key (1 to 63 letters, digits and inner "-_.", with an optional DNS prefix and "/")';
}

export function labelValueProblem(value: string): string | undefined {
  if (value === '' || (value.length <= 63 && qualifiedName.test(value))) return undefined;
  return 'is no label value (at most 63 letters, digits and inner "-_.")';
}

/** IANA service names (RFC 6335). */
export function portNameProblem(name: string): string | undefined {
  const valid = name.length <= 15 && /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name) && /[a-z]/.test(name);
  return valid ? undefined : 'is no port name (1 to 15 lower-case letters, digits and single inner "-", at least one letter)';
}

export function isPortNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535;
}
