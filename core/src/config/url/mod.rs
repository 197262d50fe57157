//! URLs in the dialects of eight clients. Parsed by hand, because no URL library takes a list
//! of hosts, and because a misread URL is worse than a refused one.
//!
//! Errors and oddities are ends of sentences that begin with where the URL comes from, and
//! show nothing that could be a piece of a password.

mod node;
mod parts;
mod query;
mod scheme;
mod sentinels;

use self::parts::Parts;
use self::scheme::Family;
use super::options::Spec;
use super::origin::Origin;
use super::settings::{Rank, Settings};
use super::text::unquoted;
use super::value::OptionValue;

/// What kind of place a URL names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Sentinels,
    Node,
}

/// A URL taken apart into options.
pub(super) struct Url {
    pub(super) shape: Shape,
    options: Vec<(&'static Spec, OptionValue)>,
    oddities: Vec<String>,
}

/// Whether a text begins as a URL of Sentinels, which a list of them does not.
pub(super) fn speaks_of_sentinels(text: &str) -> bool {
    scheme::split(unquoted(text))
        .is_ok_and(|found| found.is_some_and(|(scheme, _)| scheme.family == Family::Sentinels))
}

/// Takes a URL apart.
pub(super) fn parse(text: &str) -> Result<Url, String> {
    let text = unquoted(text);
    let mut parts = Parts::default();
    let shape = match scheme::split(text)? {
        None => {
            node::bare(&mut parts, text)?;
            Shape::Node
        }
        Some((scheme, rest)) => match scheme.family {
            Family::Socket => {
                node::socket(&mut parts, rest)?;
                Shape::Node
            }
            Family::Node if !query::names_sentinel_service(rest) => {
                node::tcp(&mut parts, scheme, rest)?;
                Shape::Node
            }
            Family::Node | Family::Sentinels => {
                sentinels::read(&mut parts, text)?;
                Shape::Sentinels
            }
        },
    };
    Ok(Url { shape, options: parts.options, oddities: parts.oddities })
}

impl Url {
    /// Says what the URL says.
    pub(super) fn tell(self, origin: &Origin, rank: Rank, settings: &mut Settings) {
        for (spec, value) in self.options {
            settings.add(spec, value, origin, rank);
        }
        for oddity in self.oddities {
            settings.warn(format!("{origin} {oddity}"));
        }
    }
}
