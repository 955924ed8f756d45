// Unmodified supabase-js over tables, views and functions that a project brought itself.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { before, describe, it } from 'node:test'
import { admin, client, good, project, sql } from './stack.mjs'

let db
let anybody
let made
before(async () => {
  const token = await admin()
  made = await project(token, 'database')
  await sql(token, made, await readFile(new URL('schema.sql', import.meta.url), 'utf8'))
  db = client(made.url, made.secret)
  anybody = client(made.url, made.publishable)
})

/** What a call was refused with. */
const refused = (reply, status, code) => {
  assert.equal(reply.error?.code, code, JSON.stringify(reply))
  assert.equal(reply.status, status)
  assert.equal(reply.data, null)
  return reply.error
}
const ids = async query => good(await query).map(row => row.id)

describe('select', () => {
  it('shows columns, aliases, casts and JSON paths', async () => {
    const query = db.from('projects').select('number:id, id::text, data->size->m, code:data->codes->>0').eq('id', 1)
    assert.deepEqual(good(await query), [{ number: 1, id: '1', m: 12, code: '1' }])
  })

  it('shows computed columns', async () => {
    assert.deepEqual(good(await db.from('projects').select('id, shouted').eq('shouted', 'BRIDGE')), [
      { id: 3, shouted: 'BRIDGE' },
    ])
    assert.deepEqual(await ids(db.from('projects').select('id').order('shouted').limit(1)), [3])
  })

  it('reads views', async () => {
    assert.deepEqual(await ids(db.from('open_projects').select('id').order('id')), [2, 3, 4])
  })
})

describe('filters', () => {
  const found = filter => ids(filter(db.from('projects').select('id')).order('id'))
  for (const [name, filter, expected] of [
    ['eq', q => q.eq('id', 2), [2]],
    ['neq', q => q.neq('id', 2), [1, 3, 4]],
    ['gt and lte on one column', q => q.gt('id', 1).lte('id', 3), [2, 3]],
    ['gte and lt', q => q.gte('id', 2).lt('id', 3), [2]],
    ['like', q => q.like('name', 'R%'), [1, 2]],
    ['ilike', q => q.ilike('name', '%CAR'), [2]],
    ['likeAllOf', q => q.likeAllOf('name', ['R%', '%et']), [1]],
    ['likeAnyOf', q => q.likeAnyOf('name', ['%et', 'B%']), [1, 3]],
    ['ilikeAllOf', q => q.ilikeAllOf('name', ['r%', '%ET']), [1]],
    ['ilikeAnyOf', q => q.ilikeAnyOf('name', ['%ET', 'b%']), [1, 3]],
    ['regexMatch', q => q.regexMatch('name', '^R.*t$'), [1]],
    ['regexIMatch', q => q.regexIMatch('name', '^r.*T$'), [1]],
    ['is null', q => q.is('done', null), [3]],
    ['is true', q => q.is('done', true), [1]],
    ['isDistinct', q => q.isDistinct('done', true), [2, 3, 4]],
    ['in', q => q.in('name', ['Rocket', 'Nothing, (really)', 'Bridge']), [1, 3]],
    ['in of nothing', q => q.in('id', []), []],
    ['notIn', q => q.notIn('id', [1, 2]), [3, 4]],
    ['contains an array', q => q.contains('tags', ['red']), [1, 4]],
    ['contains an element with a comma', q => q.contains('tags', '{"a, b"}'), [4]],
    ['contains JSON', q => q.contains('data', { size: { m: 30 } }), [2]],
    ['containedBy', q => q.containedBy('tags', ['slow', 'fast', 'red']), [1, 2, 3]],
    ['overlaps an array', q => q.overlaps('tags', ['slow', 'fast']), [1, 2]],
    ['overlaps a range', q => q.overlaps('during', '[2026-01-15,2026-02-15)'), [1, 2]],
    ['rangeGt', q => q.rangeGt('during', '[2026-01-01,2026-02-01)'), [2]],
    ['rangeGte', q => q.rangeGte('during', '[2026-01-15,2026-02-01)'), [2]],
    ['rangeLt', q => q.rangeLt('during', '[2026-02-01,2026-03-01)'), [1]],
    ['rangeLte', q => q.rangeLte('during', '[2026-01-15,2026-02-01)'), [1]],
    ['rangeAdjacent', q => q.rangeAdjacent('during', '[2026-02-01,2026-02-02)'), [1]],
    ['textSearch', q => q.textSearch('words', 'rocket | bridge'), [1, 3]],
    ['textSearch of a website', q => q.textSearch('name', '"rail car"', { type: 'websearch', config: 'english' }), [2]],
    ['match', q => q.match({ client_id: 1, done: false }), [2]],
    ['not', q => q.not('client_id', 'is', null), [1, 2, 3]],
    ['or', q => q.or('id.eq.1,and(client_id.eq.2,name.like.B*)'), [1, 3]],
    ['or over an embedded table', q => q.or('id.eq.4,name.in.("Rocket","Own idea, \\"quoted\\" (really)")'), [1, 4]],
    ['filter', q => q.filter('id', 'in', '(1,4)'), [1, 4]],
    ['a JSON path', q => q.eq('data->size->>m', '12'), [1]],
    ['an enum', q => q.gt('mood', 'sad'), [1, 2]],
  ]) {
    it(name, async () => assert.deepEqual(await found(filter), expected))
  }
})

