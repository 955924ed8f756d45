//! Databases in cells, reached with this function's own cell login.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;

use crate::backend::Address;
use crate::backend::dial::Trust;
use crate::config::Config;
use crate::control::Database;
use crate::error::{Error, Result};
use crate::ident::{Ident, Ref};
use crate::tenancy::{Cell, Isolation, Names};

/// Opens and keeps connections to cells.
pub struct Cells {
    config: Arc<Config>,
    trust: Trust,
    open: Mutex<LruCache<(Cell, String), Database>>,
}

impl Cells {
    pub(super) fn new(config: Arc<Config>, trust: Trust) -> Self {
        let targets = NonZeroUsize::new(config.databases.pool_targets).unwrap_or(NonZeroUsize::MIN);
        Self {
            config,
            trust,
            open: Mutex::new(LruCache::new(targets)),
        }
    }

    /// The cell's shared database.
    ///
    /// # Errors
    /// When this function has no login in cells.
    pub fn shared(&self, cell: &Cell) -> Result<Database> {
        self.database(cell, &cell.database)
    }

    /// The database that holds a project's schema: the shared one, or its own.
    ///
    /// # Errors
    /// As [`Cells::shared`].
    pub fn of_project(&self, cell: &Cell, reference: &Ref, isolation: Isolation) -> Result<Database> {
        match isolation {
            Isolation::Schema => self.shared(cell),
            Isolation::Database => self.named(cell, &Names(reference).own()),
        }
    }

    /// Any database of the cell.
    ///
    /// # Errors
    /// As [`Cells::shared`].
    pub fn named(&self, cell: &Cell, database: &Ident) -> Result<Database> {
        self.database(cell, database.as_str())
    }

    /// Forgets a database (before it is dropped: an idle connection would hold it).
    pub fn forget(&self, cell: &Cell, database: &Ident) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = open.pop(&(cell.clone(), database.as_str().to_owned())) {
            database.close();
        }
    }

    pub(super) fn shared_address(&self, cell: &Cell) -> Result<Address> {
        self.address(cell, &cell.database)
    }

    pub(super) fn named_address(&self, cell: &Cell, database: &Ident) -> Result<Address> {
        self.address(cell, database.as_str())
    }

    fn address(&self, cell: &Cell, database: &str) -> Result<Address> {
        let databases = &self.config.databases;
        let login = databases.cell_login.as_deref();
        let login = login.ok_or_else(|| Error::internal("PLINTH_CELL_LOGIN is not set"))?;
        Ok(databases
            .control
            .beside(&cell.host, cell.port, database, login, databases.cell_auth.clone()))
    }

    fn database(&self, cell: &Cell, name: &str) -> Result<Database> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (cell.clone(), name.to_owned());
        if let Some(database) = open.get(&key) {
            return Ok(database.clone());
        }
        let databases = &self.config.databases;
        let address = self.address(cell, name)?;
        let database = Database::new(address, self.trust.clone(), databases.pool_size, databases.pool_wait)?;
        open.put(key, database.clone());
        Ok(database)
    }
}
