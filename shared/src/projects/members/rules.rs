//! Who may make whom what. Pure: the store brings the facts, under a lock.

use crate::error::{Error, ErrorKind, Result};
use crate::tenancy::MemberRole;

/// A change of one member.
#[derive(Debug, Clone, Copy)]
pub(super) struct Move {
    /// The role of whoever makes it.
    pub actor: MemberRole,
    /// They change themselves.
    pub oneself: bool,
    /// The member's role before; none for somebody new.
    pub current: Option<MemberRole>,
    /// And after; none for somebody who goes.
    pub next: Option<MemberRole>,
    /// Owners the project has.
    pub owners: i64,
}

impl Move {
    /// Somebody new.
    pub(super) fn adding(actor: MemberRole, next: MemberRole) -> Self {
        Self {
            actor,
            oneself: false,
            current: None,
            next: Some(next),
            owners: 1,
        }
    }
}

/// Admins manage everybody but owners; owners manage everybody; everybody may leave; one owner stays.
pub(super) fn decide(change: &Move) -> Result<()> {
    let leaving = change.oneself && change.next.is_none();
    if !leaving && change.actor < MemberRole::Admin {
        return Err(role_too_low(change.actor));
    }
    let owner = Some(MemberRole::Owner);
    let about_owners = change.current == owner || change.next == owner;
    if about_owners && change.actor < MemberRole::Owner {
        return Err(Error::new(
            ErrorKind::Forbidden,
            "members/owner-only",
            "Only an owner makes or unmakes owners",
        )
        .with_hint("Ask an owner of the project"));
    }
    if change.current == owner && change.next != owner && change.owners < 2 {
        return Err(Error::new(
            ErrorKind::Conflict,
            "members/last-owner",
            "The last owner of a project can neither leave nor take a lower role",
        )
        .with_hint("Make somebody else an owner first"));
    }
    Ok(())
}

/// The refusal that [`crate::tenancy::Tenancy::require`] gives too.
pub(super) fn role_too_low(actor: MemberRole) -> Error {
    Error::new(
        ErrorKind::Forbidden,
        "projects/role",
        "Your role in this project does not allow this",
    )
    .with_details(format!("You are {}; this needs admin", actor.as_str()))
    .with_hint("Ask an owner of the project")
}

#[cfg(test)]
mod tests {
    use super::*;
    use MemberRole::{Admin, Developer, Owner, Viewer};

    #[test]
    fn every_role_moves_whom_it_may_and_nobody_else() {
        let all = [Viewer, Developer, Admin, Owner];
        for actor in all {
            for current in all {
                for next in [None, Some(Viewer), Some(Developer), Some(Admin), Some(Owner)] {
                    let change = Move {
                        actor,
                        oneself: false,
                        current: Some(current),
                        next,
                        owners: 2,
                    };
                    let expected = match actor {
                        Viewer | Developer => Err("projects/role"),
                        Admin if current == Owner || next == Some(Owner) => Err("members/owner-only"),
                        Admin | Owner => Ok(()),
                    };
                    let decided = decide(&change);
                    assert_eq!(decided.as_ref().copied().map_err(Error::code), expected, "{change:?}");
                }
            }
        }
    }

    #[test]
    fn everybody_may_leave_but_the_last_owner() {
        for (role, owners, refused) in [
            (Viewer, 1, None),
            (Developer, 1, None),
            (Admin, 1, None),
            (Owner, 2, None),
            (Owner, 1, Some("members/last-owner")),
        ] {
            let change = Move {
                actor: role,
                oneself: true,
                current: Some(role),
                next: None,
                owners,
            };
            assert_eq!(decide(&change).err().as_ref().map(Error::code), refused, "{change:?}");
        }
    }

    #[test]
    fn the_last_owner_keeps_the_role_even_against_their_own_will() {
        let change = Move {
            actor: Owner,
            oneself: true,
            current: Some(Owner),
            next: Some(Admin),
            owners: 1,
        };
        assert_eq!(decide(&change).unwrap_err().code(), "members/last-owner");
        assert!(
            decide(&Move {
                next: Some(Owner),
                ..change
            })
            .is_ok()
        );
    }
}
