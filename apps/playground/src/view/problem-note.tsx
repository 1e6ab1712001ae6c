import type { Problem } from '../worker/protocol';

/** An error, where it happened. */
export function ProblemNote({ problem }: { problem: Problem }) {
  return (
    <p class="problem" role="alert">
      <strong>{problem.code}</strong> {problem.message}
    </p>
  );
}
