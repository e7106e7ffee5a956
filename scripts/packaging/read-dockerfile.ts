/** One instruction, with its continuation lines joined: `RUN`, `npm ci`. */
export type Step = { instruction: string; argument: string }

/** What stands between one FROM and the next. */
export type Stage = {
  /** An image, or the name of an earlier stage. */
  base: string
  name: string | null
  steps: Step[]
}

/** Reads the stages of a Dockerfile; the last one is the image. Steps before the first FROM are left out. */
export function readDockerfile(text: string): Stage[] {
  const stages: Stage[] = []
  for (const { instruction, argument } of readSteps(text)) {
    if (instruction !== 'FROM') {
      stages.at(-1)?.steps.push({ instruction, argument })
      continue
    }
    const [base = '', , name = null] = argument.split(/\s+/)
    stages.push({ base, name, steps: [] })
  }
  return stages
}

/** The arguments of one instruction in a stage, in order. */
export function argumentsOf({ steps }: Pick<Stage, 'steps'>, instruction: string): string[] {
  return steps.filter((step) => step.instruction === instruction).map(({ argument }) => argument)
}

function readSteps(text: string): Step[] {
  return text
    .split('\n')
    .filter((line) => !/^\s*(?:#|$)/.test(line))
    .join('\n')
    .replaceAll(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => {
      const [, instruction = '', argument = ''] = /^\s*(\S+)\s*(.*?)\s*$/.exec(line) ?? []
      return { instruction: instruction.toUpperCase(), argument }
    })
}
