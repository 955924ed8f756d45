//! All SQL of the audit log. Rows are written by a definer function only: no login may insert, change or delete one.

use jiff::Timestamp;
use tokio_postgres::GenericClient;

use super::export::Exported;
use super::{AuditEntry, Chain, Entry, Fault, Filter};
use crate::app::App;
use crate::control::{self, Param, bytes, int8, json, text, texts, time, uuid};
use crate::error::{Error, Result};

/// Appends an entry to its chain, in the caller's transaction: no entry, no change, and the other way round.
///
/// # Errors
/// When the database fails; the change must fail with it.
pub async fn record(app: &App, executor: &impl GenericClient, entry: &Entry<'_>) -> Result<()> {
    let (id, salt) = (app.random.uuid(), app.random.bytes::<32>());
    let details = if entry.details.is_null() {
        serde_json::json!({})
    } else {
        entry.details.clone()
    };
    let (project, now, salt) = (entry.project.map(|project| project.0), app.clock.now(), salt.as_slice());
    let sql = "select plinth.audit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let params = [
        uuid(&id),
        uuid(&project),
        time(&now),
        text(&entry.action),
        text(&entry.target),
        json(&details),
        text(&entry.request.id),
        text(&entry.actor),
        text(&entry.request.address),
        bytes(&salt),
    ];
    executor.query_typed(sql, &params).await.map_err(control::failure)?;
    Ok(())
}

/// What a [`Filter`] binds, from `$3` on; goes with [`FITS`].
struct Bound {
    action: Option<String>,
    area: Option<String>,
    actors: Vec<String>,
}

/// `l` is an entry, `s` who and from where.
const FITS: &str = "
    ($3::text is null or l.action = $3) and ($4::text is null or starts_with(l.action, $4))
    and (cardinality($5::text[]) = 0 or s.actor = any($5)) and ($6::text is null or l.target = $6)
    and ($7::text is null or l.request_id = $7) and ($8::text is null or s.address = $8)
    and ($9::timestamptz is null or l.at >= $9) and ($10::timestamptz is null or l.at < $10)";

impl Bound {
    fn of(filter: &Filter) -> Self {
        let area = filter.action.as_ref().and_then(|action| action.strip_suffix('*'));
        Self {
            action: filter.action.clone().filter(|_| area.is_none()),
            area: area.map(str::to_owned),
            actors: filter
                .actor
                .iter()
                .flat_map(|actor| [actor.clone(), format!("user:{actor}"), format!("end-user:{actor}")])
                .collect(),
        }
    }

    fn params<'a>(&'a self, filter: &'a Filter) -> [Param<'a>; 8] {
        [
            text(&self.action),
            text(&self.area),
            texts(&self.actors),
            text(&filter.target),
            text(&filter.request_id),
            text(&filter.address),
            time(&filter.since),
            time(&filter.until),
        ]
    }
}

