import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { trackRun } from '@qlora-js/tracking/node';
import {
  clock,
  NO_RUN,
  progressLine,
  searchLine,
  StatusArea,
  terminalOutput,
  viewAfter,
  type TerminalStream,
} from './index';
import { watchRuns } from './node';

/**
 * A terminal of a width that understands what the status area writes: text that wraps, line feeds, carriage returns, cursor up, and
 * erase below.
 */
class Screen implements TerminalStream {
  readonly isTTY = true;
  cursorShown = true;
  private rows: string[] = [''];
  private row = 0;
  private column = 0;

  constructor(public columns: number) {}

  write(text: string): void {
    for (const part of text.match(/\u001b\[\??\d*[A-Za-z]|[\s\S]/gu) ?? []) {
      const [, count, code] = /^\u001b\[\??(\d*)([A-Za-z])$/.exec(part) ?? [];
      if (code === 'A') this.row = Math.max(0, this.row - Number(count || 1));
      else if (code === 'J') this.rows = [...this.rows.slice(0, this.row), this.rows[this.row]!.slice(0, this.column)];
      else if (code === 'l' || code === 'h') this.cursorShown = code === 'h';
      else if (part === '\r') this.column = 0;
      else if (part === '\n') this.down();
      else this.put(part);
    }
  }

  /** Rows with text. */
  get text(): string[] {
    return this.rows.filter((row) => row !== '');
  }

  private put(character: string): void {
    if (this.column + stringWidth(character) > this.columns) this.down();
    this.rows[this.row] = this.rows[this.row]!.slice(0, this.column) + character;
    this.column += stringWidth(character);
  }

  private down(): void {
    this.row++;
    this.column = 0;
    if (this.row >= this.rows.length) this.rows.push('');
  }
}

const WIDTHS = [60, 80, 200];

describe('the status area', () => {
  it.each(WIDTHS)('stays below whole log lines at %i columns', (columns) => {
    const screen = new Screen(columns);
    const area = new StatusArea(screen);
    const long = 'word '.repeat(70).trim();
    area.set(['train '.repeat(60), 'evaluate']);
    for (let i = 0; i < 5; i++) {
      area.above(i === 2 ? long : `line ${i}`);
      area.set([`train ${i} ${'x'.repeat(300)}`, 'evaluate']);
    }
    const { text } = screen;
    expect(text.slice(0, -2).join('')).toBe(`line 0line 1${long}line 3line 4`);
    expect(text.at(-2)).toMatch(/^train 4 x+…$/);
    expect(stringWidth(text.at(-2)!)).toBe(columns - 1);
    expect(text.at(-1)).toBe('evaluate');
    expect(screen.cursorShown).toBe(false);
    area.clear();
    expect(screen.text.at(-1)).toBe('line 4');
    expect(screen.cursorShown).toBe(true);
  });

  it('cuts wide characters and control characters of data', () => {
    const screen = new Screen(20);
    new StatusArea(screen).set(['データ'.repeat(20), 'a\u001b[2Jb\nc']);
    expect(screen.text).toHaveLength(2);
    expect(stringWidth(screen.text[0]!)).toBeLessThan(20);
    expect(screen.text[1]).toBe('a [2Jb c');
  });

  it('counts the rows that its lines wrap to where the terminal became narrower', () => {
    const written: string[] = [];
    const stream = { columns: 100, write: (text: string) => void written.push(text) };
    const area = new StatusArea(stream);
    area.set(['x'.repeat(90)]);
    stream.columns = 40;
    area.set(['y']);
    expect(written[1]).toMatch(/^\u001b\[3A\r\u001b\[0Jy\n$/);
  });
});

describe('progressLine', () => {
  const progress = {
    label: 'train',
    done: 30,
    total: 120,
    rate: 2,
    notes: ['loss 1.25', '12000 tokens/s', '0.31 GiB', 'lr 1e-4'],
  };

  it.each(WIDTHS)('fits %i columns and says the most important first', (width) => {
    const line = progressLine(progress, width);
    expect(stringWidth(line)).toBeLessThanOrEqual(width);
    expect(line).toMatch(/^train {2}█+░+ {2}30\/120 {2}45s left {2}2\.0\/s {2}loss 1\.25/);
    expect(line.includes('lr 1e-4')).toBe(width === 200);
    const bar = /█+░+/.exec(line)![0];
    expect(bar.split('█').length - 1).toBe(Math.round(bar.length / 4));
  });

  it('counts bytes in MiB', () => {
    const line = progressLine({ label: 'a.bin', done: 3 * 2 ** 20, total: 2 ** 23, unit: 'bytes', rate: 2 ** 19 }, 80);
    expect(line).toMatch(/^a\.bin {2}█+░+ {2}3\.0\/8\.0 MiB {2}10s left {2}0\.5 MiB\/s$/);
  });

  it('has no bar and no time left where the end is not known', () => {
    expect(progressLine({ label: 'download', done: 5, total: 0 }, 80)).toBe('download  5');
  });

  it.each([
    [0.4, '0s'],
    [59.6, '1m00s'],
    [185, '3m05s'],
    [7620, '2h07m'],
  ])('%f seconds are %s', (seconds, text) => {
    expect(clock(seconds)).toBe(text);
  });
});

describe('an output', () => {
  const start = (mode: 'auto' | 'plain' | 'quiet' | 'json', isTTY = false) => {
    const written: [string, string][] = [];
    const stream = (name: string): TerminalStream => ({
      isTTY,
      write: (text: string) => void written.push([name, text]),
    });
    let now = 0;
    const output = terminalOutput({ mode, out: stream('out'), status: stream('status'), now: () => now });
    return { output, written, pass: (milliseconds: number) => void (now += milliseconds) };
  };

  it('writes plain lines where it is no terminal, and progress now and then', () => {
    const { output, written, pass } = start('auto');
    const bar = output.bar('train', 100);
    for (let done = 1; done <= 50; done++) {
      pass(1000);
      bar.update(done, 'loss 1.0');
    }
    bar.stop();
    output.line('done');
    output.warn('careful');
    output.restore();
    const text = written.map(([name, line]) => `${name}: ${line}`);
    expect(text).toHaveLength(4);
    expect(text[0]).toMatch(/^status: train {2}█+░+ {2}20\/100 {2}1m20s left {2}1\.0\/s {2}loss 1\.0\n$/);
    expect(text.slice(2)).toEqual(['out: done\n', 'status: warning: careful\n']);
    expect(text.join('')).not.toContain('\u001b');
  });

  it('is quiet but for warnings', () => {
    const { output, written } = start('quiet', true);
    output.section('Data');
    output.line('line');
    output.bar('train', 10).update(5);
    output.note('words');
    output.warn('careful');
    expect(written).toEqual([['status', 'warning: careful\n']]);
  });

  it('is one JSON object a line', () => {
    const { output, written } = start('json', true);
    output.section('Data');
    output.line('line');
    output.bar('train', 10).update(5, 'loss 1');
    output.warn('careful');
    expect(written.map(([, line]) => JSON.parse(line) as unknown)).toEqual([
      { type: 'section', text: 'Data' },
      { type: 'line', text: 'line' },
      { type: 'progress', label: 'train', done: 5, total: 10, notes: ['loss 1'] },
      { type: 'warning', text: 'careful' },
    ]);
  });

  it('says of progress in JSON one object a second, and the end', () => {
    const { output, written, pass } = start('json');
    const bar = output.bar('train', 100);
    for (let done = 1; done <= 100; done++) {
      bar.update(done);
      pass(40);
    }
    const seen = written.map(([, line]) => (JSON.parse(line) as { done: number }).done);
    expect(seen).toEqual([1, 26, 51, 76, 100]);
  });

  it('takes the speed from where this process began, not from what an earlier one did', () => {
    const screen = new Screen(80);
    let now = 0;
    const output = terminalOutput({ mode: 'auto', out: screen, status: screen, now: () => now });
    const bar = output.bar('train', 1000);
    bar.update(900);
    now = 10_000;
    bar.update(910);
    expect(screen.text[0]).toMatch(/910\/1000 {2}1m30s left {2}1\.0\/s$/);
  });

  it('draws several things at once below its lines, and gives the terminal back', () => {
    const screen = new Screen(80);
    let now = 0;
    const output = terminalOutput({ mode: 'auto', out: screen, status: screen, now: () => now });
    const train = output.bar('train', 10);
    const trial = output.bar('trial 3', 4);
    output.note('2 running, 1 pruned');
    now += 1000;
    train.update(5, 'loss 1.0');
    output.line('step 5');
    expect(screen.text.map((row) => row.split('  ')[0])).toEqual(['step 5', 'train', 'trial 3', '2 running, 1 pruned']);
    trial.stop();
    train.stop();
    output.restore();
    expect(screen.text).toEqual(['step 5']);
    expect(screen.cursorShown).toBe(true);
  });
});

describe('watching', () => {
  it('shows runs that are there and runs that come, until it is told to end', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'watch-'));
    const begin = (name: string) =>
      trackRun({ folder: join(folder, name), run: { name, config: { max_steps: 20 } }, env: {} });
    const first = await begin('trial-0');
    first.log({ loss: 2, eval_f1: 0.5 }, 10);
    const controller = new AbortController();
    const lines: string[] = [];
    let words = '';
    const bars: string[] = [];
    const output = {
      section: () => undefined,
      warn: () => undefined,
      restore: () => undefined,
      line: (text = '') => {
        lines.push(text);
        if (lines.length === 1)
          void begin('trial-1').then((run) => (run.log({ eval_f1: 0.75 }, 20), run.finish('finished')));
      },
      note: (text: string) => {
        words = text;
        if (text.includes('1 finished')) controller.abort();
      },
      bar: (label: string, total: number) => ({
        update: (done: number) => void bars.push(`${label} ${done}/${total}`),
        stop: () => undefined,
      }),
    };
    await watchRuns({ folder, output, signal: controller.signal, intervalMs: 1 });
    await first.finish('interrupted');
    expect(lines[0]).toBe('trial-0  step 10  loss 2  eval_f1 0.5000');
    expect(lines).toContain('trial-1  step 20  eval_f1 0.7500');
    expect(bars).toContain('trial-0 10/20');
    expect(words).toBe('1 running, 1 finished, 0 pruned, 0 failed; best eval_f1 0.7500 (trial-1)');
    await rm(folder, { recursive: true });
  });

  it('knows how runs stand', () => {
    const time = '';
    const view = viewAfter({ ...NO_RUN, name: 'a' }, [{ event: 'log', time, step: 5, metrics: { eval_f1: NaN } }]);
    const ended = (['failed', 'pruned', 'interrupted'] as const).map((status) => ({ ...NO_RUN, status }));
    expect(searchLine([view, ...ended.slice(0, 2)])).toBe('1 running, 0 finished, 1 pruned, 1 failed');
    expect(searchLine(ended)).toBe('0 running, 0 finished, 1 pruned, 1 failed, 1 interrupted');
  });
});
