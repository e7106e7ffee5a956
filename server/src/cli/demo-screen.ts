/** Where the demo is shown: drawn over and over on a terminal, else line by line. */
export interface DemoScreen {
  /** True where `draw` replaces what it drew before. */
  readonly isLive: boolean
  /** Replaces the picture. Only where `isLive`. */
  draw(lines: readonly string[]): void
  /** Writes a line that stays. */
  say(line: string): void
}

export function createDemoScreen(options: {
  stdout: Pick<NodeJS.WriteStream, 'write' | 'isTTY'>
  /** False for terminals that cannot move the cursor. */
  canRedraw: boolean
}): DemoScreen {
  const { stdout, canRedraw } = options
  let drawnCount = 0
  return {
    isLive: stdout.isTTY === true && canRedraw,
    draw(lines) {
      const up = drawnCount === 0 ? '' : `\x1b[${drawnCount}A`
      // Each line is wiped as it is replaced, so that nothing flickers.
      stdout.write(up + lines.map((line) => `\x1b[2K${line}\n`).join(''))
      drawnCount = lines.length
    },
    say(line) {
      drawnCount = 0
      stdout.write(`${line}\n`)
    },
  }
}
