// A token is checked, no database is asked: the yardstick of a route behind the guard.
import { answer, listen } from './listen.mjs'
import { verifyBearer } from './verify-bearer.mjs'

listen((request, response) => {
  const claims = verifyBearer(request.headers.authorization)
  if (claims === null) answer(response, 401, { detail: 'Not authenticated' })
  else answer(response, 200, { id: claims.sub })
})