describe('embeds', () => {
  it('to-one, to-many and many-to-many, nested', async () => {
    const query = db
      .from('clients')
      .select('name, projects(name, tasks(name, people(name)))')
      .order('id')
      .order('id', { referencedTable: 'projects' })
      .order('id', { referencedTable: 'projects.tasks' })
      .order('id', { referencedTable: 'projects.tasks.people' })
    assert.deepEqual(good(await query), [
      {
        name: 'Acme',
        projects: [
          {
            name: 'Rocket',
            tasks: [
              { name: 'Draw', people: [{ name: 'Ann' }, { name: 'Bob' }] },
              { name: 'Build', people: [{ name: 'Ann' }] },
            ],
          },
          { name: 'Rail car', tasks: [{ name: 'Weigh', people: [{ name: 'Bob' }] }] },
        ],
      },
      { name: 'Bolt', projects: [{ name: 'Bridge', tasks: [{ name: 'Paint', people: [{ name: 'Cid' }] }] }] },
      { name: 'Nobody', projects: [] },
    ])
  })

  it('to-one under another name, null where there is none', async () => {
    assert.deepEqual(good(await db.from('projects').select('id, customer:clients(name)').gte('id', 3).order('id')), [
      { id: 3, customer: { name: 'Bolt' } },
      { id: 4, customer: null },
    ])
  })

  it('!inner drops parents, a filter narrows only the embed without it', async () => {
    const all = db.from('clients').select('id, projects(id)').eq('projects.id', 3).order('id')
    assert.deepEqual(good(await all), [
      { id: 1, projects: [] },
      { id: 2, projects: [{ id: 3 }] },
      { id: 3, projects: [] },
    ])
    const inner = db.from('clients').select('id, projects!inner(id)').eq('projects.id', 3)
    assert.deepEqual(good(await inner), [{ id: 2, projects: [{ id: 3 }] }])
  })

  it('anti and semi joins', async () => {
    assert.deepEqual(await ids(db.from('clients').select('id, projects()').is('projects', null)), [3])
    assert.deepEqual(await ids(db.from('clients').select('id, projects()').not('projects', 'is', null).order('id')), [1, 2])
  })

  it('limits and orders what is embedded, orders by it', async () => {
    const query = db
      .from('clients')
      .select('id, projects(id)')
      .eq('id', 1)
      .order('id', { referencedTable: 'projects', ascending: false })
      .limit(1, { referencedTable: 'projects' })
    assert.deepEqual(good(await query), [{ id: 1, projects: [{ id: 2 }] }])
    const related = db.from('projects').select('id, clients(name)').not('client_id', 'is', null)
    assert.deepEqual(await ids(related.order('clients(name)', { ascending: false }).order('id')), [3, 1, 2])
  })

  it('of a table within itself', async () => {
    const query = db.from('employees').select('name, boss:boss_id(name)').in('id', [1, 4]).order('id')
    assert.deepEqual(good(await query), [
      { name: 'Zoe', boss: null },
      { name: 'Wim', boss: { name: 'Yan' } },
    ])
    const below = db.from('employees').select('name, reports:employees!boss_id(name)').eq('id', 2)
    assert.deepEqual(good(await below), [{ name: 'Yan', reports: [{ name: 'Wim' }] }])
  })

  it('asks which of two foreign keys is meant', async () => {
    const error = refused(await db.from('orders').select('id, addresses(city)'), 300, 'PGRST201')
    assert.equal(error.details.length, 2)
    const query = db.from('orders').select('id, billing:addresses!billing_id(city), shipping:addresses!shipping_id(city)')
    assert.deepEqual(good(await query.eq('id', 1)), [{ id: 1, billing: { city: 'Ghent' }, shipping: { city: 'Oslo' } }])
  })

  it('spreads to-one and to-many', async () => {
    const one = db.from('projects').select('id, ...clients(client:name)').eq('id', 1)
    assert.deepEqual(good(await one), [{ id: 1, client: 'Acme' }])
    const many = db.from('clients').select('name, ...projects(project_ids:id)').eq('id', 1)
    assert.deepEqual(good(await many.order('id', { referencedTable: 'projects' })), [{ name: 'Acme', project_ids: [1, 2] }])
  })

  it('through a computed relationship', async () => {
    assert.deepEqual(good(await db.from('projects').select('id, lead(name)').in('id', [2, 4]).order('id')), [
      { id: 2, lead: { name: 'Bob' } },
      { id: 4, lead: null },
    ])
  })

  it('through a view', async () => {
    const query = db.from('open_projects').select('id, clients(name)').eq('id', 2)
    assert.deepEqual(good(await query), [{ id: 2, clients: { name: 'Acme' } }])
  })

  it('says what is near when there is no relationship', async () => {
    const error = refused(await db.from('projects').select('id, client(name)'), 400, 'PGRST200')
    assert.match(error.hint, /clients/)
  })
})

