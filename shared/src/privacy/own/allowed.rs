//! What a project allows its end users: its settings say `{"privacy": {"selfExport": true, "selfErase": true}}`, each false
//! where it is not said.

use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};
use crate::tenancy::Project;

/// What of it a project allows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowed {
    /// A copy of their data.
    pub export: bool,
    /// That it goes.
    pub erase: bool,
}

impl Allowed {
    /// Of a project's settings.
    ///
    /// # Errors
    /// 400 `projects/settings` for a `privacy` of another shape.
    pub fn parse(settings: &Value) -> Result<Self> {
        let mut allowed = Self::default();
        let Some(privacy) = settings.get("privacy") else {
            return Ok(allowed);
        };
        let named = privacy.as_object().ok_or_else(|| wrong("privacy is not an object"))?;
        for (name, value) in named {
            let value = value
                .as_bool()
                .ok_or_else(|| wrong("selfExport and selfErase are true or false"));
            match name.as_str() {
                "selfExport" => allowed.export = value?,
                "selfErase" => allowed.erase = value?,
                _ => return Err(wrong("privacy holds selfExport and selfErase")),
            }
        }
        Ok(allowed)
    }

    /// Of a project. What cannot be read allows nothing.
    pub fn by(project: &Project) -> Self {
        Self::parse(&project.settings).unwrap_or_default()
    }

    /// Refuses what is not allowed.
    ///
    /// # Errors
    /// 403 `privacy/not-allowed`.
    pub fn require(allowed: bool) -> Result<()> {
        if allowed {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Forbidden,
            "privacy/not-allowed",
            "This app does not offer this by itself",
        )
        .with_hint(
            "Ask those who run the app. They can allow it: PATCH /api/projects/{id} {\"settings\": {\"privacy\": \
             {\"selfExport\": true, \"selfErase\": true}}}",
        ))
    }
}

fn wrong(details: &'static str) -> Error {
    Error::invalid(
        "projects/settings",
        "The settings of privacy do not have the expected shape",
    )
    .with_details(details)
    .with_hint("For example {\"privacy\": {\"selfExport\": true, \"selfErase\": false}}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_is_allowed_that_is_not_said() {
        for (settings, export, erase) in [
            (json!({}), false, false),
            (json!({"privacy": {}}), false, false),
            (json!({"privacy": {"selfExport": true}}), true, false),
            (
                json!({"privacy": {"selfErase": true, "selfExport": false}}),
                false,
                true,
            ),
        ] {
            assert_eq!(
                Allowed::parse(&settings).unwrap(),
                Allowed { export, erase },
                "{settings}"
            );
        }
        for wrong in [
            json!({"privacy": true}),
            json!({"privacy": {"selfExport": "yes"}}),
            json!({"privacy": {"selfDestruct": true}}),
        ] {
            assert_eq!(
                Allowed::parse(&wrong).unwrap_err().code(),
                "projects/settings",
                "{wrong}"
            );
        }
    }
}
