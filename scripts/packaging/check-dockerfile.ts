import { argumentsOf, readDockerfile, type Stage } from './read-dockerfile.ts'

/**
 * What is wrong with a Dockerfile, as sentences; none where all is well. Stands in for a build where
 * there is no container engine: it knows the mistakes that would make an image unsafe or unhealthy,
 * not every mistake of syntax.
 */
export function checkDockerfile(text: string): string[] {
  const stages = readDockerfile(text)
  const image = stages.at(-1)
  if (image === undefined) return ['There is no FROM.']
  return [
    ...stages.flatMap((stage, index) => checkBase(stage, stages.slice(0, index))),
    ...stages.flatMap(checkSteps),
    ...stages.flatMap((stage) => checkSources(stage, stages)),
    ...checkUser(image),
    ...checkHealth(image),
    ...checkStart(image),
  ]
}

const instructions: ReadonlySet<string> = new Set([
  ...['COPY', 'RUN', 'ENV', 'WORKDIR', 'USER', 'VOLUME', 'EXPOSE', 'HEALTHCHECK'],
  ...['ENTRYPOINT', 'CMD', 'ARG', 'LABEL', 'STOPSIGNAL'],
])

function checkBase({ base }: Stage, earlier: readonly Stage[]): string[] {
  if (earlier.some(({ name }) => name === base)) return []
  const [image = '', tag] = base.split(':')
  // What stands before the first slash is a registry where it has a dot, and a user where not.
  if (image.includes('/')) return [`${base} is not an official image of the default registry.`]
  return tag === undefined || tag === 'latest' ? [`${base} has no tag that says what it is.`] : []
}

function checkSteps({ steps }: Stage): string[] {
  return steps.flatMap(({ instruction, argument }) => {
    // ADD fetches addresses and unpacks archives; COPY does what it says.
    if (!instructions.has(instruction)) return [`${instruction} is not among the known steps.`]
    return /\b(?:curl|wget|sudo)\b/.test(argument) ? [`${argument} calls what is not there.`] : []
  })
}

function checkSources(stage: Stage, stages: readonly Stage[]): string[] {
  return argumentsOf(stage, 'COPY').flatMap((argument) => {
    const source = /--from=(\S+)/.exec(argument)?.[1]
    const isKnown = source === undefined || stages.some(({ name }) => name === source)
    return isKnown ? [] : [`There is no stage ${source} to copy from.`]
  })
}

function checkUser(image: Stage): string[] {
  const user = argumentsOf(image, 'USER').at(-1)
  if (user === undefined) return ['The image runs as root: USER is missing.']
  if (!/^[1-9]\d*(?::[1-9]\d*)?$/.test(user)) return [`USER ${user} is not a number above 0.`]
  return []
}

function checkHealth(image: Stage): string[] {
  const check = argumentsOf(image, 'HEALTHCHECK').at(-1)
  if (check === undefined || check === 'NONE') return ['HEALTHCHECK is missing.']
  const command = healthCommandOf(image)
  if (command === null) return ['HEALTHCHECK is not CMD with a list of texts.']
  return command[0] === 'node' ? [] : [`HEALTHCHECK calls ${command[0]}, not node.`]
}

function checkStart(image: Stage): string[] {
  return ['ENTRYPOINT', 'CMD'].flatMap((instruction) => {
    const argument = argumentsOf(image, instruction).at(-1) ?? ''
    // As a text it would run under a shell, which keeps the signals to itself.
    return readList(argument) === null ? [`${instruction} is not a list of texts.`] : []
  })
}

/** Program and parameters of the health check; null where there is none in this form. */
export function healthCommandOf(image: Stage): string[] | null {
  const check = argumentsOf(image, 'HEALTHCHECK').at(-1) ?? ''
  return readList(check.replace(/^(?:--\S+\s+)*CMD\s+/, ''))
}

/** `["a", "b"]`; null for anything else. */
export function readList(argument: string): string[] | null {
  try {
    const list: unknown = JSON.parse(argument)
    const isList = Array.isArray(list) && list.every((item) => typeof item === 'string')
    return isList && list.length > 0 ? list : null
  } catch {
    return null
  }
}
