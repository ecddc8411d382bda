// Keyward with the mistake that bench:timing must find: an unknown e-mail is refused before anything is hashed.
import { FIND_BY_EMAIL } from '../../dist/accounts/sql.js'
import { compose } from '../../dist/compose.js'
import { composeHashThreads } from '../../dist/compose-passwords.js'
import { readConfig } from '../../dist/config.js'
import { createLog } from '../../dist/log.js'
import { openDatabase } from '../../dist/open-database.js'

const config = readConfig(process.env)
const log = createLog(config.logLevel)
const { database } = await openDatabase(config, log)
const hashThreads = composeHashThreads(config)

// One log-in is under way at a time.
let isUnknown = false
const { app } = await compose({
  config,
  generatedSecret: null,
  database: {
    ...database,
    async query(text, values, options) {
      const rows = await database.query(text, values, options)
      if (text === FIND_BY_EMAIL) isUnknown = rows.length === 0
      return rows
    },
  },
  log,
  hashEngine: {
    ...hashThreads,
    bcryptVerify: async (...values) => !isUnknown && hashThreads.bcryptVerify(...values),
    argon2idVerify: async (...values) => !isUnknown && hashThreads.argon2idVerify(...values),
  },
})
const url = await app.listen({ host: config.host, port: config.port })
log.info({ url }, 'listening')
