// Bundles the agent into one file, dist/caracal.mjs, and reports its size and what it is made of. One file halves the resident
// memory of a start from node_modules: hundreds of modules are not loaded, and of the Kubernetes client only what is used.

import { build } from 'esbuild';
import type { Plugin } from 'esbuild';
import { builtinModules } from 'node:module';
import { chmodSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..');
const OUTPUT = path.join(ROOT, 'dist', 'caracal.mjs');

/**
 * The client's package does not say that its 900 model classes have no side effects, so a bundler must keep them all. They have
 * none: marked here, those that nothing imports by name disappear.
 */
const dropUnusedModels: Plugin = {
  name: 'drop-unused-models',
  setup(builder) {
    // Inside the package every import is a relative path with its extension: resolved here, without asking esbuild 10,000 times.
    builder.onResolve({ filter: /^\.\.?\/.*\.js$/ }, ({ path: specifier, resolveDir }) => {
      if (!resolveDir.includes('/node_modules/@kubernetes/client-node/dist')) return null;
      return { path: path.join(resolveDir, specifier), sideEffects: false };
    });
    builder.onResolve({ filter: /^@kubernetes\/client-node$/ }, async ({ path: specifier, kind, importer, resolveDir, pluginData }) => {
      if (pluginData === dropUnusedModels) return null;
      const found = await builder.resolve(specifier, { kind, importer, resolveDir, pluginData: dropUnusedModels });
      return found.errors.length > 0 ? { errors: found.errors } : { path: found.path, sideEffects: false };
    });
  },
};

/**
 * Node's own modules are required, not imported: an import reads every export once, and node:http answers that by loading parts of
 * Node that nobody here uses (50 ms and several megabytes).
 */
const requireBuiltins: Plugin = {
  name: "Node's own modules are required",
  setup(builder) {
    const names = builtinModules.join('|');
    builder.onResolve({ filter: new RegExp(`^(?:node:.*|${names})$`) }, ({ path: specifier, namespace }) =>
      namespace === 'builtin' ? { path: specifier, external: true } : { path: specifier, namespace: 'builtin' });
    builder.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path: specifier }) => ({ contents: `module.exports = require(${JSON.stringify(specifier)});` }));
  },
};

interface PackageJson {
  readonly version: string;
}

const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as PackageJson;

// A file is replaced, never truncated: an agent that runs from it keeps the old one.
mkdirSync(path.dirname(OUTPUT), { recursive: true });
rmSync(OUTPUT, { force: true });
// Of the bundle before (bin/caracal).
rmSync(path.join(path.dirname(OUTPUT), 'compiled'), { recursive: true, force: true });

const started = performance.now();
const result = await build({
  entryPoints: [path.join(ROOT, 'src/main.ts')],
  outfile: OUTPUT,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  // With one letter beyond Latin-1 in it V8 would keep all of the text in two bytes a letter.
  charset: 'ascii',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  minifyWhitespace: true,
  minifySyntax: true,
  // Function and class names stay: a stack trace in an operator's log must be readable.
  keepNames: false,
  define: { CARACAL_VERSION: JSON.stringify(version) },
  plugins: [dropUnusedModels, requireBuiltins],
  // CommonJS packages inside an ES module ask for require().
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
});
chmodSync(OUTPUT, 0o644);

const sizes = new Map<string, number>();
let total = 0;
for (const output of Object.values(result.metafile.outputs)) {
  total += output.bytes;
  for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules)/.exec(input)?.[1] ?? 'caracal';
    sizes.set(name, (sizes.get(name) ?? 0) + bytesInOutput);
  }
}
const kilobytes = (bytes: number): string => `${Math.round(bytes / 1024)} kB`;
const largest = [...sizes].toSorted(([, a], [, b]) => b - a).slice(0, 9);
console.log(`dist/caracal.mjs: ${kilobytes(total)} in ${Math.round(performance.now() - started)} ms`);
console.log(`  ${largest.map(([name, bytes]) => `${name} ${kilobytes(bytes)}`).join(', ')}`);
