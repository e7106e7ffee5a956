/** A bar that is drawn over and over on a terminal, and lines now and then elsewhere. */
export interface ProgressBar {
  update(done: number, total: number): void
  end(): void
}

const width = 30
/** Elsewhere: one line for each tenth. */
const stepsElsewhere = 10

export function createProgressBar(
  stream: Pick<NodeJS.WriteStream, 'write' | 'isTTY'>,
  label: string,
): ProgressBar {
  let lastShare = -1
  return {
    update(done, total) {
      const share = total === 0 ? 1 : Math.min(1, done / total)
      const percent = `${Math.floor(share * 100)} %`
      if (stream.isTTY) {
        const filled = Math.round(share * width)
        const bar = '█'.repeat(filled) + '░'.repeat(width - filled)
        stream.write(`\r${label} ${bar} ${percent.padStart(5)}`)
      } else if (Math.floor(share * stepsElsewhere) > lastShare) {
        stream.write(`${label} ${percent}\n`)
      }
      lastShare = Math.floor(share * stepsElsewhere)
    },
    end() {
      if (stream.isTTY) stream.write('\n')
    },
  }
}
