//! `${name}`: what an earlier step came to, or a variable of the lab's environment.

use crate::Fault;
use serde_json::{Map, Value as Json};

#[derive(Debug, Default)]
pub(crate) struct Variables(Map<String, Json>);

impl Variables {
    pub(crate) fn set(&mut self, name: &str, value: Json) {
        self.0.insert(name.to_owned(), value);
    }

    /// The value of `kill.at` or `env.REDIS_URL`.
    fn get(&self, path: &str) -> Result<&Json, Fault> {
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        let value = self.0.get(name).ok_or_else(|| format!("nothing is called ${{{path}}}"))?;
        match rest {
            "" => Ok(value),
            key => value.get(key).ok_or_else(|| format!("{name} has no {key}: {value}")),
        }
    }

    /// The text with every variable in it replaced.
    pub(crate) fn text(&self, text: &str) -> Result<String, Fault> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (path, after) =
                after.split_once('}').ok_or_else(|| format!("{text:?} lacks a closing brace"))?;
            filled.push_str(before);
            match self.get(path)? {
                Json::String(value) => filled.push_str(value),
                value => filled.push_str(&value.to_string()),
            }
            rest = after;
        }
        Ok(filled + rest)
    }

    /// The value with every text in it filled; one that is only a variable keeps its type.
    pub(crate) fn fill(&self, value: &Json) -> Result<Json, Fault> {
        Ok(match value {
            Json::String(text) => {
                let only = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
                match only.filter(|path| !path.contains("${")) {
                    Some(path) => self.get(path)?.clone(),
                    None => self.text(text)?.into(),
                }
            }
            Json::Array(items) => {
                items.iter().map(|item| self.fill(item)).collect::<Result<Vec<_>, _>>()?.into()
            }
            Json::Object(fields) => {
                let fields = fields.iter().map(|(key, value)| Ok((key.clone(), self.fill(value)?)));
                Json::Object(fields.collect::<Result<_, Fault>>()?)
            }
            other => other.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn variables_are_filled_in_everywhere() {
        let mut variables = Variables::default();
        variables.set("mute", json!({ "address": "127.0.0.1:7", "at": 5 }));
        let filled = variables.fill(&json!({ "a": ["${mute.at}"], "b": "x=${mute.address}!" }));
        assert_eq!(filled, Ok(json!({ "a": [5], "b": "x=127.0.0.1:7!" })));
        assert!(variables.text("${none}").is_err());
        assert!(variables.text("${mute.port}").is_err());
        assert!(variables.text("${mute").is_err());
    }
}
