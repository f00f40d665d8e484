// Writes the reference pages that are made from tables in the source: docs/configuration.md and docs/metrics.md.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { referencePage as configurationPage } from '../src/config/describe.ts';
import { referencePage as metricsPage } from '../src/observability/catalogue.ts';

const DOCS = path.join(import.meta.dirname, '..', 'docs');
mkdirSync(DOCS, { recursive: true });
for (const [name, text] of [['configuration.md', configurationPage()], ['metrics.md', metricsPage()]] as const) {
  writeFileSync(path.join(DOCS, name), text);
  console.log(`docs/${name}`);
}
