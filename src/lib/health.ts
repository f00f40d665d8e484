// What sync and dataplane know of health: each component says how it is, with the reason; /liveness and /readiness AND them.

export interface ComponentHealth {
  readonly live: boolean;
  readonly ready: boolean;
  /** Shown in the body: why not, or what it does just now. */
  readonly detail: string;
}

export interface HealthReporter {
  report(component: string, health: ComponentHealth): void;
}
