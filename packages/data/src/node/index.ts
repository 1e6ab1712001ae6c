export { openData } from './open-data';
