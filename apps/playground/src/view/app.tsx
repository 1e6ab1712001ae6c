import { useEffect, useState } from 'preact/hooks';
import type { Playground } from '../state/playground';
import { DataSection } from './data-section';
import { KeepSection } from './keep-section';
import { LookSection } from './look-section';
import { ModelSection } from './model-section';
import { SettingsSection } from './settings-section';
import { StartSection } from './start-section';
import { TrainingSection } from './training-section';
import { TrySection } from './try-section';

/** The whole page. */
export function App({ playground }: { playground: Playground }) {
  const [, redraw] = useState(0);
  useEffect(() => playground.subscribe(() => redraw((count) => count + 1)), [playground]);
  const { state } = playground;
  return (
    <>
      <header class="top">
        <span class="mark" aria-hidden="true">
          q
        </span>
        <span class="name">qlora.js</span>
        <span class="place">In the page</span>
      </header>
      <main>
        <StartSection playground={playground} state={state} />
        <div class="columns">
          <div class="column">
            <DataSection playground={playground} state={state} />
            <ModelSection playground={playground} state={state} />
            <SettingsSection playground={playground} state={state} />
            <KeepSection playground={playground} state={state} />
          </div>
          <div class="column">
            <TrainingSection playground={playground} runs={state.runs} />
            <TrySection playground={playground} state={state} />
            <LookSection playground={playground} state={state} />
          </div>
        </div>
      </main>
      <p class="hidden" role="status" aria-live="polite">
        {state.announcement}
      </p>
    </>
  );
}
