import pg from 'pg'

const TIMESTAMP = 1114
const TIMESTAMPTZ = 1184

/**
 * Reads both timestamp types as UTC instants, whatever the time zone of this process or of the connection.
 * `timestamp without time zone` holds UTC by agreement with the Python stack that may share the table.
 */
export const utcTimestamps: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text') => {
    if (oid === TIMESTAMP) return (text: string) => new Date(`${text.replace(' ', 'T')}Z`)
    if (oid === TIMESTAMPTZ) return parseTimestamptz
    return pg.types.getTypeParser(oid, format)
  }) as pg.CustomTypesConfig['getTypeParser'],
}

/** `2026-11-22 12:00:00.123456+05:30`; the offset may lack its minutes. */
function parseTimestamptz(text: string): Date {
  const withMinutes = /[+-]\d\d$/.test(text) ? `${text}:00` : text
  return new Date(withMinutes.replace(' ', 'T'))
}
