// Unmodified supabase-js against the demo project of a fresh stack.
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { PASSWORD, address, client, endUser, good, stack, unique } from './stack.mjs'

const { url, publishable_key: publishable, secret_key: secret } = stack.demo

describe('auth', () => {
  it('signs up, reads and changes the user', async () => {
    const { supabase, email, id, session } = await endUser(url, publishable)
    assert.equal(session.token_type, 'bearer')
    assert.equal(session.user.email, email)
    assert.equal(session.user.role, 'authenticated')
    assert.equal((await supabase.auth.getUser()).data.user.id, id)

    const { data, error } = await supabase.auth.updateUser({ data: { nickname: 'Ann' } })
    assert.equal(error, null)
    assert.equal(data.user.user_metadata.nickname, 'Ann')
  })

  it('signs in again with the password, and not with another one', async () => {
    const { email, id } = await endUser(url, publishable)
    const again = client(url, publishable)
    const wrong = await again.auth.signInWithPassword({ email, password: 'battery staple' })
    assert.equal(wrong.data.session, null)
    assert.equal(wrong.error.status, 400)
    assert.equal(wrong.error.code, 'invalid_credentials')

    const right = await again.auth.signInWithPassword({ email, password: PASSWORD })
    assert.equal(right.error, null)
    assert.equal(right.data.user.id, id)
  })

  it('refuses an address that is taken', async () => {
    const { email } = await endUser(url, publishable)
    const { error } = await client(url, publishable).auth.signUp({ email, password: PASSWORD })
    assert.equal(error.status, 422)
    assert.equal(error.code, 'user_already_exists')
  })

  it('refreshes the session and ends it', async () => {
    const { supabase, session } = await endUser(url, publishable)
    const { data, error } = await supabase.auth.refreshSession()
    assert.equal(error, null)
    assert.notEqual(data.session.refresh_token, session.refresh_token)
    good(await supabase.from('app_data').select('id'))

    assert.equal((await supabase.auth.signOut()).error, null)
    const dead = await supabase.auth.refreshSession({ refresh_token: data.session.refresh_token })
    assert.equal(dead.data.session, null)
    assert.ok(dead.error.status >= 400 && dead.error.status < 500)
  })

  it('verifies the token with the published keys', async () => {
    const { supabase, id } = await endUser(url, publishable)
    const { data, error } = await supabase.auth.getClaims()
    assert.equal(error, null)
    assert.equal(data.claims.sub, id)
    assert.equal(data.claims.iss, `${url}/auth/v1`)
    assert.equal(data.header.alg, 'ES256')
  })

  it('refuses an address that is none', async () => {
    const { error } = await client(url, publishable).auth.signUp({ email: 'nobody', password: PASSWORD })
    assert.equal(error.code, 'validation_failed')
    assert.equal(error.status, 400)
  })
})

describe('records under row-level security', () => {
  let ann
  let bob
  before(async () => {
    ann = await endUser(url, publishable)
    bob = await endUser(url, publishable)
  })
  const note = (person, data) => ({ user_id: person.id, data_type: 'note', data })

  it('inserts, reads, changes and deletes own rows', async () => {
    const notes = ann.supabase.from('app_data')
    const inserted = await notes.insert(note(ann, { text: 'grüße, "x"' })).select().single()
    assert.equal(inserted.status, 201)
    const row = good(inserted)
    assert.deepEqual(row.data, { text: 'grüße, "x"' })

    const read = await notes.select('id, data_type, data').eq('id', row.id).single()
    assert.deepEqual(good(read), { id: row.id, data_type: 'note', data: row.data })

    const changed = await notes.update({ data: { text: 'new' } }).eq('id', row.id).select('data')
    assert.equal(changed.status, 200)
    assert.deepEqual(good(changed), [{ data: { text: 'new' } }])

    const removed = await notes.delete().eq('id', row.id)
    assert.equal(removed.status, 204)
    assert.equal(removed.data, null)
    assert.deepEqual(good(await notes.select().eq('id', row.id)), [])
  })

  it('hides another user\'s rows from every verb', async () => {
    const { id } = good(await ann.supabase.from('app_data').insert(note(ann, {})).select('id').single())
    const theirs = bob.supabase.from('app_data')
    assert.deepEqual(good(await theirs.select().eq('id', id)), [])
    assert.deepEqual(good(await theirs.update({ data_type: 'stolen' }).eq('id', id).select()), [])
    assert.deepEqual(good(await theirs.delete().eq('id', id).select()), [])
    const forged = await theirs.insert(note(ann, {}))
    assert.equal(forged.status, 403)
    assert.equal(forged.error.code, '42501')
    const mine = await ann.supabase.from('app_data').select('data_type').eq('id', id).single()
    assert.equal(good(mine).data_type, 'note')
  })

  it('shows nothing to a key without a user', async () => {
    const reply = await client(url, publishable).from('app_data').select()
    assert.ok(reply.error ? reply.status === 401 : reply.data.length === 0, JSON.stringify(reply))
  })

  it('shows the own profile only', async () => {
    const profiles = good(await ann.supabase.from('app_users').select('id, email'))
    assert.deepEqual(profiles, [{ id: ann.id, email: ann.email }])
    const users = good(await ann.supabase.from('users').select('id, password_hash'))
    assert.deepEqual(users, [{ id: ann.id, password_hash: null }])
  })

  it('lets the secret key see everybody\'s', async () => {
    const service = client(url, secret)
    const ids = good(await service.from('app_users').select('id').in('id', [ann.id, bob.id])).map(row => row.id)
    assert.deepEqual(ids.sort(), [ann.id, bob.id].sort())
  })
})

