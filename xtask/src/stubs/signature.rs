//! What a method takes, read from the syntax once for all languages.

use super::scalar::Scalar;
use steadis::command::{Command, Syntax, syntax::counts};

/// A method.
#[derive(Debug)]
pub(super) struct Signature {
    pub(super) command: &'static Command,
    pub(super) parameters: Vec<Parameter>,
    pub(super) options: Vec<Parameter>,
    /// The group that each optional group stands in.
    pub(super) groups: Vec<Option<usize>>,
}

/// A positional parameter or an option.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    /// As the manual writes it: options in capitals.
    pub(super) name: &'static str,
    pub(super) takes: Takes,
    /// It is there together with the others of this optional group.
    pub(super) group: Option<usize>,
}

/// What a parameter or option takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Takes {
    /// It is there or not.
    Flag,
    One(Scalar),
    /// One of these words.
    Word(Vec<&'static str>),
    /// Several values in this order.
    Several(Vec<Takes>),
    Many(Scalar),
    /// Many, or how many, which then follow.
    Counted(Scalar),
    /// Many groups of so many values.
    Groups(usize),
    /// Many groups that begin with a word.
    Operations,
    /// A map from key to id.
    Streams,
}

impl Parameter {
    /// Its name in a language that writes `_`; in the plural if it takes any number.
    pub(super) fn label(&self) -> String {
        let plural = self.takes.varies() || matches!(self.takes, Takes::Counted(_));
        self.name.replace('-', "_") + if plural { "s" } else { "" }
    }

    /// The keyword of an option, in small letters.
    pub(super) fn key(&self) -> String {
        match self.name {
            "~" => "approximate".to_owned(),
            "=" => "exact".to_owned(),
            name => name.to_lowercase().replace('-', "_"),
        }
    }
}

/// Words as people write them, in quotes.
pub(super) fn spellings(words: &[&str], quote: char) -> Vec<String> {
    let both = words.iter().flat_map(|word| [word.to_string(), word.to_lowercase()]);
    both.map(|word| format!("{quote}{word}{quote}")).collect()
}

impl Takes {
    /// Whether any number of values can stand for it.
    pub(super) fn varies(&self) -> bool {
        matches!(self, Self::Many(_) | Self::Groups(_) | Self::Operations)
    }
}

impl Signature {
    pub(super) fn new(command: &'static Command) -> Self {
        let (parameters, options, groups) = (Vec::new(), Vec::new(), Vec::new());
        let mut signature = Self { command, parameters, options, groups };
        signature.parts(command.syntax.parts(), None);
        // A name can be given once: BIT of BITPOS is left to the words.
        let parameters = &signature.parameters;
        let twice =
            |it: &Parameter| parameters.iter().any(|own| own.name.eq_ignore_ascii_case(it.name));
        signature.options.retain(|it| !twice(it));
        signature
    }

    fn parts(&mut self, parts: &'static [Syntax], group: Option<usize>) {
        let mut parts = parts.iter().peekable();
        let mut after_word = false;
        while let Some(part) = parts.next() {
            match part {
                Syntax::Word(_) => {
                    after_word = true;
                    continue;
                }
                Syntax::Value(name) if counts(name.text) => match parts.next() {
                    Some(Syntax::Optional(counted)) => {
                        let group = self.open(group);
                        self.repeated(counted, group, after_word);
                    }
                    Some(counted) => self.repeated(counted, group, after_word),
                    None => {}
                },
                Syntax::Value(name) => self.one(name.text, group),
                Syntax::Repeated(_) if matches!(parts.peek(), Some(Syntax::Repeated(_))) => {
                    parts.next();
                    self.parameter("streams", Takes::Streams, group);
                }
                Syntax::Repeated(_) => self.repeated(part, group, true),
                Syntax::Choice(choice) => self.choice(part, choice, group),
                Syntax::Sequence(_) => self.option(part, group),
                Syntax::Option(part) => self.option(part, group),
                Syntax::Optional(part) => {
                    let group = self.open(group);
                    match &**part {
                        Syntax::Sequence(parts) => self.parts(parts, group),
                        part => self.parts(std::slice::from_ref(part), group),
                    }
                }
            }
            after_word = false;
        }
    }

    /// A new optional group in this one.
    fn open(&mut self, within: Option<usize>) -> Option<usize> {
        self.groups.push(within);
        Some(self.groups.len() - 1)
    }

    fn parameter(&mut self, name: &'static str, takes: Takes, group: Option<usize>) {
        self.parameters.push(Parameter { name, takes, group });
    }

    fn one(&mut self, name: &'static str, group: Option<usize>) {
        self.parameter(name, Takes::One(Scalar::of(self.command, name)), group);
    }

    /// A count can stand in for a list only if it need not be left out together with a word.
    fn repeated(&mut self, part: &'static Syntax, group: Option<usize>, uncounted: bool) {
        let Syntax::Repeated(part) = part else { return };
        match &**part {
            Syntax::Value(name) => {
                let scalar = Scalar::of(self.command, name.text);
                let takes = if uncounted { Takes::Many(scalar) } else { Takes::Counted(scalar) };
                self.parameter(name.text, takes, group);
            }
            Syntax::Sequence(parts) if parts.iter().all(|it| matches!(it, Syntax::Value(_))) => {
                self.parameter("pair", Takes::Groups(parts.len()), group);
            }
            _ => self.parameter("operation", Takes::Operations, group),
        }
    }

