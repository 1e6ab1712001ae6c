// Runs the Python stack on the same steps and writes bench/results/peer.json; see peer.ts.
// usage: npx tsx --conditions=@qlora-js/source tools/bench/run-peer.ts
import { measurePeer } from './peer';

measurePeer();
