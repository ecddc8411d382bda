import { createClient, KeywardError, type SessionEntry, type User } from 'keyward/client'

const auth = createClient({
  url: import.meta.env.VITE_KEYWARD_URL ?? 'http://127.0.0.1:8000',
  storage: localStorage,
})

function find<T extends Element>(type: new () => T, selector: string): T {
  const element = document.querySelector(selector)
  if (!(element instanceof type)) throw new Error(`index.html has no ${selector}`)
  return element
}

/** Runs what a button asks for, and says so if Keyward refuses it. */
async function act(work: () => Promise<unknown>): Promise<void> {
  const alert = find(HTMLElement, '[role=alert]')
  alert.textContent = ''
  try {
    await work()
  } catch (error) {
    if (!(error instanceof KeywardError)) throw error
    const fields = error.errors.map(({ field, message }) => `${field} ${message}`)
    alert.textContent = [error.message, ...fields].join('; ')
  }
}

function textOf(form: FormData, name: string): string {
  const value = form.get(name)
  return typeof value === 'string' ? value : ''
}

find(HTMLFormElement, '#credentials').addEventListener('submit', (event) => {
  event.preventDefault()
  const form = event.target as HTMLFormElement
  const data = new FormData(form)
  const credentials = { email: textOf(data, 'email'), password: textOf(data, 'password') }
  const isNew = (event.submitter as HTMLButtonElement | null)?.value === 'register'
  void act(async () => {
    await (isNew ? auth.register({ ...credentials, name: textOf(data, 'name') }) : auth.login(credentials))
    form.reset()
  })
})

find(HTMLFormElement, '#profile').addEventListener('submit', (event) => {
  event.preventDefault()
  const data = new FormData(event.target as HTMLFormElement)
  void act(() => auth.updateProfile({ name: textOf(data, 'name') }))
})

find(HTMLButtonElement, '#reload').addEventListener('click', () => void act(listSessions))
find(HTMLButtonElement, '#logout').addEventListener('click', () => void act(() => auth.logout()))
find(HTMLButtonElement, '#logout-all').addEventListener('click', () => void act(() => auth.logoutAll()))

/** Shows the page for whoever is logged in, or for nobody. */
function show(user: User | null): void {
  find(HTMLElement, '#guest').hidden = user !== null
  find(HTMLElement, '#home').hidden = user === null
  find(HTMLElement, '#greeting').textContent = user?.name ?? ''
  find(HTMLInputElement, '#profile input').value = user?.name ?? ''
  find(HTMLElement, '#sessions').replaceChildren()
  if (user) void act(listSessions)
}

async function listSessions(): Promise<void> {
  const sessions = await auth.listSessions()
  find(HTMLElement, '#sessions').replaceChildren(...sessions.map(sessionItem))
}

function sessionItem({ id, address, user_agent, created_at, current }: SessionEntry): HTMLLIElement {
  const item = document.createElement('li')
  const since = new Date(created_at).toLocaleString()
  item.append(`${address}, ${user_agent || 'unknown program'}, since ${since} `)
  if (current) {
    item.append('(here)')
    return item
  }
  const end = document.createElement('button')
  end.textContent = 'End'
  end.addEventListener('click', () => {
    void act(async () => {
      await auth.endSession(id)
      await listSessions()
    })
  })
  item.append(end)
  return item
}

// Tells who is logged in now, and every change: in this tab, in another one, or when the session has ended elsewhere.
auth.onChange(show)