    fn choice(&mut self, part: &'static Syntax, choice: &'static [Syntax], group: Option<usize>) {
        let value = choice.iter().find_map(|part| match part {
            Syntax::Value(name) => Some(name.text),
            _ => None,
        });
        match (words(part), value) {
            (Some(words), _) => {
                let taken = self.parameters.iter().any(|it| it.name == "side");
                let name = match words[0] {
                    "LEFT" if taken => "to-side",
                    "LEFT" => "side",
                    "MIN" => "end",
                    "BEFORE" => "place",
                    "M" => "unit",
                    _ => "operation",
                };
                self.parameter(name, Takes::Word(words), group);
            }
            // An id that can be made up is an option.
            (None, Some(name)) if matches!(&choice[0], Syntax::Word(it) if it.text == "*") => {
                let takes = Takes::One(Scalar::of(self.command, name));
                self.options.push(Parameter { name, takes, group });
            }
            (None, Some(name)) => self.one(name, group),
            (None, None) => self.option(part, group),
        }
    }

    fn option(&mut self, part: &'static Syntax, group: Option<usize>) {
        let (lead, rest) = match part {
            Syntax::Word(_) => (part, &[][..]),
            Syntax::Choice(parts) => return parts.iter().for_each(|it| self.option(it, group)),
            Syntax::Sequence(parts) => (&parts[0], &parts[1..]),
            Syntax::Repeated(repeated) => match repeated.parts() {
                [Syntax::Word(word), Syntax::Value(value)] => {
                    let takes = Takes::Many(Scalar::of(self.command, value.text));
                    return self.options.push(Parameter { name: word.text, takes, group });
                }
                _ => {
                    let group = self.open(group);
                    return self.repeated(part, group, true);
                }
            },
            _ => return,
        };
        let takes = self.values(rest);
        for name in words(lead).unwrap_or_default() {
            self.options.push(Parameter { name, takes: takes.clone(), group });
        }
        let inner = rest.iter().filter(|it| matches!(it, Syntax::Option(_)));
        inner.for_each(|part| self.parts(std::slice::from_ref(part), group));
    }

    /// What stands behind the word of an option.
    fn values(&self, rest: &'static [Syntax]) -> Takes {
        let scalar = |name| Scalar::of(self.command, name);
        let mut values: Vec<Takes> = rest
            .iter()
            .filter_map(|part| match part {
                Syntax::Value(name) if counts(name.text) => None,
                Syntax::Value(name) => Some(Takes::One(scalar(name.text))),
                Syntax::Repeated(part) => match &**part {
                    Syntax::Value(name) => Some(Takes::Many(scalar(name.text))),
                    part => Some(Takes::Groups(part.parts().len())),
                },
                part => words(part).map(Takes::Word),
            })
            .collect();
        match values.len() {
            0 => Takes::Flag,
            1 => values.remove(0),
            _ => Takes::Several(values),
        }
    }
}

/// The words of a word, or of a choice of nothing else.
fn words(part: &Syntax) -> Option<Vec<&'static str>> {
    match part {
        Syntax::Word(word) => Some(vec![word.text]),
        Syntax::Choice(parts) => parts
            .iter()
            .map(|part| if let Syntax::Word(word) = part { Some(word.text) } else { None })
            .collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use steadis::command::find;

    fn read(words: &[&str]) -> Signature {
        Signature::new(find(words).expect("a command"))
    }

    fn labels(signature: &Signature) -> Vec<String> {
        signature.parameters.iter().map(Parameter::label).collect()
    }

    #[test]
    fn what_is_required_is_a_parameter_and_what_is_not_an_option() {
        let set = read(&["SET"]);
        assert_eq!(labels(&set), ["key", "value"]);
        let options: Vec<&str> = set.options.iter().map(|it| it.name).collect();
        assert_eq!(options[..2], ["NX", "XX"]);
        assert_eq!(options[6..], ["GET", "EX", "PX", "EXAT", "PXAT", "KEEPTTL"][..]);
        assert_eq!(set.options[7].takes, Takes::One(Scalar::Integer));
    }

    #[test]
    fn counts_are_left_out_of_the_parameters() {
        let union = read(&["ZUNIONSTORE"]);
        assert_eq!(labels(&union), ["destination", "keys"]);
        assert_eq!(union.parameters[1].takes, Takes::Counted(Scalar::Key));
        assert_eq!(read(&["HEXPIRE"]).parameters[2].takes, Takes::Many(Scalar::Value));
        assert_eq!(read(&["ZADD"]).parameters[1].takes, Takes::Groups(2));
        assert_eq!(read(&["XREAD"]).parameters[0].takes, Takes::Streams);
    }

    #[test]
    fn no_name_comes_twice() {
        for command in steadis::command::all().iter().filter(|it| !it.administers) {
            let signature = Signature::new(command);
            let options = signature.options.iter().map(|it| it.name.to_lowercase());
            let mut names: Vec<String> = labels(&signature).into_iter().chain(options).collect();
            names.sort_unstable();
            let count = names.len();
            names.dedup();
            assert_eq!(names.len(), count, "{} takes {names:?}", command.name);
        }
    }
}
