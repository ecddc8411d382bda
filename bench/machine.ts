import { availableParallelism, cpus, loadavg } from 'node:os'
import pg from 'pg'

/** One line that says where and when figures were taken. `databaseUrl` is of the PostgreSQL in use. */
export async function describeMachine(databaseUrl: string): Promise<string> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  const { rows } = await client.query<{ version: string; fsync: string }>(
    "select current_setting('server_version') as version, current_setting('fsync') as fsync",
  )
  await client.end()
  return [
    new Date().toISOString().slice(0, 10),
    `${availableParallelism()} × ${cpus()[0]?.model.trim()}`,
    `Node ${process.version}`,
    `PostgreSQL ${rows[0]?.version} (fsync ${rows[0]?.fsync})`,
    `load average ${loadavg()[0]?.toFixed(1)} before it`,
  ].join(', ')
}
