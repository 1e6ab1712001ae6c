export { openFolder } from './open-folder';
