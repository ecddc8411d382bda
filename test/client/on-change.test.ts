import { expect, test } from 'vitest'
import type { KeywardClient } from '../../src/client/index.js'
import { catchUncaught } from '../support/catch-uncaught.js'
import { PASSWORD } from '../support/test-app.js'
import { createMapStorage, useKeyward } from './keyward-client.js'

const keyward = useKeyward()

function listen(client: KeywardClient): { names: (string | null)[]; stop: () => void } {
  const names: (string | null)[] = []
  return { names, stop: client.onChange((user) => names.push(user?.name ?? null)) }
}

test('tells the state at first, then log-in, new name and log-out, each once', async () => {
  const { client, email } = await keyward.newUser()
  await client.logout()
  const { names } = listen(client)
  await client.user()
  await client.login({ email, password: PASSWORD })
  await client.user()
  keyward.expireAccessTokens()
  await client.readProfile()
  await client.updateProfile({ name: 'Augusta' })
  await client.logout()
  expect(names).toEqual([null, 'Ada', 'Augusta', null])
})

test('tells a second listener the state as well, and nobody who has stopped', async () => {
  const { client } = await keyward.newUser()
  const first = listen(client)
  await client.user()
  const second = listen(client)
  await client.user()
  first.stop()
  await client.logout()
  expect([first.names, second.names]).toEqual([['Ada'], ['Ada', null]])
})

test('a listener may call and wait for the client itself', async () => {
  const { client, email } = await keyward.newUser()
  await client.logout()
  const profile = new Promise((resolve, reject) => {
    client.onChange((user) => {
      if (user !== null) client.updateProfile({ name: 'Augusta' }).then(resolve, reject)
    })
  })
  await client.login({ email, password: PASSWORD })
  expect(await profile).toMatchObject({ name: 'Augusta' })
})

test('a listener that fails spoils no call: its error goes where uncaught ones go', async () => {
  const { client, email } = await keyward.newUser()
  await client.logout()
  const [uncaught, restore] = catchUncaught()
  client.onChange((user) => {
    if (user !== null) throw new Error(`cannot show ${user.name}`)
  })
  expect(await client.login({ email, password: PASSWORD })).toMatchObject({ email })
  await client.readProfile()
  restore()
  expect(uncaught).toEqual([new Error('cannot show Ada')])
})

test('what a slow storage answers late does not undo a log-out', async () => {
  const storage = createMapStorage()
  const { client } = await keyward.newUser({ storage })
  const { names } = listen(client)
  await client.user()
  let answer = (): void => {}
  const { getItem } = storage
  storage.getItem = (key) => {
    const found = getItem(key)
    storage.getItem = getItem
    return new Promise((resolve) => {
      answer = () => resolve(found)
    })
  }
  const late = client.user()
  await client.logout()
  answer()
  await late
  expect(names).toEqual(['Ada', null])
})
