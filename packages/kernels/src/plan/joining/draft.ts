import type { RecordedBinding } from '../commands';
import type { Joining } from '../../webgpu/shader';
import type { ShaderText } from './shader-text';

/** A dispatch whose shader may still be joined with others. */
export interface Draft {
  readonly kind: 'dispatch';
  readonly label: string;
  readonly text: ShaderText;
  readonly joining: Joining;
  readonly bindings: readonly RecordedBinding[];
  readonly workgroups: readonly [number, number, number];
}

/** `sum {...}` and `norm {...}` as `sum + norm {...} + {...}`: names first, which profiles go by. */
export function joinedLabel(labels: readonly string[]): string {
  const parts = labels.map((label) => {
    const at = label.indexOf(' {');
    return at < 0 ? [label, '{}'] : [label.slice(0, at), label.slice(at + 1)];
  });
  return `${parts.map(([name]) => name).join(' + ')} ${parts.map(([, constants]) => constants).join(' + ')}`;
}
