/**
 * Node's HTTP server without what an `import` of it brings along: that reads each of its exports,
 * and among them are those of Node's own client, which is loaded for them: 5 MB, and 60 ms.
 */
export const { createServer, STATUS_CODES } = process.getBuiltinModule('node:http')