describe('counts and ranges', () => {
  for (const count of ['exact', 'planned', 'estimated']) {
    it(count, async () => {
      const reply = await db.from('projects').select('id', { count }).limit(2)
      assert.equal(good(reply).length, 2)
      assert.equal(typeof reply.count, 'number')
      if (count !== 'planned') assert.equal(reply.count, 4)
    })
  }

  it('without rows', async () => {
    const { count, data, status } = await db.from('projects').select('*', { count: 'exact', head: true })
    assert.deepEqual([count, data, status], [4, null, 200])
  })

  it('takes a range and refuses one behind the end', async () => {
    assert.deepEqual(await ids(db.from('projects').select('id').order('id').range(1, 2)), [2, 3])
    refused(await db.from('projects').select('id', { count: 'exact' }).range(10, 12), 416, 'PGRST103')
  })
})

describe('one row', () => {
  it('single', async () => {
    assert.deepEqual(good(await db.from('projects').select('id').eq('id', 1).single()), { id: 1 })
    const error = refused(await db.from('projects').select('id').single(), 406, 'PGRST116')
    assert.match(error.details, /The result contains 4 rows/)
  })

  it('maybeSingle', async () => {
    assert.equal(good(await db.from('projects').select('id').eq('id', 99).maybeSingle()), null)
    assert.equal((await db.from('projects').select('id').maybeSingle()).error.code, 'PGRST116')
  })

  it('single on a write that touches more rows undoes it', async () => {
    refused(await db.from('projects').update({ done: true }).gt('id', 1).select('id').single(), 406, 'PGRST116')
    assert.deepEqual(await ids(db.from('projects').select('id').is('done', true)), [1])
  })
})

