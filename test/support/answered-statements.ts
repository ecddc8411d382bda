import type { Database, QueryOptions } from '../../src/db/database.js'

/** For `intercept`: tells of each statement outside a transaction once the database has answered it. */
export const onAnswered =
  (tell: (text: string) => void) =>
  (database: Database): Database => ({
    ...database,
    async query<Row extends object>(text: string, values?: readonly unknown[], options?: QueryOptions) {
      const rows = await database.query<Row>(text, values, options)
      tell(text)
      return rows
    },
  })
