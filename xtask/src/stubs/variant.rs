//! The ways to call a method that differ in what they answer.

use super::signature::{Parameter, Signature};
use steadis::command::Reply;

/// One way to call a method.
#[derive(Debug)]
pub(super) struct Variant<'a> {
    signature: &'a Signature,
    /// Words and values that must be given.
    given: Vec<&'static str>,
    /// Those that must not.
    barred: Vec<&'static str>,
    /// What it can answer.
    pub(super) replies: Vec<&'static Reply>,
    /// It takes everything, words as in the manual included.
    pub(super) general: bool,
}

/// What becomes of a parameter or option in a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Required,
    Optional,
    /// Only as good as left out.
    Barred,
}

impl Signature {
    /// All ways whose answers a language tells apart, the general one last.
    pub(super) fn variants(&self, answer: fn(&[&Reply]) -> String) -> Vec<Variant<'_>> {
        let mut variants = self.all_variants();
        let same = variants.iter().all(|it| answer(&it.replies) == answer(&variants[0].replies));
        variants.drain(..if same { variants.len() - 1 } else { 0 });
        variants
    }

    fn all_variants(&self) -> Vec<Variant<'_>> {
        let command = self.command;
        let all: Vec<_> = command.replies.iter().collect();
        let variant = |given: Vec<&'static str>, reply: &'static Reply| {
            let differ = all.iter().filter(|(_, other)| !same(other, reply));
            let words = differ.flat_map(|(words, _)| words).copied();
            let barred = words.filter(|word| !given.contains(word)).collect();
            Variant { signature: self, given, barred, replies: vec![reply], general: false }
        };
        let mut variants = Vec::new();
        let mut replies = vec![command.reply];
        if !all.is_empty() {
            variants.push(variant(Vec::new(), command.reply));
            for (words, reply) in &all {
                variants.push(variant(words.clone(), reply));
                if !replies.iter().any(|known| same(known, reply)) {
                    replies.push(reply);
                }
            }
        }
        let (given, barred) = (Vec::new(), Vec::new());
        variants.push(Variant { signature: self, given, barred, replies, general: true });
        variants
    }
}

fn same(reply: &Reply, other: &Reply) -> bool {
    (reply.name, reply.nullable) == (other.name, other.nullable)
}

impl Variant<'_> {
    /// Of a positional parameter.
    pub(super) fn parameter(&self, parameter: &Parameter) -> Presence {
        match parameter.group {
            None => Presence::Required,
            Some(group) if self.requires(group) => Presence::Required,
            Some(group) if self.bars(group) => Presence::Barred,
            Some(_) => Presence::Optional,
        }
    }

    /// Of an option.
    pub(super) fn option(&self, option: &Parameter) -> Presence {
        if self.given.contains(&option.name) {
            return Presence::Required;
        }
        let barred = option.group.is_some_and(|group| self.bars(group) && !self.requires(group));
        if barred || self.barred.contains(&option.name) {
            Presence::Barred
        } else {
            Presence::Optional
        }
    }

    fn within(&self, group: usize) -> impl Iterator<Item = &'static str> {
        let all = self.signature.parameters.iter().chain(&self.signature.options);
        all.filter(move |it| it.group == Some(group)).map(|it| it.name)
    }

    fn bars(&self, group: usize) -> bool {
        let parameters = self.signature.parameters.iter().filter(|it| it.group == Some(group));
        parameters.map(|it| it.name).any(|name| self.barred.contains(&name))
            || self.signature.groups[group].is_some_and(|outer| self.bars(outer))
    }

    fn requires(&self, group: usize) -> bool {
        let inner = self.signature.groups.iter().enumerate();
        self.within(group).any(|name| self.given.contains(&name))
            || inner
                .filter(|(_, outer)| **outer == Some(group))
                .any(|(inner, _)| self.requires(inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use steadis::command::find;

    fn read(word: &str) -> Signature {
        Signature::new(find(&[word]).expect("a command"))
    }

    fn names(replies: &[&Reply]) -> String {
        replies.iter().map(|reply| reply.name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_answer_has_its_way_to_be_called() {
        let range = read("ZRANGE");
        let ways: Vec<String> =
            range.variants(names).iter().map(|variant| names(&variant.replies)).collect();
        assert_eq!(ways, ["list", "scored", "list scored"]);
        assert_eq!(read("SET").variants(|_| String::new()).len(), 1);
    }

    #[test]
    fn what_an_answer_needs_is_required_with_all_that_goes_with_it() {
        let field = read("HRANDFIELD");
        let variants = field.variants(names);
        let count = &field.parameters[1];
        let presence: Vec<Presence> =
            variants.iter().map(|variant| variant.parameter(count)).collect();
        use Presence::{Barred, Optional, Required};
        assert_eq!(presence, [Barred, Required, Required, Optional]);
        let values: Vec<Presence> =
            variants.iter().map(|variant| variant.option(&field.options[0])).collect();
        assert_eq!(values, [Barred, Barred, Required, Optional]);
    }
}
