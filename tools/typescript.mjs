// Has Node load the workspace's TypeScript sources: given with --import, on the main thread and in worker threads alike.
// (tsx's own --import leaves worker threads out.)
// usage: node --conditions=@qlora-js/source --import PATH_OR_URL_OF_THIS_FILE FILE
import { register } from 'tsx/esm/api';

register();
