//! What one key may hold, by what its only writer was told.

/// Between `least` and `least + unknown`: each increment of unknown fate may have run or not.
#[derive(Debug, Default)]
pub(crate) struct Count {
    pub(crate) least: i64,
    pub(crate) unknown: i64,
    /// Acknowledged increments that are gone.
    pub(crate) lost: i64,
    /// How often some were found to be gone.
    pub(crate) losses: u64,
    /// Increments that nobody can account for.
    pub(crate) extra: i64,
    /// A kind of error, other than MaybeExecuted, since the last answer.
    failed: Option<String>,
}

impl Count {
    /// An increment was answered.
    pub(crate) fn incremented(&mut self, value: i64) -> Option<String> {
        let fault = self.seen(value - 1, "an increment answered", value);
        *self = Self { least: value, unknown: 0, failed: None, ..std::mem::take(self) };
        fault
    }

    /// An increment failed.
    pub(crate) fn failed(&mut self, kind: &str) {
        if kind == "MaybeExecuted" {
            self.unknown += 1;
        } else {
            self.failed = Some(kind.to_owned());
        }
    }

    /// The key was read. That an unknown increment is not in it proves nothing: it may come late.
    pub(crate) fn read(&mut self, value: i64) -> Option<String> {
        self.seen(value, "a read answered", value)
    }

    /// What the server holds after everything has ended.
    pub(crate) fn ended(&mut self, value: i64) -> Option<String> {
        self.seen(value, "it ended with", value)
    }

    fn seen(&mut self, held: i64, what: &str, answer: i64) -> Option<String> {
        let most = self.least + self.unknown;
        if held < self.least {
            self.lost += self.least - held;
            self.losses += 1;
            self.least = held;
        }
        if held <= most {
            return None;
        }
        self.extra += held - most;
        self.least = held;
        self.unknown = 0;
        let offset = answer - held;
        Some(match &self.failed {
            Some(kind) => format!(
                "{what} {answer}, at most {} was possible: executed after it was reported failed as {kind}, or twice",
                most + offset
            ),
            None => {
                format!("{what} {answer}, at most {} was possible: executed twice", most + offset)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_increments_may_have_run_or_not() {
        let mut count = Count::default();
        assert_eq!(count.incremented(1), None);
        count.failed("MaybeExecuted");
        assert_eq!(count.read(1), None);
        assert_eq!(count.read(2), None);
        assert_eq!(count.incremented(3), None);
        count.failed("MaybeExecuted");
        assert_eq!(count.incremented(4), None);
        assert_eq!(count.ended(4), None);
        assert_eq!((count.lost, count.extra), (0, 0));
    }

    #[test]
    fn one_too_many_is_seen_at_once() {
        let mut count = Count::default();
        count.incremented(1);
        assert!(count.incremented(3).unwrap().contains("twice"));
        assert_eq!((count.lost, count.extra), (0, 1));
        assert_eq!(count.incremented(4), None);
        assert!(count.ended(5).unwrap().contains("twice"));
        assert_eq!(count.extra, 2);
    }

    #[test]
    fn what_was_reported_failed_must_not_run() {
        let mut count = Count::default();
        count.incremented(1);
        count.failed("Unavailable");
        assert!(count.incremented(3).unwrap().contains("reported failed as Unavailable"));
    }

    #[test]
    fn what_was_acknowledged_is_missed() {
        let mut count = Count::default();
        (1..=5).for_each(|value| assert_eq!(count.incremented(value), None));
        assert_eq!(count.incremented(4), None);
        assert_eq!((count.lost, count.least), (2, 4));
        assert_eq!(count.read(3), None);
        assert_eq!(count.ended(3), None);
        assert_eq!((count.lost, count.losses, count.extra), (3, 2, 0));
    }

    #[test]
    fn a_loss_does_not_hide_a_repetition() {
        let mut count = Count::default();
        (1..=5).for_each(|value| assert_eq!(count.incremented(value), None));
        assert_eq!(count.read(3), None);
        assert!(count.incremented(5).is_some());
    }
}
