//! Figures of one client.

use arc_swap::ArcSwapOption;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! figures {
    ($($(#[doc = $what:literal])+ $name:ident),+ $(,)?) => {
        /// Counts as they happen.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: AtomicU64,)+
            /// Those of all clients of the deployment, taken together.
            together: ArcSwapOption<Counters>,
        }

        /// The figures of a client at one moment, counted since it was made.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Stats {
            $($(#[doc = $what])+ pub $name: u64,)+
        }

        impl Counters {
            pub(crate) fn read(&self) -> Stats {
                Stats { $($name: self.$name.load(Ordering::Relaxed),)+ }
            }
        }

        impl Stats {
            /// What was counted since then.
            pub(crate) fn since(&self, before: &Self) -> Self {
                Self { $($name: self.$name - before.$name,)+ }
            }

            /// Name, meaning and value of each figure.
            pub fn figures(&self) -> Vec<(&'static str, &'static str, u64)> {
                vec![$((stringify!($name), concat!($($what),+).trim_ascii_start(), self.$name),)+]
            }
        }
    };
}

figures! {
    /// Calls: a command, a transaction or a pipeline is one.
    calls,
    /// Calls that ended with an error of ours; what the server refused does not count.
    failed,
    /// Writes that were sent and never answered.
    maybe_executed,
    /// Attempts beyond the first: what did not run, or only read, was sent again.
    repeated,
    /// Calls that a replica has answered.
    from_replicas,
    /// Calls that had to wait for a primary.
    held,
    /// Microseconds that those calls have waited, taken together.
    held_micros,
    /// Connections that were made.
    connections,
}

impl Counters {
    /// Counts what happens to every call.
    pub(crate) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }

    /// Counts what a failover does to calls: here, and for all clients of the deployment.
    pub(crate) fn note(&self, which: fn(&Self) -> &AtomicU64, count: u64) {
        Self::add(which(self), count);
        if let Some(together) = &*self.together.load() {
            Self::add(which(together), count);
        }
    }

    /// Counts for these too from now on.
    pub(crate) fn join(&self, together: &Arc<Self>) {
        self.together.store(Some(Arc::clone(together)));
    }
}

impl Stats {
    /// The figures in the text format of Prometheus.
    pub fn prometheus(&self) -> String {
        let mut text = String::new();
        for (name, what, value) in self.figures() {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "# HELP steadis_{name}_total {what}\n# TYPE steadis_{name}_total counter\n\
                 steadis_{name}_total {value}"
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prometheus_reads_it() {
        let counters = Counters::default();
        Counters::add(&counters.repeated, 3);
        let text = counters.read().prometheus();
        assert!(text.contains("# TYPE steadis_repeated_total counter\nsteadis_repeated_total 3\n"));
        assert!(text.contains("# HELP steadis_calls_total Calls: a command"));
    }
}
