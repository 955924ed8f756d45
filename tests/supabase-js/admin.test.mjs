// End users by the secret key, as auth.admin of the unmodified supabase-js asks for them.
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { PASSWORD, admin, client, endUser, good, project, stack } from './stack.mjs'

for (const isolation of ['schema', 'database']) {
  describe(`auth.admin at level ${isolation}`, () => {
    let made
    let service
    before(async () => {
      made = await project(await admin(), isolation)
      service = client(made.url, made.secret)
    })

    it('lists users in pages', async () => {
      const people = []
      for (let i = 0; i < 3; i++) people.unshift(await endUser(made.url, made.publishable))
      const first = await service.auth.admin.listUsers({ page: 1, perPage: 2 })
      assert.equal(first.error, null)
      assert.deepEqual(first.data.users.map(user => user.id), people.slice(0, 2).map(user => user.id))
      assert.equal(first.data.aud, 'authenticated')
      assert.equal(first.data.total, 3)
      assert.equal(first.data.nextPage, 2)
      assert.equal(first.data.lastPage, 2)
      const rest = await service.auth.admin.listUsers({ page: 2, perPage: 2 })
      assert.deepEqual(rest.data.users.map(user => user.id), [people[2].id])
      assert.equal(rest.data.nextPage, null)
    })

    it('shows a user, deletes and restores them', async () => {
      const { email, id } = await endUser(made.url, made.publishable)
      const shown = await service.auth.admin.getUserById(id)
      assert.equal(shown.error, null)
      assert.equal(shown.data.user.email, email)

      for (const soft of [false, true]) {
        const gone = await service.auth.admin.deleteUser(id, soft)
        assert.equal(gone.error, null)
        const missing = await service.auth.admin.getUserById(id)
        assert.equal(missing.error.status, 404)
        assert.equal(missing.error.code, 'user_not_found')
        const anybody = client(made.url, made.publishable)
        const refused = await anybody.auth.signInWithPassword({ email, password: PASSWORD })
        assert.equal(refused.error.code, 'invalid_credentials')

        const restore = `${made.url}/auth/v1/admin/users/${id}/restore`
        const restored = await fetch(restore, { method: 'POST', headers: { apikey: made.secret } })
        assert.equal(restored.status, 200)
        good(await anybody.auth.signInWithPassword({ email, password: PASSWORD }))
      }
    })

    it('is for secret keys alone', async () => {
      const { supabase } = await endUser(made.url, made.publishable)
      for (const nobody of [supabase, client(made.url, made.publishable)]) {
        const { error } = await nobody.auth.admin.listUsers()
        assert.equal(error.status, 403)
        assert.equal(error.code, 'not_admin')
      }
      const foreign = await client(made.url, stack.demo.secret_key).auth.admin.listUsers()
      assert.equal(foreign.error.status, 401)
    })
  })
}
