// The running stack, the people and the clients of the tests.
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createClient } from '@supabase/supabase-js'

const path = process.env.PLINTH_STACK
if (!path) throw new Error('PLINTH_STACK names the stack.json of a running stack')

export const stack = JSON.parse(await readFile(path, 'utf8'))
export const PASSWORD = 'correct horse battery'

export const unique = () => `t${randomBytes(8).toString('hex')}`
export const address = () => `${unique()}@example.com`

/** A client as an app makes it, without timers or storage that would outlive a test. */
export const client = (url, key) =>
  createClient(url, key, { auth: { persistSession: false, autoRefreshToken: false } })

/** A call to the control API; throws with the whole reply when the status is another one. */
export async function call(method, at, { token, body, status = 200, headers = {} } = {}) {
  const reply = await fetch(`${stack.url}${at}`, {
    method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body && JSON.stringify(body),
  })
  const text = await reply.text()
  if (reply.status !== status) throw new Error(`${method} ${at}: ${reply.status}, not ${status}: ${text}`)
  return text ? JSON.parse(text) : null
}

/** The access token of the platform's first Admin. */
export async function admin() {
  const { email, password } = stack.admin
  const session = await call('POST', '/auth/v1/token?grant_type=password', { body: { email, password } })
  return session.access_token
}

/** A client signed in as a new end user. */
export async function endUser(url, key) {
  const supabase = client(url, key)
  const email = address()
  const { data, error } = await supabase.auth.signUp({ email, password: PASSWORD })
  if (error) throw error
  return { supabase, email, id: data.user.id, session: data.session }
}

/** What a call gave, given that it did not fail. */
export function good(reply) {
  if (reply.error) throw new Error(`${reply.status}: ${JSON.stringify(reply.error)}`)
  return reply.data
}

/** A new project of its own; at level `database` it may bring its own SQL. */
export async function project(token, isolation) {
  const { project } = await call('POST', '/api/projects', { token, body: { name: unique() }, status: 201 })
  const body = { backendType: 'managed', config: { isolation } }
  const made = await call('POST', `/api/projects/${project.id}/backend/provision`, { token, body, status: 201 })
  return { id: project.id, database: made.database.id, url: made.apiUrl, publishable: made.apiKey, secret: made.secretKey }
}

/** Runs a script in a project's database. */
export const sql = (token, project, query) =>
  call('POST', `/api/database/${project.database}/sql`, { token, body: { query, readOnly: false } })
