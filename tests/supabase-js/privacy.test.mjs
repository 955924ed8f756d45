// An end user erases themself; the unmodified supabase-js notices nothing but that they are gone.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PASSWORD, admin, call, client, endUser, good, project } from './stack.mjs'

describe('self-service', () => {
  it('erases whoever asks, and the client finds them signed out', async () => {
    const token = await admin()
    const made = await project(token, 'schema')
    const settings = { privacy: { selfExport: true, selfErase: true } }
    await call('PATCH', `/api/projects/${made.id}`, { token, body: { settings } })
    const { map } = await call('GET', `/api/gdpr/subject-map?projectId=${made.id}`, { token })
    await call('PUT', `/api/projects/${made.id}/subject-map`, { token, body: map })

    const { supabase, email, session } = await endUser(made.url, made.publishable)
    const other = await endUser(made.url, made.publishable)
    const erase = password => fetch(`${made.url}/auth/v1/user`, {
      method: 'DELETE',
      headers: {
        apikey: made.publishable,
        authorization: `Bearer ${session.access_token}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ password }),
    })
    assert.equal((await erase('wrong horse')).status, 400)
    good(await supabase.auth.getUser())
    const asked = await erase(PASSWORD)
    assert.equal(asked.status, 202)
    const { receiptId, receiptToken } = await asked.json()
    const receipt = new URL(`/api/gdpr/receipts/${receiptId}?token=${receiptToken}`, made.url)
    while ((await fetch(receipt)).status !== 200) await new Promise(resolve => setTimeout(resolve, 200))

    const gone = await supabase.auth.getUser()
    assert.ok(['session_not_found', 'user_not_found'].includes(gone.error.code), gone.error.code)
    const refused = await client(made.url, made.publishable).auth.signInWithPassword({ email, password: PASSWORD })
    assert.equal(refused.error.code, 'invalid_credentials')
    good(await other.supabase.auth.getUser())
  })
})
