/** What `import()` is, for the other files of the build: it does not work in code that V8 kept. */
export const importModule = (name: string): Promise<unknown> => import(name);
