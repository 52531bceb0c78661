/** The entry. First whether this Node will do, with nothing loaded that an old one could not read; then the rest. */

/** better-sqlite3 needs Node-API 10, and TypeScript is run as it is: older ones fail later and less plainly. */
const NODE_MIN: readonly [number, number] = [24, 16]

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1])) {
  process.stderr.write(`gatehouse: needs Node ${NODE_MIN.join('.')} or newer, this is ${process.versions.node}.\n`)
  process.exitCode = 70
} else {
  const { enableCache } = await import('./cli/cache.ts')
  enableCache()
  const { runCli } = await import('./cli/cli.ts')
  const { endOnBug, processIo } = await import('./cli/io.ts')
  endOnBug()
  process.exitCode = await runCli(
    process.argv.slice(2),
    {
      // Rooms below the command line: it may not know them, so they are handed to it.
      run: async (options) => (await import('./daemon.ts')).runGateway(options),
      demo: async (options) => {
        const [{ runDemo }, { openGateway }] = await Promise.all([import('./simulate/demo.ts'), import('./gateway.ts')])
        return runDemo({ ...options, openGateway })
      },
      openSimulation: async (options) => (await import('./simulate/open.ts')).openSimulation(options),
    },
    processIo(),
  )
  // All is closed by now. What is still open would be a bug, and must not keep the service from being restarted.
  setTimeout(() => process.exit(), 5000).unref()
}
