// What the exit status tells whoever started the program. Also in `caracal --help` and docs/operations.md.

export const exitStatus = Object.freeze({
  /** Done; or stopped by SIGTERM, SIGINT or SIGHUP, with the rules left in place. */
  ok: 0,
  /** Failed while running; the log's last line says why. The kubelet starts it again, the kernel keeps the last rules. */
  failed: 1,
  /** The command line, the configuration or the privileges are not right: nothing was started. */
  refused: 2,
});
