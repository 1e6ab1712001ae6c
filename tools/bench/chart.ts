import { countStep, floorSeconds } from './counts';
import { readChanges, readResult, type PeerResults, type StepResults } from './results';

const SHAPES = ['16x24', '16x128', '64x128'] as const;
const COLOURS = ['#9aa5b1', '#c98a2b', '#2b6cb0', '#2f855a', '#b83280', '#444444'];
const BAR = 16;
const LEFT = 90;
const WIDTH = 520;

interface Bar {
  readonly name: string;
  readonly ms: number;
}

/** Milliseconds a step by batch shape as bars on a logarithmic axis; an SVG of its own. */
export function stepChart(): string {
  const groups = SHAPES.map((shape) => ({ shape, bars: barsOf(shape) }));
  const names = [...new Set(groups.flatMap(({ bars }) => bars.map(({ name }) => name)))];
  const largest = Math.max(...groups.flatMap(({ bars }) => bars.map(({ ms }) => ms)), 10);
  const x = (ms: number): number => (WIDTH * Math.log10(Math.max(1, ms))) / Math.log10(largest);
  const parts: string[] = [];
  let y = 24;
  for (const { shape, bars } of groups) {
    parts.push(`<text x="${LEFT - 8}" y="${y + 12}" text-anchor="end">${shape.replace('x', ' x ')}</text>`);
    for (const { name, ms } of bars) {
      const colour = COLOURS[names.indexOf(name) % COLOURS.length];
      parts.push(`<rect x="${LEFT}" y="${y}" width="${x(ms).toFixed(1)}" height="${BAR - 3}" fill="${colour}"/>`);
      parts.push(`<text x="${(LEFT + x(ms) + 5).toFixed(1)}" y="${y + 11}">${ms.toPrecision(3)}</text>`);
      y += BAR;
    }
    y += 12;
  }
  names.forEach((name, index) => {
    parts.push(`<rect x="${LEFT}" y="${y}" width="12" height="12" fill="${COLOURS[index % COLOURS.length]}"/>`);
    parts.push(`<text x="${LEFT + 18}" y="${y + 10}">${name}</text>`);
    y += 17;
  });
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + 70} ${y + 8}" font-family="sans-serif" font-size="12">`;
  const title = `<title>Milliseconds a training step, logarithmic</title>`;
  return `${head}\n${title}\n<rect width="100%" height="100%" fill="#ffffff"/>\n<text x="${LEFT}" y="15">ms a training step (logarithmic)</text>\n${parts.join('\n')}\n</svg>\n`;
}

function barsOf(shape: (typeof SHAPES)[number]): Bar[] {
  const bars: Bar[] = [];
  const add = (name: string, ms: number | undefined): void => {
    if (ms !== undefined) bars.push({ name, ms });
  };
  const of = (step: StepResults | undefined) =>
    step?.results.find((row) => row.shape === shape && row.evaluation !== true && row.checkpointing !== true);
  const peer = readResult<PeerResults>('peer.json');
  add('Python stack', peer?.steps.find((row) => row.shape === shape && !row.checkpointing)?.ms);
  add('plan with plain shaders', of(readChanges()[0]?.step)?.planMs);
  add('eager', of(readResult<StepResults>('step.json'))?.eagerMs);
  add('plan', of(readResult<StepResults>('step.json'))?.planMs);
  add('plan, robustness off', of(readResult<StepResults>('step-disable_robustness.json'))?.planMs);
  const [batch, length] = shape.split('x').map(Number) as [number, number];
  add(
    'floor',
    countStep(batch, length).reduce((total, work) => total + floorSeconds(work) * 1e3, 0),
  );
  return bars;
}
