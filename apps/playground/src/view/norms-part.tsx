import { useEffect, useState } from 'preact/hooks';
import type { Playground } from '../state/playground';
import type { LayerNorm, Slot } from '../worker/protocol';
import { figure, percent } from './format';

/** How far the adapter moves each layer. */
export function NormsPart({ playground, slot }: { playground: Playground; slot: Slot }) {
  const [norms, set] = useState<readonly LayerNorm[]>([]);
  useEffect(() => void playground.ask(slot, 'norms').then(set, () => undefined), [playground, slot]);
  const most = Math.max(...norms.map(({ relative }) => relative), 1e-12);
  return (
    <>
      <h3>What the adapter changed</h3>
      <p class="muted">The size of its change against the size of the frozen weight, layer by layer.</p>
      <div class="scroll" tabIndex={0} role="region" aria-label="What the adapter changed, layer by layer">
        <table class="norms" data-testid="norms">
          <thead>
            <tr>
              <th scope="col">Layer</th>
              <th scope="col">Change</th>
              <th scope="col">Against the weight</th>
            </tr>
          </thead>
          <tbody>
            {norms.map(({ layer, change, relative }) => (
              <tr key={layer}>
                <th scope="row">{layer}</th>
                <td>{figure(change)}</td>
                <td>
                  {percent(relative)}{' '}
                  <svg class="norm" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                    <rect width={(100 * relative) / most} height="10" rx="2" />
                  </svg>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
