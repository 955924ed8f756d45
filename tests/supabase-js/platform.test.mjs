// A platform user's way from an account to a table that supabase-js queries.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { admin, call, client, endUser, good, stack, unique } from './stack.mjs'

const COLUMNS = [
  { name: 'id', type: 'uuid', primary_key: true, default: 'gen_random_uuid()' },
  { name: 'user_id', type: 'uuid', references: { table: 'app_users', column: 'id' } },
  { name: 'title', type: 'text', required: true },
  { name: 'done', type: 'boolean', default: false },
]

for (const isolation of ['schema', 'database']) {
  describe(`a project at level ${isolation}`, () => {
    it('is created, provisioned, given a table and queried', async () => {
      const token = await admin()
      const { project } = await call('POST', '/api/projects', { token, body: { name: unique() }, status: 201 })
      const provision = `/api/projects/${project.id}/backend/provision`
      const made = await call('POST', provision, {
        token,
        body: { backendType: 'managed', config: { isolation } },
        status: 201,
      })
      assert.equal(made.apiUrl, `${stack.url}/p/${project.ref}`)

      const again = await call('GET', provision, { token })
      assert.equal(again.enabled, true)
      assert.ok(!JSON.stringify(again).includes(made.secretKey), 'a secret is shown once')

      await call('POST', `/api/database/${made.database.id}/tables/create`, {
        token,
        body: { schemaJson: { name: 'todos', columns: COLUMNS, policies: [{ template: 'owner', column: 'user_id' }] } },
        status: 201,
      })

      const { supabase, id } = await endUser(made.apiUrl, made.apiKey)
      const row = good(await supabase.from('todos').insert({ user_id: id, title: 'Try it' }).select().single())
      assert.equal(row.done, false)
      good(await supabase.from('todos').update({ done: true }).eq('id', row.id))

      const other = await endUser(made.apiUrl, made.apiKey)
      assert.deepEqual(good(await other.supabase.from('todos').select()), [])
      const service = client(made.apiUrl, made.secretKey)
      assert.deepEqual(good(await service.from('todos').select('title, done')), [{ title: 'Try it', done: true }])

      const foreign = await client(made.apiUrl, stack.demo.secret_key).from('todos').select()
      assert.ok(foreign.error, "another project's secret key opens nothing")

      await call('DELETE', `/api/projects/${project.id}`, { token, status: 200 })
      assert.equal((await service.from('todos').select()).status, 404)
    })
  })
}

describe('the control API', () => {
  it('answers nobody', async () => {
    for (const at of ['/api/projects', `/api/projects/${stack.demo.project_id}`]) {
      const { code } = await call('GET', at, { status: 401 })
      assert.equal(typeof code, 'string')
    }
  })

  it('gives each fault of a table its path', async () => {
    const token = await admin()
    const { project } = await call('POST', '/api/projects', { token, body: { name: unique() }, status: 201 })
    const made = await call('POST', '/api/database/create', { token, body: { projectId: project.id }, status: 201 })
    assert.equal(made.message, 'Database created with users table')
    const reply = await call('POST', `/api/database/${made.database.id}/tables/create`, {
      token,
      body: { schemaJson: { name: 'todos', columns: [{ name: 'id', type: 'nonsense' }] } },
      status: 400,
    })
    assert.match(reply.message, /Invalid schema/)
    assert.match(JSON.stringify(reply), /columns/)
  })
})
