// The version of this program: put in by the bundler, read from package.json when run from the sources.

import { readFileSync } from 'node:fs';

declare const CARACAL_VERSION: string | undefined;

export function version(): string {
  if (typeof CARACAL_VERSION === 'string') return CARACAL_VERSION;
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