pub(super) async fn list(
    app: &App,
    chain: Chain,
    filter: &Filter,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<AuditEntry>> {
    let sql = format!(
        "select l.id, l.sequence, l.at, l.action, l.target, l.details, l.request_id, s.actor, s.address,
          encode(l.hash, 'hex')
        from plinth.audit_log l left join plinth.audit_subjects s on s.audit_id = l.id
        where l.chain = $1 and l.sequence < coalesce($2, 9223372036854775807) and {FITS}
        order by l.sequence desc limit $11"
    );
    let (key, bound) = (chain.key(), Bound::of(filter));
    let mut params = vec![uuid(&key), int8(&before)];
    params.extend(bound.params(filter));
    params.push(int8(&limit));
    let client = app.control.get().await?;
    let rows = client.query_typed(&sql, &params).await.map_err(control::failure)?;
    Ok(rows
        .iter()
        .map(|row| AuditEntry {
            id: row.get(0),
            sequence: row.get(1),
            at: row.get(2),
            action: row.get(3),
            target: row.get(4),
            details: row.get(5),
            request_id: row.get(6),
            actor: row.get(7),
            address: row.get(8),
            hash: row.get(9),
        })
        .collect())
}

pub(super) async fn export(app: &App, chain: Chain, filter: &Filter, after: i64, limit: i64) -> Result<Vec<Exported>> {
    let sql = format!(
        "select l.sequence, l.at, l.action, l.target, l.details, l.request_id, s.actor, s.address, l.id::text,
          plinth.audit_text(l.id, l.project_id, l.sequence, l.at, l.action, l.target, l.details, l.request_id),
          encode(s.actor_salt, 'hex'), encode(s.address_salt, 'hex'), encode(l.actor_digest, 'hex'),
          encode(l.address_digest, 'hex'), encode(l.previous, 'hex'), encode(l.hash, 'hex')
        from plinth.audit_log l left join plinth.audit_subjects s on s.audit_id = l.id
        where l.chain = $1 and l.sequence > $2 and {FITS}
        order by l.sequence limit $11"
    );
    let (key, bound) = (chain.key(), Bound::of(filter));
    let mut params = vec![uuid(&key), int8(&after)];
    params.extend(bound.params(filter));
    params.push(int8(&limit));
    let client = app.control.get().await?;
    let rows = client.query_typed(&sql, &params).await.map_err(control::failure)?;
    Ok(rows
        .iter()
        .map(|row| Exported {
            sequence: row.get(0),
            at: row.get::<_, Timestamp>(1).to_string(),
            action: row.get(2),
            target: row.get(3),
            details: row.get(4),
            request_id: row.get(5),
            actor: row.get(6),
            address: row.get(7),
            id: row.get(8),
            hashed: row.get(9),
            actor_salt: row.get(10),
            address_salt: row.get(11),
            actor_digest: row.get(12),
            address_digest: row.get(13),
            previous: row.get(14),
            hash: row.get(15),
        })
        .collect())
}

/// What was found in a stretch of a chain.
pub(super) struct Judged {
    pub(super) entries: i64,
    pub(super) erased: i64,
    pub(super) forgotten: i64,
    pub(super) fault: Option<Fault>,
    pub(super) last: Option<(i64, Vec<u8>)>,
}

/// Judges up to `most` entries behind the one at `place` with that hash. Nothing but sums leaves the database.
pub(super) async fn judge(app: &App, chain: Chain, place: i64, hash: &[u8], most: i64) -> Result<Judged> {
    let sql = "
        with part as (
          select l.*, lag(l.hash, 1, $3) over w as hash_before, lag(l.sequence, 1, $2) over w as place_before
          from plinth.audit_log l where l.chain = $1 and l.sequence > $2
          window w as (order by l.sequence) order by l.sequence limit $4
        ), judged as (
          select p.sequence, p.hash, s.audit_id is null as erased,
            s.audit_id is not null and s.address_salt is null as forgotten,
            case
              when p.sequence <> p.place_before + 1 then 'gap'
              when p.previous <> p.hash_before then 'link'
              when p.hash <> plinth.audit_hash(p.previous, p.actor_digest, p.address_digest, plinth.audit_text(p.id,
                p.project_id, p.sequence, p.at, p.action, p.target, p.details, p.request_id)) then 'content'
              when p.actor_digest <> plinth.audit_digest(s.actor_salt, s.actor) then 'actor'
              when p.address_digest <> plinth.audit_digest(s.address_salt, s.address) then 'address'
            end as fault
          from part p left join plinth.audit_subjects s on s.audit_id = p.id
        )
        select count(*), count(*) filter (where erased), count(*) filter (where forgotten),
          (array_agg(sequence order by sequence) filter (where fault is not null))[1],
          (array_agg(fault order by sequence) filter (where fault is not null))[1],
          max(sequence), (array_agg(hash order by sequence desc))[1]
        from judged";
    let (key, hash) = (chain.key(), hash.to_vec());
    let params = [uuid(&key), int8(&place), bytes(&hash), int8(&most)];
    let client = app.control.get().await?;
    let rows = client.query_typed(sql, &params).await.map_err(control::failure)?;
    let row = rows
        .first()
        .ok_or_else(|| Error::internal("an aggregate without a row"))?;
    let fault: Option<(i64, String)> = row.get::<_, Option<i64>>(3).zip(row.get(4));
    Ok(Judged {
        entries: row.get(0),
        erased: row.get(1),
        forgotten: row.get(2),
        fault: fault.map(|(sequence, reason)| Fault { sequence, reason }),
        last: row.get::<_, Option<i64>>(5).zip(row.get(6)),
    })
}

pub(super) async fn hash_of(app: &App, chain: Chain, place: i64) -> Result<Option<Vec<u8>>> {
    let sql = "select hash from plinth.audit_log where chain = $1 and sequence = $2";
    let (key, client) = (chain.key(), app.control.get().await?);
    let params = [uuid(&key), int8(&place)];
    let rows = client.query_typed(sql, &params).await.map_err(control::failure)?;
    Ok(rows.first().map(|row| row.get(0)))
}

pub(super) async fn forget_addresses(app: &App, before: Timestamp, most: i64) -> Result<u64> {
    let sql = "select plinth.audit_forget_addresses($1, $2)";
    let client = app.control.get().await?;
    let rows = client
        .query_typed(sql, &[time(&before), int8(&most)])
        .await
        .map_err(control::failure)?;
    let forgotten: i64 = rows.first().map_or(0, |row| row.get(0));
    Ok(forgotten.unsigned_abs())
}
