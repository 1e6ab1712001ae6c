/** Path of the file `generatedSource` is written to. */
export const generatedFile: string;
export type CompiledKernels = Record<string, { bytes: Uint8Array; text: string }>;
export function compileKernels(): Promise<CompiledKernels>;
export function generatedSource(compiled: CompiledKernels): string;
