import { PlannedShader, plannedShader } from '../../webgpu/pipelines';
import { uniformBuffer } from '../../webgpu/uniforms';
import { readBuffers, writtenBuffers, type Runnable } from '../commands';
import { canBePart, joinBeside } from './beside';
import type { Draft } from './draft';
import { joinIntoReader } from './into-reader';
import { remembered } from './remembered';
import { declaredWorkgroupBytes, parseShader, printShader, type ShaderText } from './shader-text';

/** A command as it was recorded, and the draft of its shader where it has one that can be joined. */
interface Item {
  readonly command: Runnable | undefined;
  readonly draft: Draft | undefined;
}

/** How many commands away a dispatch may go to run beside another. */
const REACH = 16;
/** Most workgroups of dispatches that run beside each other: with more of them a GPU is busy anyway. */
const MOST_WORKGROUPS = 4096;
/**
 * Bytes of workgroup memory from which a shader works on tiles, and runs beside nothing: all workgroups of a joined shader take
 * the registers and the memory of its greediest part. Products joined with weight gradients were slower (docs/performance.md).
 */
const TILES_FROM = 8192;

const texts = new Map<string, ShaderText | undefined>();

/**
 * Fewer dispatches that do the same, since each costs the host time and the GPU a pause: what only makes the values that
 * the next one reads is made there, and little work runs beside other work that it doesn't depend on. Shaders say of
 * themselves what can be done with them (`Joining`); dependencies are those of the recorded commands.
 */
export function joinDispatches(device: GPUDevice, commands: readonly Runnable[]): Runnable[] {
  const items = besideOthers(device, intoReaders(device, commands.map(itemOf)));
  return items.map(({ command, draft }) => {
    if (command !== undefined) return command;
    const { label, bindings, workgroups, text } = draft!;
    const code = remembered([text], 'printed', () => printShader(text));
    return { kind: 'dispatch', label, bindings, workgroups, shader: plannedShader(label, code) };
  });
}

function itemOf(command: Runnable): Item {
  if (command.kind === 'copy' || !(command.shader instanceof PlannedShader)) return { command, draft: undefined };
  const { shader } = command;
  if (!texts.has(shader.code)) texts.set(shader.code, parseShader(shader.code));
  const text = texts.get(shader.code);
  if (text === undefined) return { command, draft: undefined };
  const { label, bindings, workgroups } = command;
  return {
    command,
    draft: { kind: 'dispatch', label, text, joining: shader.joining, bindings, workgroups },
  };
}

/** What makes the values of its neighbour's first read is made there. */
function intoReaders(device: GPUDevice, items: readonly Item[]): Item[] {
  const list: Item[] = [];
  for (const item of items) {
    const maker = list.at(-1)?.draft;
    const joined =
      maker?.joining.makes === undefined || item.draft?.joining.takes === undefined
        ? undefined
        : joinIntoReader(maker, item.draft);
    if (joined === undefined || !fits(device, [joined])) list.push(item);
    else list[list.length - 1] = { command: undefined, draft: joined };
  }
  return list;
}

const isGuest = ({ draft }: Item): boolean => draft?.joining.beside === true && canBePart(draft.text);

/** What is little work goes beside other work; those that have the fewest places to go to choose first. */
function besideOthers(device: GPUDevice, items: readonly Item[]): Item[] {
  const groups = items.map((item) => [item]);
  const guests = groups
    .filter(([item]) => isGuest(item!))
    .map((group) => ({ group, hosts: hostsFor(device, groups, groups.indexOf(group)).length }))
    .sort((a, b) => a.hosts - b.hosts);
  for (const { group } of guests) {
    const at = groups.indexOf(group);
    // Another one may run beside it by now.
    if (group.length > 1) continue;
    const hosts = hostsFor(device, groups, at);
    // Two that could both go elsewhere had better do so.
    const host = hosts.find((place) => groups[place]!.some((item) => !isGuest(item))) ?? hosts[0];
    if (host === undefined) continue;
    groups[host]!.push(group[0]!);
    groups.splice(at, 1);
  }
  return groups.map((group) =>
    group.length === 1
      ? group[0]!
      : {
          command: undefined,
          draft: joinBeside(
            group.map(({ draft }) => draft!),
            (words) => uniformBuffer(device, words),
          ),
        },
  );
}

/** Places of the dispatches that the one at `at` can run beside, the nearest first. */
function hostsFor(device: GPUDevice, groups: readonly (readonly Item[])[], at: number): number[] {
  const guest = groups[at]![0]!;
  const hosts: number[] = [];
  const open = { before: true, after: true };
  for (let distance = 1; distance <= REACH; distance++) {
    for (const side of ['before', 'after'] as const) {
      const place = side === 'before' ? at - distance : at + distance;
      const group = groups[place];
      if (!open[side] || group === undefined) continue;
      // It can neither run beside nor pass what it depends on, or what depends on it.
      if (group.some((item) => depend(item, guest))) open[side] = false;
      else if (group.every(({ draft }) => draft !== undefined && canBePart(draft.text))) {
        if (fits(device, [...group.map(({ draft }) => draft!), guest.draft!])) hosts.push(place);
      }
    }
  }
  return hosts;
}

function depend(a: Item, b: Item): boolean {
  const [one, other] = [a, b].map(({ command, draft }) => (command ?? draft) as Runnable) as [Runnable, Runnable];
  const [written, otherWritten] = [writtenBuffers(one), writtenBuffers(other)];
  return (
    written.some((buffer) => readBuffers(other).includes(buffer) || otherWritten.includes(buffer)) ||
    otherWritten.some((buffer) => readBuffers(one).includes(buffer))
  );
}

/** Whether the device takes these in one dispatch, and it is worth it. */
function fits({ limits }: GPUDevice, drafts: readonly Draft[]): boolean {
  const storage = drafts.reduce(
    (sum, { text }) => sum + text.declarations.filter(({ kind }) => kind === 'storage').length,
    0,
  );
  if (storage > limits.maxStorageBuffersPerShaderStage) return false;
  if (drafts.length === 1) return true;
  const { threads } = drafts[0]!.text.main;
  if (drafts.some(({ text }) => text.main.threads !== threads)) return false;
  if (drafts.some(({ text }) => remembered([text], 'bytes', () => declaredWorkgroupBytes(text)) >= TILES_FROM))
    return false;
  return drafts.reduce((sum, { workgroups: [x, y, z] }) => sum + x * y * z, 0) <= MOST_WORKGROUPS;
}
