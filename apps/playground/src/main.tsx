import { render } from 'preact';
import './style/page.css';
import './style/parts.css';
import { Playground } from './state/playground';
import { App } from './view/app';

const playground = new Playground();
render(<App playground={playground} />, document.getElementById('page')!);
void playground.open();
