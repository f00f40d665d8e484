// How the agent is, made of how its components are: /liveness and /readiness are good when every component is.
//
// In: reports of components. Out: a verdict and a text for people: the reasons first, then a table with Felix's columns.
// Always holds: a component that is registered but has not reported is alive and not ready; one that has not reported for
// longer than its timeout is neither; nothing registered yet is not ready.

import type { Clock } from '../lib/clock.ts';
import type { ComponentHealth, HealthReporter } from '../lib/health.ts';

export type Probe = 'liveness' | 'readiness';

export interface HealthSummary {
  readonly good: boolean;
  /** Plain text, ends with a line end. */
  readonly text: string;
}

export interface Health extends HealthReporter {
  /** Makes the component count from now on. With a timeout, in seconds, it must report at least that often. */
  register(component: string, timeoutSeconds?: number): void;
  summary(probe: Probe): HealthSummary;
}

interface Component {
  readonly health: ComponentHealth;
  readonly timeoutSeconds: number;
  readonly reportedAt: number;
}

const HEADINGS = ['COMPONENT', 'TIMEOUT', 'LIVENESS', 'READINESS', 'DETAIL'] as const;

export function createHealth(clock: Clock): Health {
  const components = new Map<string, Component>();

  function effective({ health, timeoutSeconds, reportedAt }: Component): ComponentHealth {
    const silent = (clock.now() - reportedAt) / 1000;
    if (timeoutSeconds === 0 || silent <= timeoutSeconds) return health;
    return { live: false, ready: false, detail: `silent for ${Math.floor(silent)} s; last: ${health.detail}` };
  }

  return Object.freeze({
    register(name: string, timeoutSeconds = 0): void {
      components.set(name, { health: { live: true, ready: false, detail: 'starting' }, timeoutSeconds, reportedAt: clock.now() });
    },

    report(name: string, health: ComponentHealth): void {
      components.set(name, { health, timeoutSeconds: components.get(name)?.timeoutSeconds ?? 0, reportedAt: clock.now() });
    },

    summary(probe: Probe): HealthSummary {
      const states = [...components].map(([name, component]) => ({ name, component, health: effective(component) }));
      const bad = states.filter(({ health }) => !(probe === 'liveness' ? health.live : health.ready));
      const word = probe === 'liveness' ? 'live' : 'ready';
      const good = bad.length === 0 && (probe === 'liveness' || states.length > 0);
      const reasons = states.length === 0 ? 'no component has started' : bad.map(({ name, health }) => `${name}: ${health.detail}`).join('; ');
      const headline = good ? word : `not ${word}: ${reasons}`;
      const rows = states.map(({ name, component, health }) => [
        name,
        component.timeoutSeconds === 0 ? '-' : `${component.timeoutSeconds}s`,
        health.live ? 'live' : 'not live',
        health.ready ? 'ready' : 'not ready',
        health.detail,
      ]);
      return { good, text: `${headline}\n\n${table([HEADINGS, ...rows])}` };
    },
  });
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = HEADINGS.map((_heading, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()}\n`).join('');
}
