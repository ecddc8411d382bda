// node:http and nothing else: how fast this machine answers at all.
import { answer, listen } from './listen.mjs'

listen((_request, response) => answer(response, 200, { id: '00000000-0000-4000-8000-000000000000' }))
