//! Who calls, and what they may reach. The access values made here have private fields: no other module can build one,
//! so a use case that takes one cannot be reached without the check.

mod caller;
mod data;
mod external;
mod notes;
mod operator;
mod personal;
mod project;

pub use caller::{Caller, MemberRole, PlatformRole, PlatformUser, ProjectAccess, RequestInfo, is_recent};
pub use data::{DataAccess, DataRole};
pub use external::{
    Connection, ConnectionSecrets, Credentials, External, ExternalSettings, Family, IamLogin, RestSecrets,
    RestSettings, RoleClaim, Routine,
};
pub use operator::Operator;
pub use personal::{Connected, Personal, not_configured};
pub use project::{Cell, Isolation, KnownKey, Names, Project, ProjectBackend, Tier};

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::HeaderMap;
use lru::LruCache;
use tokio::sync::RwLock;

use crate::clock::SharedClock;
use crate::config::Config;
use crate::control::{self, Database, text};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ref;
use crate::token::{Claims, JwkSet, RemoteKeys, VerifiedTokens, bearer, unverified_issuer, verify};
use crate::vault::CredentialStore;

/// Projects remembered per process.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(512).unwrap();
/// A project is asked for anew after this time, even when its backend has nothing new to say: so long at most a change
/// that could not be told to a backend goes unheard (while the control database can be asked).
pub const LONGEST_MEMORY: Duration = Duration::from_secs(30);
/// The same for a project whose backend carries no version that could prove what is remembered.
const EXTERNAL_MEMORY: Duration = Duration::from_secs(5);
/// How long the platform's own public keys are used without asking again.
const PLATFORM_KEYS_FRESH: Duration = Duration::from_secs(300);

/// Authenticates callers and looks up what they may reach.
pub struct Tenancy {
    config: Arc<Config>,
    control: Database,
    clock: SharedClock,
    projects: Mutex<LruCache<Ref, (Arc<Project>, Instant)>>,
    platform_keys: RwLock<Option<(Arc<JwkSet>, Instant)>>,
    remote: RemoteKeys,
    /// Of issuers that users name.
    guarded_keys: RemoteKeys,
    credentials: Arc<CredentialStore>,
    /// End users' tokens.
    verified: VerifiedTokens,
    notes: notes::Notes,
}

impl Tenancy {
    /// Over the control database.
    pub fn new(config: Arc<Config>, control: Database, credentials: Arc<CredentialStore>, clock: SharedClock) -> Self {
        Self {
            guarded_keys: RemoteKeys::guarded(config.outbound.clone()),
            credentials,
            config,
            control,
            clock,
            projects: Mutex::new(LruCache::new(REMEMBERED)),
            platform_keys: RwLock::default(),
            remote: RemoteKeys::default(),
            verified: VerifiedTokens::default(),
            notes: notes::Notes::default(),
        }
    }

    /// The platform user behind an `Authorization: Bearer` token of ours or of a configured outside issuer.
    ///
    /// # Errors
    /// `auth/unauthorized` (401) without a token that holds.
    pub async fn platform_user(&self, headers: &HeaderMap) -> Result<PlatformUser> {
        let token = bearer(headers).ok_or_else(|| unauthorized("Send Authorization: Bearer <access token>"))?;
        let issuer = unverified_issuer(token).ok_or_else(|| unauthorized("The token is not a JWT"))?;
        let now = self.clock.now();
        if issuer == self.config.web.platform_issuer() {
            let claims = self.platform_claims(token).await.map_err(as_unauthorized)?;
            return PlatformUser::from_own(&claims);
        }
        let outside = self.config.accounts.issuers.iter().find(|known| known.issuer == issuer);
        let outside = outside.ok_or_else(|| unauthorized("The token's issuer is not one this platform accepts"))?;
        let keys = self.remote.get(&outside.jwks_url, kid(token).as_deref()).await?;
        let claims = verify(token, &keys, &issuer, outside.audience.as_deref(), now).map_err(as_unauthorized)?;
        PlatformUser::from_outside(&issuer, &claims)
    }

    /// The claims of a token of the platform's own.
    ///
    /// # Errors
    /// As [`verify`]; 503 when the keys cannot be read.
    pub async fn platform_claims(&self, token: &str) -> Result<Claims> {
        let keys = self.platform_keys(token).await?;
        let issuer = self.config.web.platform_issuer();
        verify(token, &keys, &issuer, Some("authenticated"), self.clock.now())
    }

    async fn platform_keys(&self, token: &str) -> Result<Arc<JwkSet>> {
        let kid = kid(token).unwrap_or_default();
        if let Some((keys, at)) = &*self.platform_keys.read().await
            && at.elapsed() < PLATFORM_KEYS_FRESH
            && keys.find(&kid).is_some()
        {
            return Ok(keys.clone());
        }
        let client = self.control.get().await?;
        let row = client
            .query_typed("select plinth.platform_keys()", &[])
            .await
            .map_err(control::failure)?;
        let set = row
            .first()
            .map(|row| row.get::<_, serde_json::Value>(0))
            .unwrap_or_default();
        let keys: Arc<JwkSet> = Arc::new(serde_json::from_value(set).map_err(Error::internal)?);
        *self.platform_keys.write().await = Some((keys.clone(), Instant::now()));
        Ok(keys)
    }

