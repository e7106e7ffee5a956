import { adapterFiles } from './adapter-files.ts'
import { clockAndRandomness } from './clock-and-randomness.ts'
import { debugMarkers } from './debug-markers.ts'
import { defaultExports } from './default-exports.ts'
import { docPaths } from './doc-paths.ts'
import { environment } from './environment.ts'
import { fileLength } from './file-length.ts'
import { fileNames } from './file-names.ts'
import { functionLength } from './function-length.ts'
import { importTable } from './import-table.ts'
import { machineNames } from './machine-names.ts'
import { outgoingHttp } from './outgoing-http.ts'
import type { Rule } from './rule.ts'
import { skippedTests } from './skipped-tests.ts'
import { sqlOutsideStorage } from './sql-outside-storage.ts'

/** Every rule of the house, one file each. */
export const rules: readonly Rule[] = [
  importTable,
  fileLength,
  functionLength,
  environment,
  clockAndRandomness,
  sqlOutsideStorage,
  outgoingHttp,
  defaultExports,
  adapterFiles,
  docPaths,
  skippedTests,
  fileNames,
  debugMarkers,
  machineNames,
]
