#!/usr/bin/env node
import { cacheCompiled } from './cli/compile-cache.ts'
import { startOver } from './cli/start-over.ts'

/** The process. Before anything else is loaded: a server may have to begin once more. */
cacheCompiled(process, import.meta.url)
startOver(process)
const { runProcess } = await import('./cli/run-process.ts')
await runProcess()