describe('representations', () => {
  it('csv', async () => {
    assert.equal(good(await db.from('projects').select('id, name').gte('id', 3).order('id').csv()),
      'id,name\n3,Bridge\n4,"Own idea, ""quoted"" (really)"')
  })

  it('without nulls', async () => {
    assert.deepEqual(good(await db.from('projects').select('id, done, client_id').in('id', [3, 4]).order('id').stripNulls()), [
      { id: 3, client_id: 2 },
      { id: 4, done: false },
    ])
  })

  it('a plan is a setting that is off', async () => {
    refused(await db.from('projects').select().explain({ format: 'json' }), 406, 'PGRST107')
  })
})

describe('writes', () => {
  it('insert one and many, with defaults for what is missing', async () => {
    const one = await db.from('tasks').insert({ name: 'One', project_id: 3 }).select('name, hours, projects(name)')
    assert.equal(one.status, 201)
    assert.deepEqual(good(one), [{ name: 'One', hours: 1, projects: { name: 'Bridge' } }])
    const rows = [{ name: 'Two', hours: 2 }, { name: 'Three' }]
    const many = await db.from('tasks').insert(rows, { defaultToNull: false }).select('name, hours').order('name')
    assert.deepEqual(good(many), [{ name: 'Three', hours: 1 }, { name: 'Two', hours: 2 }])
    const none = await db.from('tasks').insert({ name: 'Four' })
    assert.deepEqual([none.status, none.data], [201, null])
    good(await db.from('tasks').delete().in('name', ['One', 'Two', 'Three', 'Four']))
  })

  it('upsert by another key, merging or not', async () => {
    const merged = await db.from('clients').upsert({ id: 1, name: 'Acme' }, { onConflict: 'name' }).select()
    assert.deepEqual([merged.status, good(merged)], [200, [{ id: 1, name: 'Acme' }]])
    const ignored = db.from('clients').upsert([{ id: 1, name: 'Other' }, { id: 9, name: 'New' }], { ignoreDuplicates: true })
    assert.deepEqual(good(await ignored.select()), [{ id: 9, name: 'New' }])
    assert.deepEqual(await ids(db.from('clients').delete().eq('id', 9).select('id')), [9])
  })

  it('update and delete what the filters match', async () => {
    good(await db.from('people').insert([{ id: 50, name: 'E' }, { id: 51, name: 'F' }]))
    const changed = await db.from('people').update({ name: 'G' }, { count: 'exact' }).gte('id', 50)
    assert.deepEqual([changed.status, changed.data, changed.count], [204, null, 2])
    assert.deepEqual(good(await db.from('people').delete().gte('id', 50).select().order('id')), [
      { id: 50, name: 'G' },
      { id: 51, name: 'G' },
    ])
  })

  it('maxAffected undoes what goes beyond it', async () => {
    refused(await db.from('tasks').update({ hours: 0 }).gt('id', 0).maxAffected(2), 400, 'PGRST124')
    assert.deepEqual(await ids(db.from('tasks').select('id').eq('hours', 0)), [])
  })

  it('rollback undoes everything, answering what would have been', async () => {
    const tried = await db.from('people').insert({ id: 60, name: 'H' }).select().rollback()
    assert.deepEqual(good(tried), [{ id: 60, name: 'H' }])
    assert.deepEqual(await ids(db.from('people').select('id').eq('id', 60)), [])
  })

  it('refuses to touch every row', async () => {
    refused(await db.from('tasks').delete(), 400, '21000')
  })

  it('tells a duplicate, a missing parent and a missing right apart', async () => {
    refused(await db.from('clients').insert({ id: 1, name: 'Again' }), 409, '23505')
    refused(await db.from('tasks').insert({ name: 'Lost', project_id: 99 }), 409, '23503')
    refused(await anybody.from('clients').insert({ id: 7, name: 'Me' }), 401, '42501')
  })
})

