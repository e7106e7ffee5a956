import { backupCommand } from './backup.ts'
import { benchCommand } from './bench.ts'
import { clientCommands } from './client/commands.ts'
import type { CommandGroup } from './command-context.ts'
import { completionCommand } from './completion.ts'
import { demoCommand } from './demo.ts'
import { devCommand } from './dev.ts'
import { doctorCommand } from './doctor.ts'
import { migrateCommand } from './migrate.ts'
import { migrateStoreCommand } from './migrate-store.ts'
import { offlineCommands } from './offline/commands.ts'
import { restoreCommand } from './restore.ts'
import { serveCommand } from './serve.ts'

/** Every command, in the order of the help. */
export const allCommands: readonly CommandGroup[] = [
  {
    heading: 'The server:',
    commands: [
      ...[serveCommand, devCommand, demoCommand, benchCommand, migrateCommand],
      ...[doctorCommand, backupCommand, restoreCommand, migrateStoreCommand],
    ],
  },
  { heading: 'Against a server:', commands: clientCommands },
  { heading: 'Without a server:', commands: [...offlineCommands, completionCommand] },
]
