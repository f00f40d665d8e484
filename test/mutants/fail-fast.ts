// Imported before a fuzz that is expected to fail: the first counterexample is enough, nobody reads a smaller one.

import { configureGlobal, readConfigureGlobal } from 'fast-check';

configureGlobal({ ...readConfigureGlobal(), endOnFailure: true });
