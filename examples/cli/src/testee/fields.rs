//! Reading an object's fields by their names.

use std::time::Duration;

use rejoin::Error;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// An object of options, of which each is taken once.
pub(super) struct Fields {
    path: &'static str,
    fields: Map<String, Value>,
}

impl Fields {
    pub(super) const fn new(path: &'static str, fields: Map<String, Value>) -> Self {
        Self { path, fields }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.fields.keys()
    }

    /// An option that may be absent; `null` is as if it were.
    pub(super) fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, Error> {
        let value = self.fields.remove(name).unwrap_or_default();
        serde_json::from_value(value).map_err(|error| self.wrong(name, &error.to_string()))
    }

    pub(super) fn millis(&mut self, name: &str) -> Result<Option<Duration>, Error> {
        Ok(self.take(name)?.map(Duration::from_millis))
    }

    pub(super) fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>, Error> {
        let Some(chosen) = self.take::<String>(name)? else {
            return Ok(None);
        };
        let found = choices.iter().find(|(choice, _)| *choice == chosen);
        let (_, value) = found.ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(choice, _)| format!("`{choice}`")).collect();
            self.wrong(name, &format!("`{chosen}` is none of {}", names.join(", ")))
        })?;
        Ok(Some(*value))
    }

    pub(super) fn group(&mut self, name: &'static str) -> Result<Option<Self>, Error> {
        Ok(self.take(name)?.map(|fields| Self::new(name, fields)))
    }

    pub(super) fn end(self) -> Result<(), Error> {
        match self.fields.keys().next() {
            None => Ok(()),
            Some(unknown) => Err(self.wrong(unknown, "there is no such option")),
        }
    }

    pub(super) fn wrong(&self, name: &str, reason: &str) -> Error {
        let option = match self.path {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        Error::InvalidOption {
            option: option.into(),
            reason: reason.to_owned().into(),
        }
    }
}
