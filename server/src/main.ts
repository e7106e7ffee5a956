#!/usr/bin/env node
import { startOver } from './cli/start-over.ts'

/** The process. Before anything else is loaded: a server may have to begin once more. */
startOver(process)
const { runProcess } = await import('./cli/run-process.ts')
await runProcess()
