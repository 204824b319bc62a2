export const FOLDERS: Readonly<Record<string, unknown>>;
