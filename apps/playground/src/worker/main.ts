// The module of every worker: one bundle, so that a run and its replicas load it once.
import { eventPort, serveReplica } from '@qlora-js/trainer';
import { buildReplica } from './replica';
import { ROLES, scope } from './scope';
import { serveRun } from './serve-run';

if (scope.name === ROLES.replica) serveReplica(eventPort(scope), buildReplica);
else serveRun(scope, { slot: scope.name === ROLES.second ? 'b' : 'a', module: import.meta.url });
