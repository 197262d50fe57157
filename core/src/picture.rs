//! What the core tells about itself, in a form that every language can show.
//!
//! Events, the topology and the health have fields of these few kinds, so a binding converts kinds
//! and never has to know what there is to tell.

use crate::event::Event;
use crate::topology::{Health, Sentinel, Topology};
use std::time::Duration;

/// Something told, by its name in snake case.
pub type Field = (&'static str, Picture);

/// The kinds of values that are told.
#[derive(Debug, Clone, PartialEq)]
pub enum Picture {
    Nothing,
    Flag(bool),
    Count(u64),
    /// Shown in the language's own unit, which its name may have to say.
    Time(Duration),
    Text(String),
    List(Vec<Picture>),
    Fields(Vec<Field>),
}

impl Event {
    /// What it tells besides its name.
    pub fn fields(&self) -> Vec<Field> {
        match self {
            Event::Failover {
                from,
                to,
                detected_by,
                took,
                epoch,
                held,
                repeated,
                maybe_executed,
            } => {
                vec![
                    ("from", maybe(from.as_ref())),
                    ("to", text(to)),
                    ("detected_by", text(detected_by)),
                    ("took", Picture::Time(*took)),
                    ("epoch", Picture::Count(*epoch)),
                    ("held", Picture::Count(*held)),
                    ("repeated", Picture::Count(*repeated)),
                    ("maybe_executed", Picture::Count(*maybe_executed)),
                ]
            }
            Event::Hold { what, why } => vec![("what", text(what)), ("why", text(why))],
            Event::Resume { held_for } => vec![("held_for", Picture::Time(*held_for))],
            Event::Sentinel { address, up, says } => seen(address, *up, says),
            Event::Replicas { addresses } => vec![("addresses", list(addresses))],
            Event::Warning { message } => vec![("message", text(message))],
        }
    }
}

impl Topology {
    /// What is known, told.
    pub fn fields(&self) -> Vec<Field> {
        let one = |it: &Sentinel| Picture::Fields(seen(&it.address, it.up, &it.says));
        let reason = self.refused.as_ref().map(ToString::to_string);
        vec![
            ("epoch", Picture::Count(self.epoch)),
            ("phase", text(self.phase.name())),
            ("primary", maybe(self.primary.as_ref())),
            ("replicas", list(&self.replicas)),
            ("sentinels", Picture::List(self.sentinels.iter().map(one).collect())),
            ("reason", maybe(reason.as_ref().or(self.reason.as_ref()))),
        ]
    }
}

impl Health {
    /// How the deployment fares, told.
    pub fn fields(&self) -> Vec<Field> {
        let count = |number: usize| Picture::Count(number as u64);
        vec![
            ("state", text(self.state.name())),
            ("primary", maybe(self.primary.as_ref())),
            ("replicas", count(self.replicas)),
            ("sentinels_up", count(self.sentinels_up)),
            ("sentinels", count(self.sentinels)),
            ("reason", maybe(self.reason.as_ref())),
        ]
    }
}

fn seen(address: &impl ToString, up: bool, says: &str) -> Vec<Field> {
    vec![("address", text(address)), ("up", Picture::Flag(up)), ("says", text(says))]
}

fn text(said: &(impl ToString + ?Sized)) -> Picture {
    Picture::Text(said.to_string())
}

fn maybe(said: Option<&impl ToString>) -> Picture {
    said.map_or(Picture::Nothing, text)
}

fn list(said: &[impl ToString]) -> Picture {
    Picture::List(said.iter().map(text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topology_tells_what_only_the_user_can_mend() {
        let mut topology = Topology::unknown();
        assert_eq!(topology.fields().last(), Some(&("reason", Picture::Nothing)));
        topology.reason = Some("loading".to_owned());
        topology.refused = Some(crate::Error::usage("no such name"));
        assert_eq!(topology.fields().last(), Some(&("reason", text("no such name"))));
    }

    #[test]
    fn an_event_tells_all_it_knows() {
        let event = Event::Sentinel { address: "a:1".to_owned(), up: true, says: "b:2".to_owned() };
        let told = [("address", text("a:1")), ("up", Picture::Flag(true)), ("says", text("b:2"))];
        assert_eq!(event.fields(), told);
        assert_eq!(Topology::unknown().health().fields()[0], ("state", text("down")));
    }
}
