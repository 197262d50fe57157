//! A line of a worker's log: one finished operation.

use serde::Deserialize;
use serde_json::Value as Json;

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Operation {
    pub(crate) op: String,
    pub(crate) key: String,
    /// Nanoseconds of CLOCK_MONOTONIC.
    pub(crate) start: u64,
    pub(crate) end: u64,
    #[serde(default)]
    value: Json,
    pub(crate) error: Option<Failure>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Failure {
    pub(crate) kind: String,
    pub(crate) message: String,
}

/// Children of a fork are numbered from here.
const CHILDREN: u64 = 1000;

impl Operation {
    pub(crate) fn acknowledged(&self) -> bool {
        self.error.is_none()
    }

    pub(crate) fn writes(&self) -> bool {
        let writes = ["incr", "multi", "eval", "watch", "push", "pop", "add", "publish"];
        writes.contains(&self.op.as_str())
    }

    /// The keys it increments or reads, each with the value that was answered.
    pub(crate) fn values(&self) -> Vec<(String, Option<i64>)> {
        let number = |value: &Json| match value {
            // A key that was never written.
            Json::Null => Some(0),
            Json::String(text) => text.parse().ok(),
            other => other.as_i64(),
        };
        match self.op.as_str() {
            "multi" | "eval" => {
                let both = [("a", 0), ("b", 1)];
                let pair =
                    both.map(|(name, i)| (format!("{}:{name}", self.key), self.value[i].as_i64()));
                pair.to_vec()
            }
            "incr" | "watch" => vec![(self.key.clone(), self.value.as_i64())],
            "get" => vec![(self.key.clone(), number(&self.value))],
            _ => Vec::new(),
        }
    }

    /// What two workers share is called after the second of them.
    pub(crate) fn pair(&self) -> Option<u64> {
        self.number().map(|number| number | 1)
    }

    /// What was taken from a queue or heard on a channel: a number, if it was one.
    pub(crate) fn taken(&self) -> Option<u64> {
        match &self.value {
            Json::Array(parts) => parts.get(1).and_then(Json::as_u64),
            other => other.as_u64(),
        }
    }

    /// Not a message, but the word that some may have been missed.
    pub(crate) fn is_gap(&self) -> bool {
        self.value == "gap"
    }

    fn number(&self) -> Option<u64> {
        self.key.rsplit('n').next().and_then(|digits| digits.parse().ok())
    }

    /// A forked child did it.
    pub(crate) fn by_child(&self) -> bool {
        self.number().is_some_and(|number| number >= CHILDREN)
    }

    #[cfg(test)]
    pub(crate) fn new(op: &str, key: &str, at: (u64, u64), outcome: Result<Json, &str>) -> Self {
        const MS: u64 = 1_000_000;
        let error = outcome.as_ref().err();
        let error = error.map(|kind| Failure { kind: (*kind).into(), message: "why".into() });
        let value = outcome.unwrap_or_default();
        Self { op: op.into(), key: key.into(), start: at.0 * MS, end: at.1 * MS, value, error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_operation_tells_what_it_touched() {
        let get = Operation::new("get", "n3", (0, 1), Ok(json!("7")));
        assert_eq!(get.values(), [("n3".into(), Some(7))]);
        assert_eq!(Operation::new("get", "n3", (0, 1), Ok(Json::Null)).values()[0].1, Some(0));
        let multi = Operation::new("multi", "rust:n1000", (0, 1), Ok(json!([4, 5])));
        let both = [("rust:n1000:a".into(), Some(4)), ("rust:n1000:b".into(), Some(5))];
        assert_eq!(multi.values(), both);
        assert!(multi.by_child() && multi.writes() && !get.by_child() && !get.writes());
    }
}
