//! What a client says of itself and of its deployment.

use magnus::value::ReprValue;
use magnus::{Error, IntoValue, RArray, RHash, Ruby, Value};
use steadis::config::{Config, Explanation};
use steadis::picture::{Field, Picture};

/// Fields by name. A time is in seconds.
pub(crate) fn fields(ruby: &Ruby, fields: Vec<Field>) -> Result<RHash, Error> {
    let hash = ruby.hash_new();
    for (name, told) in fields {
        hash.aset(ruby.to_symbol(name), shown(ruby, told)?)?;
    }
    Ok(hash)
}

fn shown(ruby: &Ruby, told: Picture) -> Result<Value, Error> {
    Ok(match told {
        Picture::Nothing => ruby.qnil().as_value(),
        Picture::Flag(flag) => flag.into_value_with(ruby),
        Picture::Count(count) => count.into_value_with(ruby),
        Picture::Time(time) => time.as_secs_f64().into_value_with(ruby),
        Picture::Text(said) => said.into_value_with(ruby),
        Picture::List(items) => {
            let list = ruby.ary_new();
            items.into_iter().try_for_each(|item| list.push(shown(ruby, item)?))?;
            list.as_value()
        }
        Picture::Fields(told) => fields(ruby, told)?.as_value(),
    })
}

/// A table for people; then name, value and source of each setting.
pub(crate) fn explanation(ruby: &Ruby, explanation: &Explanation) -> Result<RArray, Error> {
    let rows = ruby.ary_new();
    for row in &explanation.rows {
        rows.push((row.name, row.value.clone(), row.source()))?;
    }
    let all = ruby.ary_new();
    all.push(explanation.to_string())?;
    all.push(rows)?;
    Ok(all)
}

pub(crate) fn inspect(class: &str, config: &Config, closed: bool) -> String {
    format!("#<Steadis::{class} of {}{}>", config.target, if closed { ", closed" } else { "" })
}
