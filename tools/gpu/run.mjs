#!/usr/bin/env node
// Runs a command on the software GPU that npm alone brings: SwiftShader, out of @sparticuz/chromium.
// usage: node tools/gpu/run.mjs [--real] COMMAND [ARG ...]     --real leaves the machine's own driver in place
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { softwareGpu } from './swiftshader.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const words = process.argv.slice(2);
const real = words[0] === '--real' && words.shift() !== undefined;
const [command, ...args] = words;
if (command === undefined || command === '--help') {
  console.log(
    "usage: node tools/gpu/run.mjs [--real] COMMAND [ARG ...]\n\nRuns COMMAND on a software GPU (SwiftShader); with --real, on the machine's own.",
  );
  process.exit(command === undefined ? 2 : 0);
}

const env = { ...process.env };
env.PATH = [join(process.cwd(), 'node_modules/.bin'), join(root, 'node_modules/.bin'), env.PATH].join(delimiter);
if (!real) Object.assign(env, await softwareGpu(join(root, '.cache', 'swiftshader')));
const child = spawn(command, args, { stdio: 'inherit', env });
child.on('error', (error) => {
  console.error(`${command} could not be started: ${error.message}`);
  process.exit(127);
});
child.on('exit', (code, signal) => process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0)));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
