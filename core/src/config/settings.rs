//! What was said, by whom, and who is listened to first.

use super::options::Spec;
use super::origin::Origin;
use super::value::{OptionValue, Unit};
use crate::{Error, Result};

/// The order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Option,
    Url,
    /// `REDIS_SENTINEL_*`, and a URL variable that speaks of Sentinels.
    Sentinel,
    TlsUrl,
    RedisUrl,
    /// `REDIS_HOST`, `REDIS_PASSWORD` and the like.
    Plain,
}

/// Nobody reads more warnings than this.
const MOST_WARNINGS: usize = 100;

/// One thing that one source said.
pub(super) struct Setting {
    pub(super) spec: &'static Spec,
    pub(super) value: OptionValue,
    pub(super) origin: Origin,
    pub(super) rank: Rank,
    pub(super) unit: Unit,
}

/// Everything that was said.
#[derive(Default)]
pub(super) struct Settings {
    said: Vec<Setting>,
    pub(super) warnings: Vec<String>,
}

/// The value that counts, and whose word it is.
pub(super) struct Chosen {
    pub(super) value: OptionValue,
    pub(super) origin: Origin,
    pub(super) rank: Rank,
}

impl Settings {
    pub(super) fn add(
        &mut self,
        spec: &'static Spec,
        value: impl Into<OptionValue>,
        origin: &Origin,
        rank: Rank,
    ) {
        self.push(Setting {
            spec,
            value: value.into(),
            origin: origin.clone(),
            rank,
            unit: Unit::Seconds,
        });
    }

    pub(super) fn push(&mut self, setting: Setting) {
        self.said.push(setting);
    }

    pub(super) fn warn(&mut self, warning: String) {
        if self.warnings.len() < MOST_WARNINGS && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// What was said about an option, in the order of saying.
    pub(super) fn about(&self, spec: &'static Spec) -> impl Iterator<Item = &Setting> {
        self.said.iter().filter(move |setting| setting.spec == spec)
    }

    pub(super) fn all(&self) -> &[Setting] {
        &self.said
    }

    pub(super) fn has(&self, spec: &'static Spec, rank: Rank) -> bool {
        self.about(spec).any(|setting| setting.rank == rank)
    }

    /// The word of the first in rank. Two of the same rank must agree; one of a lower rank in
    /// the environment that says otherwise is worth a warning when it is about the server.
    pub(super) fn choose(&mut self, spec: &'static Spec) -> Result<Option<Chosen>> {
        let Some(first) = self.about(spec).min_by_key(|setting| setting.rank) else {
            return Ok(None);
        };
        let value = first.normal()?;
        let chosen = Chosen { value, origin: first.origin.clone(), rank: first.rank };
        let mut overruled = Vec::new();
        for other in self.about(spec) {
            let agrees = other.normal().is_ok_and(|value| same(&value, &chosen.value));
            if agrees {
                continue;
            }
            if other.rank == chosen.rank {
                return Err(Error::config(format!(
                    "{} and {} give two different values for {}; keep one of them",
                    chosen.origin, other.origin, spec.name
                )));
            }
            if chosen.rank >= Rank::Sentinel && spec.scope == super::options::Scope::Server {
                overruled.push(format!(
                    "{} is not used: {} already gives another {}",
                    other.origin.subject(spec.name),
                    chosen.origin,
                    spec.name
                ));
            }
        }
        for warning in overruled {
            self.warn(warning);
        }
        Ok(Some(chosen))
    }
}

impl Setting {
    pub(super) fn normal(&self) -> Result<OptionValue> {
        self.spec.kind.normal(&self.value, self.unit).map_err(|why| self.error(&why))
    }

    /// A sentence that begins with who said what.
    pub(super) fn error(&self, why: &str) -> Error {
        Error::config(format!("{} {why}", self.origin.subject(self.spec.name)))
    }
}

/// Equal values; secrets are equal by what they reveal, wherever it comes from.
fn same(a: &OptionValue, b: &OptionValue) -> bool {
    match (a, b) {
        (OptionValue::Secret(a), OptionValue::Secret(b)) => {
            a == b || (a.path().is_some() || b.path().is_some()) && revealed_equal(a, b)
        }
        _ => a == b,
    }
}

fn revealed_equal(a: &super::secret::Secret, b: &super::secret::Secret) -> bool {
    // Callbacks are not asked here: they may take long, or ask a person.
    let known = |secret: &super::secret::Secret| secret.path().is_some() || !secret.can_change();
    known(a) && known(b) && matches!((a.reveal(), b.reveal()), (Ok(a), Ok(b)) if a == b)
}
