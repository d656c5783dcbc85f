/** The end of a switch that forgot nothing: a new variant fails to compile here. */
export function assertNever(value: never): never {
  throw new Error(`Not a known variant: ${JSON.stringify(value)}`);
}
