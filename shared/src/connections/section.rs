//! Reads a section of JSON member by member, and notes what is wrong with each by its path. No value is quoted: some are
//! secrets.

use serde_json::{Map, Value};

use crate::schema::fault::{Fault, Faults};

/// One object of the configuration.
pub struct Section<'v, 'f> {
    path: &'static str,
    code: &'static str,
    members: Option<&'v Map<String, Value>>,
    faults: &'f mut Faults,
}

impl<'v, 'f> Section<'v, 'f> {
    /// The object at `path`; what is no object, and members beside `known`, are faults with that code.
    pub fn new(
        path: &'static str,
        code: &'static str,
        value: &'v Value,
        known: &[&str],
        faults: &'f mut Faults,
    ) -> Self {
        let members = value.as_object();
        if members.is_none() {
            faults.push(Fault::new(path, code, "an object is expected"));
        }
        for name in members.into_iter().flat_map(Map::keys) {
            if !known.contains(&name.as_str()) {
                let hint = format!("Known are {}", known.join(", "));
                faults.push(Fault::new(format!("{path}.{}", shown(name)), code, "there is no such setting").hint(hint));
            }
        }
        Self {
            path,
            code,
            members,
            faults,
        }
    }

    /// A fault of one member.
    pub fn fault(&mut self, name: &str, message: impl Into<String>) {
        self.faults
            .push(Fault::new(format!("{}.{name}", self.path), self.code, message));
    }

    /// Whether the member is there, null included.
    pub fn has(&self, name: &str) -> bool {
        self.members.is_some_and(|members| members.contains_key(name))
    }

    /// The member, unless it is null.
    pub fn value(&self, name: &str) -> Option<&'v Value> {
        self.members?.get(name).filter(|value| !value.is_null())
    }

    /// A text without NUL, not empty.
    pub fn text(&mut self, name: &str) -> Option<&'v str> {
        let value = self.value(name)?;
        let text = value.as_str().filter(|text| !text.is_empty() && !text.contains('\0'));
        if text.is_none() {
            self.fault(name, "a text is expected");
        }
        text
    }

    /// True or false.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        let value = self.value(name)?;
        if !value.is_boolean() {
            self.fault(name, "true or false is expected");
        }
        value.as_bool()
    }

    /// A whole number in these bounds.
    pub fn number(&mut self, name: &str, least: u64, most: u64) -> Option<u64> {
        let value = self.value(name)?;
        let number = value.as_u64().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.fault(name, format!("a whole number from {least} to {most} is expected"));
        }
        number
    }

    /// A text that `parse` takes.
    pub fn parsed<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        match parse(self.text(name)?) {
            Ok(parsed) => Some(parsed),
            Err(why) => {
                self.fault(name, why);
                None
            }
        }
    }

    /// A list of texts that `parse` takes.
    pub fn list<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<Vec<T>> {
        let value = self.value(name)?;
        let Some(items) = value.as_array() else {
            self.fault(name, "a list of texts is expected");
            return None;
        };
        let mut list = Vec::new();
        for (at, item) in items.iter().enumerate() {
            match item
                .as_str()
                .ok_or_else(|| "a text is expected".to_owned())
                .and_then(&parse)
            {
                Ok(parsed) => list.push(parsed),
                Err(why) => self.fault(&format!("{name}[{at}]"), why),
            }
        }
        Some(list)
    }
}

/// A member's name as far as it is worth showing.
pub fn shown(name: &str) -> String {
    name.chars().take(63).filter(|c| !c.is_control()).collect()
}
