// Serves folders as the Hugging Face hub does, for trying downloads without it.
// usage: node tools/hub-server FOLDER [--port 8090] [--throttle BYTES_PER_SECOND]
//        HF_ENDPOINT=http://127.0.0.1:8090 npm run banking77 -- --base org/model
// FOLDER/org/model is the model `org/model`; a FOLDER that is a model itself answers to every id.
import { parseArgs } from 'node:util';
import { serveFolder } from './serve.mjs';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { port: { type: 'string', default: '8090' }, throttle: { type: 'string' } },
});
const [folder] = positionals;
const [port, throttle] = [Number(values.port), values.throttle === undefined ? undefined : Number(values.throttle)];
if (folder === undefined || positionals.length > 1 || !(port >= 0) || (throttle !== undefined && !(throttle > 0))) {
  console.error('usage: node tools/hub-server FOLDER [--port 8090] [--throttle BYTES_PER_SECOND]');
  process.exit(2);
}
const server = await serveFolder(folder, { port, throttle });
console.log(`${folder} is served; use it with HF_ENDPOINT=${server.url}`);
