/**
 * What every program that a test starts has of the environment of the tests: where programs are, and
 * where Node keeps compiled code, without which each start compiles the whole server again.
 */
export function childEnvironment(): Record<string, string> {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  return {
    ...(PATH === undefined ? {} : { PATH }),
    ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }),
  }
}
