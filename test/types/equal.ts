/** True only for the very same type: neither `any` nor a wider one passes. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Takes nothing but `true`: `expectType<Equal<A, B>>()` does not compile where they differ. */
export function expectType<_Holds extends true>(): void {}