describe('the query builder', () => {
  const kind = unique()
  const rows = client(url, secret).from('app_data')
  before(async () => {
    const all = [1, 2, 3, 4, 5].map(n => ({ data_type: kind, data: { n } }))
    good(await rows.insert(all))
  })
  const mine = (columns, options) => rows.select(columns, options).eq('data_type', kind)

  it('counts exactly, with and without rows', async () => {
    const counted = await mine('id', { count: 'exact' }).limit(2)
    assert.equal(counted.count, 5)
    assert.equal(counted.status, 206)
    assert.equal(good(counted).length, 2)
    const head = await mine('id', { count: 'exact', head: true })
    assert.equal(head.count, 5)
    assert.equal(head.data, null)
    const none = await rows.select('id', { count: 'exact' }).eq('data_type', unique())
    assert.deepEqual([none.count, none.data], [0, []])
  })

  it('orders, limits and takes ranges', async () => {
    const numbers = async query => good(await query).map(row => row.data.n)
    const ordered = () => mine('data').order('created_at').order('data', { ascending: false })
    assert.equal((await numbers(ordered())).length, 5)
    assert.deepEqual(await numbers(mine('data').order('data', { ascending: false }).limit(2)), [5, 4])
    assert.deepEqual(await numbers(mine('data').order('data').range(1, 3)), [2, 3, 4])
  })

  it('takes several filters on one column', async () => {
    const { id } = good(await mine('id').limit(1).single())
    const found = await rows.select('id').eq('data_type', kind).in('id', [id, '00000000-0000-4000-8000-000000000000'])
    assert.deepEqual(good(found), [{ id }])
    assert.equal(good(await mine('id').neq('id', id)).length, 4)
    assert.equal(good(await mine('id').is('user_id', null)).length, 5)
  })

  it('gives one row or says why not', async () => {
    const several = await mine('id').single()
    assert.equal(several.status, 406)
    assert.equal(several.error.code, 'PGRST116')
    const none = await rows.select('id').eq('data_type', unique()).maybeSingle()
    assert.deepEqual([none.data, none.error], [null, null])
  })

  it('merges what is there already', async () => {
    const { id } = good(await rows.insert({ data_type: kind, data: { n: 6 } }).select('id').single())
    const merged = await rows.upsert({ id, data_type: kind, data: { n: 7 } }).select('id, data').single()
    assert.deepEqual(good(merged), { id, data: { n: 7 } })
    const ignored = await rows.upsert({ id, data_type: kind, data: { n: 8 } }, { ignoreDuplicates: true }).select()
    assert.deepEqual(good(ignored), [])
    assert.deepEqual(good(await rows.delete().eq('id', id).select('data')), [{ data: { n: 7 } }])
  })
})

describe('errors', () => {
  const anybody = client(url, publishable)

  it('come as supabase-js surfaces them', async () => {
    const service = client(url, secret)
    const kind = unique()
    for (const [name, query, status, code] of [
      ['unknown table', service.from(unique()).select(), 404, 'PGRST205'],
      ['unknown column', service.from('app_data').select('nothing'), 400, '42703'],
      ['unknown column in a body', service.from('app_data').insert({ data_type: kind, nothing: 1 }), 400, 'PGRST204'],
      ['wrong type', service.from('app_data').select().eq('id', 'seven'), 400, '22P02'],
      ['missing value', service.from('app_data').insert({ data: {} }), 400, '23502'],
      ['unknown schema', service.schema('elsewhere').from('app_data').select(), 406, 'PGRST106'],
    ]) {
      const reply = await query
      assert.equal(reply.error?.code, code, `${name}: ${JSON.stringify(reply)}`)
      assert.equal(reply.status, status, name)
      assert.equal(reply.data, null, name)
      assert.deepEqual(Object.keys(reply.error).filter(key => key !== 'name').sort(), ['code', 'details', 'hint', 'message'], name)
    }
  })

  it('tell a wrong key from a wrong project', async () => {
    const reply = await client(url, `${publishable}x`).from('app_data').select()
    assert.equal(reply.status, 401)
    assert.equal(typeof reply.error.message, 'string')
    const elsewhere = stack.url + '/p/' + 'z'.repeat(20)
    assert.ok([401, 404].includes((await client(elsewhere, publishable).from('app_data').select()).status))
  })

  it('answer what does not exist yet in JSON', async () => {
    const { data, error } = await anybody.storage.listBuckets()
    assert.equal(data, null)
    assert.ok(error)
  })
})
