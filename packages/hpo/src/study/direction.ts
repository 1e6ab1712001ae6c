/** Whether a smaller or a larger value of the objective is the better one. */
export type Direction = 'minimize' | 'maximize';
