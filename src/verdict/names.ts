// The API server's rules for names and labels (k8s.io/apimachinery, util/validation). Each function returns the problem, or
// undefined when the text is valid.

const qualifiedName = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const labelText = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** RFC 1123 subdomain: names of pods, service accounts, policies. */
export function dnsSubdomainProblem(text: string): string | undefined {
  return text.length <= 253 && dnsSubdomain.test(text) ? undefined : `${JSON.stringify(text)} is no lower-case DNS subdomain of at most 253 characters`;
}

/** RFC 1123 label: names of namespaces. */
export function dnsLabelProblem(text: string): string | undefined {
  return text.length <= 63 && dnsLabel.test(text) ? undefined : `${JSON.stringify(text)} is no lower-case DNS label of at most 63 characters`;
}

/** "name" or "prefix.example/name". */
export function labelKeyProblem(key: string): string | undefined {
  const [first = '', second, ...more] = key.split('/');
  const name = second ?? first;
  const prefixIsValid = second === undefined || dnsSubdomainProblem(first) === undefined;
  if (more.length === 0 && prefixIsValid && name.length <= 63 && qualifiedName.test(name)) return undefined;
  return `${JSON.stringify(key)} is no label key`;
}

export function labelValueProblem(value: string): string | undefined {
  return value.length <= 63 && labelText.test(value) ? undefined : `${JSON.stringify(value)} is no label value`;
}

/** RFC 6335 service name (IANA_SVC_NAME): what a port may be called. */
export function portNameProblem(name: string): string | undefined {
  const valid = name.length <= 15 && /^[-a-z0-9]+$/.test(name) && /[a-z]/.test(name) && !/--|^-|-$/.test(name);
  return valid ? undefined : `${JSON.stringify(name)} is no port name (1-15 lower-case letters, digits and single inner "-", at least one letter)`;
}
