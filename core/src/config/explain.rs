//! Which source supplied which setting.

use std::fmt;

use super::options;
use super::origin::Origin;
use super::print::{self, Secrets};
use super::resolve::Resolved;
use super::value::OptionValue;

/// The settings of a configuration with their sources, passwords cut. `Display` is a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// One row for each option that has a value.
    pub rows: Vec<Row>,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The option's name.
    pub name: &'static str,
    /// Its value, `***` for a password.
    pub value: String,
    /// Who said so; several for a list that was put together.
    pub origins: Vec<Origin>,
}

impl Explanation {
    pub(super) fn of(resolved: &Resolved) -> Self {
        let rows = options::all().filter_map(|spec| {
            let value = spec.value_in(&resolved.config)?;
            let known = resolved.origins.iter().find(|(name, _)| *name == spec.name);
            let origins = known.map_or_else(|| vec![Origin::Default], |(_, said)| said.clone());
            Some(Row { name: spec.name, value, origins })
        });
        Self { rows: rows.collect() }
    }

    /// The rows as a JSON list of objects with `name`, `value` and `source`.
    pub fn to_json(&self) -> String {
        let rows = self.rows.iter().map(|row| {
            OptionValue::Map(vec![
                ("name".to_owned(), row.name.into()),
                ("value".to_owned(), row.value.as_str().into()),
                ("source".to_owned(), row.source().into()),
            ])
        });
        print::json(&OptionValue::List(rows.collect()), Secrets::Cut)
    }
}

impl Row {
    /// The sources in words.
    pub fn source(&self) -> String {
        self.origins.iter().map(Origin::to_string).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |text: fn(&Row) -> &str| {
            self.rows.iter().map(|row| text(row).chars().count()).max().unwrap_or_default()
        };
        let (name, value) = (width(|row| row.name), width(|row| &row.value).min(60));
        for row in &self.rows {
            writeln!(f, "{:name$}  {:value$}  {}", row.name, row.value, row.source())?;
        }
        Ok(())
    }
}
