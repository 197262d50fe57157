//! What the core tells about itself, as the values that replies are made of.

use steadis::Reply;
use steadis::picture::{Field, Picture};

/// Fields as a map. A time is in milliseconds, and its name says so.
pub(crate) fn fields(fields: Vec<Field>) -> Reply {
    let one = |(name, told): Field| {
        let name =
            if matches!(told, Picture::Time(_)) { format!("{name}_ms") } else { name.to_owned() };
        (text(&name), shown(told))
    };
    Reply::Map(fields.into_iter().map(one).collect())
}

fn shown(told: Picture) -> Reply {
    match told {
        Picture::Nothing => Reply::Null,
        Picture::Flag(flag) => Reply::Boolean(flag),
        Picture::Count(count) => Reply::Integer(i64::try_from(count).unwrap_or(i64::MAX)),
        Picture::Time(time) => Reply::Integer(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)),
        Picture::Text(said) => text(&said),
        Picture::List(items) => list(items.into_iter().map(shown)),
        Picture::Fields(told) => fields(told),
    }
}

pub(crate) fn map(pairs: impl IntoIterator<Item = (&'static str, Reply)>) -> Reply {
    Reply::Map(pairs.into_iter().map(|(name, value)| (text(name), value)).collect())
}

pub(crate) fn list(items: impl IntoIterator<Item = Reply>) -> Reply {
    Reply::List(items.into_iter().collect())
}

pub(crate) fn text(text: &str) -> Reply {
    Reply::Bulk(text.as_bytes().to_vec())
}
