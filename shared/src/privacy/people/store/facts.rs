//! What a copy of a platform user's data shows of each table. Never a password's or a token's hash, never what is sealed.

use serde_json::Value;
use tokio_postgres::Row;

use crate::backend::Sink;
use crate::control::uuid;
use crate::error::Result;
use crate::ident::UserId;
use crate::privacy::Snapshot;
use crate::privacy::people::facts::Section;

/// `$1` is the user; each selects where the row stands (text that sorts by its bytes), and the row.
pub(in super::super) const SECTIONS: &[Section] = &[
    Section {
        name: "account",
        about: "The account: addresses, what the platform and the person noted about it, and when",
        sql: "
            select u.id::text as place, jsonb_build_object('id', u.id, 'email', u.email, 'phone', u.phone,
              'emailConfirmedAt', u.email_confirmed_at, 'phoneConfirmedAt', u.phone_confirmed_at,
              'invitedAt', u.invited_at, 'lastSignInAt', u.last_sign_in_at, 'appMetadata', u.raw_app_meta_data,
              'userMetadata', u.raw_user_meta_data, 'isAnonymous', u.is_anonymous, 'bannedUntil', u.banned_until,
              'createdAt', u.created_at, 'updatedAt', u.updated_at, 'deletedAt', u.deleted_at) as row
            from plinth.users u where u.id = $1",
    },
    Section {
        name: "identities",
        about: "Ways of signing in",
        sql: "
            select i.id::text as place, jsonb_build_object('id', i.id, 'provider', i.provider,
              'providerId', i.provider_id, 'data', i.identity_data, 'email', i.email,
              'lastSignInAt', i.last_sign_in_at, 'createdAt', i.created_at, 'updatedAt', i.updated_at) as row
            from plinth.identities i where i.user_id = $1",
    },
    Section {
        name: "sessions",
        about: "Where they are signed in: with which client, from which address",
        sql: "
            select s.id::text as place, jsonb_build_object('id', s.id, 'userAgent', s.user_agent, 'address', s.ip,
              'methods', s.amr, 'createdAt', s.created_at, 'refreshedAt', s.refreshed_at, 'notAfter', s.not_after) as row
            from plinth.sessions s where s.user_id = $1",
    },
    Section {
        name: "memberships",
        about: "Projects they are a member of, or were less than 30 days ago",
        sql: "
            select m.project_id::text as place, jsonb_build_object('project', m.project_id, 'ref', p.ref, 'name', p.name,
              'role', m.role, 'createdAt', m.created_at, 'updatedAt', m.updated_at, 'deletedAt', m.deleted_at) as row
            from plinth.members m join plinth.projects p on p.id = m.project_id where m.user_id = $1",
    },
    Section {
        name: "own-database",
        about: "The database of their own that they connected, and how far its setup has come; without its password",
        sql: "
            select p.id::text as place, jsonb_build_object('project', p.id, 'provider', c.provider,
              'settings', coalesce(b.settings, '{}') || coalesce(c.settings, '{}'), 'connectedAt', c.updated_at,
              'deletedAt', coalesce(p.deleted_at, b.deleted_at), 'acknowledgedAt', d.acknowledged_at,
              'verifiedConnection', d.verified_connection) as row
            from (select 1) one
            left join plinth.projects p on p.personal_of = $1
            left join plinth.backends b on b.project_id = p.id
            left join plinth.connections c on c.id = b.connection_id
            left join plinth.database_setups d on d.user_id = $1
            where p.id is not null or d.user_id is not null",
    },
    Section {
        name: "projects",
        about: "Projects they made",
        sql: "
            select p.id::text as place, jsonb_build_object('id', p.id, 'ref', p.ref, 'name', p.name,
              'description', p.description, 'createdAt', p.created_at, 'deletedAt', p.deleted_at) as row
            from plinth.projects p where p.created_by = $1",
    },
    Section {
        name: "keys",
        about: "API keys they made: their names, never the keys",
        sql: "
            select k.id::text as place, jsonb_build_object('id', k.id, 'project', k.project_id, 'class', k.class,
              'name', k.name, 'createdAt', k.created_at, 'expiresAt', k.expires_at, 'revokedAt', k.revoked_at) as row
            from plinth.keys k where k.created_by = $1",
    },
    Section {
        name: "documents",
        about: "Versions of documentation that they wrote or asked for",
        sql: "
            select v.id::text as place, jsonb_build_object('id', v.id, 'project', v.project_id, 'number', v.number,
              'origin', v.origin, 'changeSummary', v.change_summary, 'content', v.content, 'createdAt', v.created_at,
              'deletedAt', v.deleted_at) as row
            from plinth.document_versions v where v.author = $1",
    },
    Section {
        name: "table-changes",
        about: "Changes of tables that they made",
        sql: "
            select m.id::text as place, jsonb_build_object('id', m.id, 'backend', m.backend_id, 'kind', m.kind,
              'up', m.up, 'state', m.state, 'createdAt', m.created_at) as row
            from plinth.migrations m where m.author = $1",
    },
    Section {
        name: "subject-maps",
        about: "Versions of projects' subject maps that they confirmed",
        sql: "
            select s.project_id || lpad(s.version::text, 10, '0') as place, jsonb_build_object('project', s.project_id,
              'version', s.version, 'createdAt', s.created_at) as row
            from plinth.subject_maps s where s.author = $1",
    },
    Section {
        name: "jobs",
        about: "Work that they asked for",
        sql: "
            select j.id::text as place, jsonb_build_object('id', j.id, 'project', j.project_id, 'kind', j.kind,
              'payload', j.payload, 'state', j.state, 'result', j.result, 'createdAt', j.created_at) as row
            from plinth.jobs j where j.created_by = $1",
    },
    Section {
        name: "privacy-requests",
        about: "Copies and erasures that they asked for, or that are about them",
        sql: "
            select r.id::text as place, jsonb_build_object('id', r.id, 'kind', r.kind, 'scope', r.scope,
              'project', r.project_id, 'askedByThem', coalesce(r.requested_by = $1, false),
              'createdAt', r.created_at) as row
            from plinth.privacy_requests r
            where r.requested_by = $1 or (r.scope = 'platform-user' and r.subject ->> 'id' = $1::text)",
    },
    Section {
        name: "remembered-replies",
        about: "Replies to requests with an Idempotency-Key, kept for a day",
        sql: "
            select i.key as place, jsonb_build_object('key', i.key, 'reply', i.reply, 'createdAt', i.created_at) as row
            from plinth.idempotency i where i.caller = $1",
    },
];

pub(in super::super) async fn read(
    snapshot: &Snapshot<'_>,
    user: UserId,
    section: &Section,
    sink: &mut dyn Sink,
) -> Result<u64> {
    let sql = format!("select row from ({}) found order by place collate \"C\"", section.sql);
    let text = |row: &Row| Ok(row.get::<_, Value>(0).to_string());
    snapshot.read(&sql, &[uuid(&user.0)], text, sink).await
}
