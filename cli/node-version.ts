const oldest = [20, 19] as const;

/** What to tell the user of a Node that is too old (oldest: 20.19), or undefined for one that will do. */
export function refuseOldNode(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return undefined;
  return `drover needs Node ${oldest.join('.')} or newer; this is Node ${version}. Install a newer one: https://nodejs.org`;
}