describe('rpc', () => {
  for (const [name, call, expected] of [
    ['named arguments', () => db.rpc('add', { a: 1, b: 2 }), 3],
    ['a default', () => db.rpc('add', { a: 1 }), 11],
    ['GET', () => db.rpc('add', { a: 1, b: 5 }, { get: true }), 6],
    ['no arguments', () => db.rpc('hello'), 'hello'],
    ['variadic', () => db.rpc('total', { numbers: [1, 2, 3] }), 6],
    ['a set of values', () => db.rpc('squares', { upto: 3 }), [1, 4, 9]],
    ['out arguments', () => db.rpc('pair'), { first: 1, second: 'two' }],
    ['one unnamed argument', () => db.rpc('echo', { any: ['thing'] }), { any: ['thing'] }],
    ['a table with filters, select, order, embeds',
      () => db.rpc('projects_of', { client: 'Acme' }).select('id, clients(name)').gt('id', 1).order('id'),
      [{ id: 2, clients: { name: 'Acme' } }]],
    ['one row of a table', () => db.rpc('projects_of', { client: 'Bolt' }).select('name').single(), { name: 'Bridge' }],
  ]) {
    it(name, async () => assert.deepEqual(good(await call()), expected))
  }

  it('void writes and answers nothing', async () => {
    const reply = await db.rpc('note', { id: 70, name: 'I' })
    assert.deepEqual([reply.status, reply.data, reply.error], [204, null, null])
    assert.deepEqual(await ids(db.from('people').delete().eq('id', 70).select('id')), [70])
  })

  it('counts without rows', async () => {
    const { count, status } = await db.rpc('projects_of', { client: 'Acme' }, { head: true, count: 'exact', get: true })
    assert.deepEqual([count, status], [2, 200])
  })

  it('raises as it pleases', async () => {
    const error = refused(await db.rpc('refuse', { reason: 'no' }), 402, 'PT402')
    assert.deepEqual([error.message, error.details, error.hint], ['no', 'no funds', 'pay first'])
    const reply = await db.rpc('teapot')
    assert.equal(reply.status, 418)
  })

  it('says what is near when there is no such function', async () => {
    const error = refused(await db.rpc('ad', { a: 1 }), 404, 'PGRST202')
    assert.match(error.hint, /add/)
  })
})

describe('the client', () => {
  it('names its schema', async () => {
    assert.deepEqual(await ids(db.schema('public').from('clients').select('id').eq('id', 1)), [1])
    refused(await db.schema('private').from('clients').select(), 406, 'PGRST106')
  })

  it('may give up on a request, and the database stops', async () => {
    const token = await admin()
    const query = `select count(*)::int as n from pg_locks where locktype = 'advisory' and objid = 42
      and database = (select oid from pg_database where datname = current_database())`
    const working = async wanted => {
      for (let left = 200; left > 0; left--) {
        const { results } = await sql(token, made, query)
        if (results[0].n === wanted) return
        await new Promise(resolve => setTimeout(resolve, 25))
      }
      throw new Error(`never ${wanted} at work`)
    }
    const controller = new AbortController()
    const waiting = db.rpc('slow').abortSignal(controller.signal).then(reply => reply)
    await working(1)
    controller.abort()
    assert.match((await waiting).error.message, /abort/i)
    // The function would sleep for 20 s: it is ended, so its connection serves again.
    await working(0)
  })

  it('throws when asked to', async () => {
    await assert.rejects(async () => await db.from('nothing').select().throwOnError(), { code: 'PGRST205' })
  })

  it('sends long lists of values in the body', async () => {
    const many = Array.from({ length: 20_000 }, (_, n) => n)
    const reply = await fetch(`${made.url}/rest/v1/projects`, {
      method: 'POST',
      headers: { apikey: made.secret, 'content-type': 'application/vnd.plinth.query+json' },
      body: JSON.stringify({ select: 'id', where: { id: { in: many } }, order: 'id' }),
    })
    assert.equal(reply.status, 200)
    assert.deepEqual(await reply.json(), [{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }])
  })
})
