// A token is checked and one prepared SELECT by primary key answers: the yardstick of the profile.
import postgres from 'postgres'
import { answer, listen } from './listen.mjs'
import { verifyBearer } from './verify-bearer.mjs'

const sql = postgres(process.env.DATABASE_URL, { max: 10, prepare: true })

async function readProfile(id) {
  const [user] = await sql`
    select id, email, name, is_active, created_at, updated_at from users where id = ${id}`
  return user
}

listen((request, response) => {
  const claims = verifyBearer(request.headers.authorization)
  if (claims === null) return answer(response, 401, { detail: 'Not authenticated' })
  readProfile(claims.sub).then(
    (user) => (user ? answer(response, 200, user) : answer(response, 404, { detail: 'Not found' })),
    () => answer(response, 500, { detail: 'Something went wrong' }),
  )
})
