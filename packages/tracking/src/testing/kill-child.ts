import { trackRun } from '../node';

// Logs 60 rows to W&B's stand-in and dies without a word, as soon as the server has seen some of them.
const [folder = '', baseUrl = ''] = process.argv.slice(2);
const tracking = await trackRun({
  folder,
  run: { name: 'killed', id: 'killed01', project: 'banking77' },
  reportTo: ['wandb'],
  env: { WANDB_BASE_URL: baseUrl, WANDB_API_KEY: 'k'.repeat(40) },
});
for (let step = 1; step <= 60; step++) tracking.log({ loss: 5 - step / 20 }, step);
process.on('message', () => process.kill(process.pid, 'SIGKILL'));
process.send?.('logged');
