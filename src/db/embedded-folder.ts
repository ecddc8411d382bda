import { existsSync } from 'node:fs'
import { join } from 'node:path'

export const embeddedFolder = (dataDir: string): string => join(dataDir, 'postgres')

/** Whether an embedded database has been made under this data folder. */
export const hasEmbeddedDatabase = (dataDir: string): boolean =>
  existsSync(join(embeddedFolder(dataDir), 'PG_VERSION'))