    /// Who calls a project's data API, by its key and, if there is one, its end user's token.
    ///
    /// # Errors
    /// 401 without a key or with one that does not (or no longer) belong to the project, or with a bad token; 404 when
    /// the project is gone; 403 for a secret key sent by a browser.
    pub async fn identify(&self, reference: &Ref, headers: &HeaderMap) -> Result<DataAccess> {
        let presented = match data::presented_key(headers) {
            Ok(presented) => presented,
            Err(refused) if data::names_key(headers) => return Err(refused),
            Err(refused) => return Box::pin(self.identify_without_key(reference, headers, refused)).await,
        };
        if presented.reference != *reference {
            return Err(data::invalid_key());
        }
        let hash = presented.hash();
        let now = self.clock.now();
        let mut project = self.project(reference).await?;
        if project.key(&hash, now).is_none() {
            // It may be younger than what we remember.
            project = self.refresh(reference).await?;
        }
        let key = project.key(&hash, now).ok_or_else(data::invalid_key)?.clone();
        data::refuse_secret_in_browser(key.class, headers)?;
        if let Some(external) = self.external(&project).await? {
            // Boxed: with a fetch of keys in it, the future has many layers.
            return Box::pin(self.identify_external(&project, external, Some(&key), headers)).await;
        }
        let Some(token) = bearer(headers).filter(|token| *token != presented.text().expose()) else {
            return Ok(DataAccess::by_key(project, &key));
        };
        if project.jwks.find(&kid(token).unwrap_or_default()).is_none() {
            project = self.refresh(reference).await?;
        }
        let issuer = self.config.web.project_issuer(reference);
        let claims: Claims = self
            .verified
            .verify(token, &project.jwks, &issuer, Some("authenticated"), now)?;
        Ok(DataAccess::by_token(project, &key, claims))
    }

    /// Who calls without a key: somebody with a token of their own, or nobody, where the backend's owner lets them in.
    /// To everybody else the project looks as any other.
    async fn identify_without_key(&self, reference: &Ref, headers: &HeaderMap, refused: Error) -> Result<DataAccess> {
        let project = match self.project(reference).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(refused),
            found => found?,
        };
        match self.external(&project).await? {
            Some(external) if !external.settings.require_api_key => {
                self.identify_external(&project, external, None, headers).await
            }
            _ => Err(refused),
        }
    }

    /// The project whose key is presented, whatever token comes with it, as things are right now: for services that do
    /// not end with a version check. With `reference`, only that project's keys count.
    ///
    /// # Errors
    /// As [`Tenancy::identify`].
    pub async fn identify_key_now(&self, reference: Option<&Ref>, headers: &HeaderMap) -> Result<DataAccess> {
        let presented = data::presented_key(headers)?;
        if reference.is_some_and(|reference| presented.reference != *reference) {
            return Err(data::invalid_key());
        }
        let project = self.refresh(&presented.reference).await?;
        let key = project.key(&presented.hash(), self.clock.now());
        let key = key.ok_or_else(data::invalid_key)?.clone();
        data::refuse_secret_in_browser(key.class, headers)?;
        Ok(DataAccess::by_key(project, &key))
    }

    /// The project of that ref, as last seen. A data request proves it fresh by the version check at its end.
    ///
    /// # Errors
    /// 404 when there is none (any more).
    pub async fn project(&self, reference: &Ref) -> Result<Arc<Project>> {
        let remembered = lock(&self.projects).get(reference).cloned();
        let Some((project, at)) = remembered else {
            return self.refresh(reference).await;
        };
        let Some(backend) = &project.backend else {
            // Nothing proves at a request's end that there is still none.
            return self.refresh(reference).await;
        };
        let external = backend.tier == Tier::External;
        if at.elapsed() < if external { EXTERNAL_MEMORY } else { LONGEST_MEMORY } {
            return Ok(project);
        }
        match self.refresh(reference).await {
            // Without the control database nothing was changed either: data goes on being served.
            Err(error) if error.kind() == ErrorKind::Unavailable => Ok(project),
            asked => asked,
        }
    }

    /// The project of that ref, as it is now.
    ///
    /// # Errors
    /// 404 when there is none (any more).
    pub async fn refresh(&self, reference: &Ref) -> Result<Arc<Project>> {
        // Boxed: it is seldom needed, and would be a large part of every request's future.
        Box::pin(self.look_up(reference)).await
    }

    async fn look_up(&self, reference: &Ref) -> Result<Arc<Project>> {
        let client = self.control.get().await?;
        let rows = client
            .query_typed("select plinth.resolve($1)", &[text(&reference.as_str())])
            .await
            .map_err(control::failure)?;
        let found: Option<serde_json::Value> = rows.first().and_then(|row| row.get(0));
        let Some(found) = found else {
            lock(&self.projects).pop(reference);
            return Err(not_found());
        };
        let project: Arc<Project> = Arc::new(serde_json::from_value(found).map_err(Error::internal)?);
        lock(&self.projects).put(reference.clone(), (project.clone(), Instant::now()));
        Ok(project)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // The guarded caches are whole after every statement: a panic elsewhere leaves nothing half-done.
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn kid(token: &str) -> Option<String> {
    jsonwebtoken::decode_header(token).ok()?.kid
}

/// What a stranger sees, and everybody for a project that is gone.
pub fn not_found() -> Error {
    Error::new(ErrorKind::NotFound, "projects/not-found", "Project not found")
        .with_hint("Check the id, and that you are a member of the project")
}

fn unauthorized(hint: &'static str) -> Error {
    Error::new(ErrorKind::Unauthorized, "auth/unauthorized", "Unauthorized").with_hint(hint)
}

/// On the control plane the reason goes into the details; the code stays one.
fn as_unauthorized(error: Error) -> Error {
    if error.kind() != ErrorKind::Unauthorized {
        return error;
    }
    unauthorized("Sign in again to get a new token")
        .with_details(error.public().to_owned())
        .with_source(error)
}
