/**
 * What a process's environment must have for Dawn to find the software GPU alone, its driver unpacked into `folder`; nothing
 * where npm brings none.
 */
export function softwareGpu(folder: string): Promise<Record<string, string>>;
