/** Path of the file `generatedSource` is written to. */
export const generatedFile: string;
export function compileKernels(options?: { text?: boolean }): Promise<{ bytes: Uint8Array; text: string | undefined }>;
export function generatedSource(bytes: Uint8Array): string;
