import type { RecordedBinding } from '../commands';
import { spread, WORKGROUP_INDEX } from '../../webgpu/shader';
import { joinedLabel, type Draft } from './draft';
import { rebound } from './into-reader';
import { linkModules, type Linked } from './link';
import { remembered } from './remembered';
import { renameIn, type ShaderText } from './shader-text';

/** Where in the joined shader's parameters a part finds its own, by builtin; `threads` is a number. */
const PARAMETERS: Readonly<Record<string, (threads: number) => string>> = {
  workgroup_id: () => 'place',
  num_workgroups: () => 'grid',
  local_invocation_index: () => 'lane',
  local_invocation_id: () => 'vec3u(lane, 0u, 0u)',
  global_invocation_id: (threads) => `vec3u(place.x * ${threads}u + lane, place.yz)`,
};

/** Whether a shader asks for nothing that a part of a joined one can't be given. */
export const canBePart = ({ main }: ShaderText): boolean =>
  main.parameters.every(([builtin]) => PARAMETERS[builtin] !== undefined);

const countOf = ([x, y, z]: Draft['workgroups']): number => x * y * z;

/**
 * Several dispatches as one: the workgroups of the first, then those of the second and so on, each running its own part's
 * text. They must not depend on each other and have as many threads.
 *
 * @param uniformsOf makes a uniform buffer of words
 */
export function joinBeside(parts: readonly Draft[], uniformsOf: (words: readonly number[]) => GPUBuffer): Draft {
  const texts = parts.map(({ text }) => text);
  const { text, bindings } = remembered(texts, 'beside', () => joinTexts(texts));
  const all: RecordedBinding[] = parts.flatMap((part, index) => rebound(part.bindings, bindings[index]!));
  const grids = { buffer: uniformsOf(gridWords(parts)), offset: 0, size: undefined, written: false };
  return {
    kind: 'dispatch',
    label: joinedLabel(parts.map(({ label }) => label)),
    joining: {},
    workgroups: spread(parts.reduce((sum, { workgroups }) => sum + countOf(workgroups), 0)),
    bindings: [...all, { ...grids, binding: all.length }],
    text,
  };
}

function joinTexts(texts: readonly ShaderText[]): { text: ShaderText; bindings: Linked['bindings'] } {
  const { threads } = texts[0]!.main;
  const { directives, declarations, names, bindings } = linkModules(texts);
  const bound = bindings.reduce((sum, { size }) => sum + size, 0);
  const functions = texts.map(({ main }, index) => {
    const taken = main.parameters.map(([, name, type]) => `${name}: ${type}`).join(', ');
    return `fn part${index}(${taken}) ${renameIn(main.body, names[index]!)}`;
  });
  const calls = texts.map(({ main }, index) => {
    const given = main.parameters.map(([builtin]) => PARAMETERS[builtin]!(threads)).join(', ');
    return `case ${index}u: { part${index}(${given}); }`;
  });
  const starts = texts.slice(1).map((_, i) => `if (number >= grids.parts[${i + 1}].w) { part = ${i + 1}u; }`);
  const body = `{
  let number = ${WORKGROUP_INDEX};
  var part = 0u;
  ${starts.join('\n  ')}
  let grid = grids.parts[part].xyz;
  let own = number - grids.parts[part].w;
  let place = vec3u(own % grid.x, (own / grid.x) % grid.y, own / (grid.x * grid.y));
  if (place.z >= grid.z) { return; }
  switch part {
    ${calls.join('\n    ')}
    default: {}
  }
}`;
  return {
    bindings,
    text: {
      directives,
      declarations: [
        ...declarations,
        // Of each part: its workgroups by dimension, and the number of its first.
        { kind: 'other', name: 'Grids', text: `struct Grids { parts: array<vec4u, ${texts.length}> }`, binding: -1 },
        {
          kind: 'uniform',
          name: 'grids',
          text: `@group(0) @binding(${bound}) var<uniform> grids: Grids;`,
          binding: bound,
        },
        ...functions.map((text, index) => ({ kind: 'other' as const, name: `part${index}`, text, binding: -1 })),
      ],
      main: {
        threads,
        parameters: [
          ['workgroup_id', 'workgroup', 'vec3u'],
          ['num_workgroups', 'workgroups', 'vec3u'],
          ['local_invocation_index', 'lane', 'u32'],
        ],
        body,
      },
    },
  };
}

function gridWords(parts: readonly Draft[]): number[] {
  let start = 0;
  return parts.flatMap(({ workgroups }) => {
    const words = [...workgroups, start];
    start += countOf(workgroups);
    return words;
  });
}
