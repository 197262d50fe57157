//! One shape for each reply, whichever protocol it came in.
//!
//! RESP2 knows neither maps nor sets nor doubles, and both protocols leave out brackets here and
//! there. A [`Shape`] says what a reply is, and the reader hands its parts to the builder as if
//! the server had sent them so: nothing is built twice. Where a reply does not fit, it goes
//! through as it came, so a surprise of a newer server never costs a value.

use super::number;
use super::read::{Build, Items, Reader, Skip, line};
use std::fmt;

/// What a reply is, beyond what its bytes say.
#[derive(Clone)]
pub enum Shape {
    /// As the server sent it.
    Raw,
    /// A number that RESP2 sends as text.
    Double,
    /// An integer that is sent as text.
    Integer,
    /// 1 and 0 in RESP2.
    Boolean,
    /// Text for people, verbatim in RESP3.
    Text,
    /// A set of alike values, which RESP2 sends as a list.
    Set(&'static Shape),
    /// A list of alike values.
    List(&'static Shape),
    /// A list in which each place has its own shape; what comes after these is raw. An empty one
    /// is null: ZPOPMIN says so that there was nothing.
    Tuple(&'static [Shape]),
    /// A list of tuples, which RESP2 sends without their brackets.
    Rows(&'static [Shape]),
    /// A map to alike values. RESP2 sends keys and values in turn, or a list of pairs; if the
    /// values are tuples, their brackets may be missing.
    Map(&'static Shape),
    /// A map in which each of these keys has its own shape, and all others have the last one.
    Record(Fields, &'static Shape),
}

/// Shapes can hold themselves (the arguments of an argument), so only the outermost is shown.
impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Shape::Raw => "Raw",
            Shape::Double => "Double",
            Shape::Integer => "Integer",
            Shape::Boolean => "Boolean",
            Shape::Text => "Text",
            Shape::Set(_) => "Set",
            Shape::List(_) => "List",
            Shape::Tuple(_) => "Tuple",
            Shape::Rows(_) => "Rows",
            Shape::Map(_) => "Map",
            Shape::Record(..) => "Record",
        })
    }
}

/// The known keys of a [`Shape::Record`].
pub type Fields = &'static [(&'static str, &'static Shape)];

/// How the parts of an aggregate are handed out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Plan {
    Raw,
    Each(&'static Shape),
    /// Each place, from this one on, has its own shape.
    Places(&'static [Shape]),
    /// Each part is a tuple with its brackets.
    Tuples(&'static [Shape]),
    /// Each part is a tuple, but the brackets are missing.
    Grouped(&'static [Shape]),
    /// Keys, and values of this shape.
    Values(&'static Shape),
    /// The same, each key in a pair with its value.
    Paired(&'static Shape),
    /// Keys, and tuples without brackets.
    GroupedValues(&'static [Shape]),
    /// Keys that say the shape of their value; the last is the one of the value that comes next.
    Fields(Fields, &'static Shape, &'static Shape),
}

impl Plan {
    fn each(shape: &'static Shape) -> Self {
        if matches!(shape, Shape::Raw) { Self::Raw } else { Self::Each(shape) }
    }

    fn values(shape: &'static Shape) -> Self {
        if matches!(shape, Shape::Raw) { Self::Raw } else { Self::Values(shape) }
    }
}

enum Aggregate {
    List,
    Set,
    Map,
}

impl Items<'_, '_> {
    /// Out of the way of raw items, which are most.
    #[inline(never)]
    pub(super) fn next_planned<B: Build>(
        &mut self,
        builder: &mut B,
    ) -> Option<Result<B::Value, B::Error>> {
        let reader = &mut *self.reader;
        // Keys and values come in turn, and the last one is a value.
        let is_key = self.left % 2 == 1;
        match self.plan {
            Plan::Each(shape) => reader.next_shaped(shape, builder),
            Plan::Places(shapes) => {
                let (shape, rest) = shapes.split_first().unwrap_or((&Shape::Raw, &[]));
                self.plan = Plan::Places(rest);
                reader.next_shaped(shape, builder)
            }
            Plan::Tuples(shapes) => reader.tuple(shapes, builder),
            Plan::Grouped(shapes) => Some(reader.group(shapes, builder)),
            Plan::Paired(_) if is_key => {
                reader.open();
                reader.next(builder)
            }
            Plan::Fields(fields, others, _) if is_key => {
                let key = reader.peek_text();
                let known = fields.iter().find(|(name, _)| Some(name.as_bytes()) == key);
                self.plan = Plan::Fields(fields, others, known.map_or(others, |(_, shape)| shape));
                reader.next(builder)
            }
            Plan::Values(shape) | Plan::Paired(shape) | Plan::Fields(_, _, shape) if !is_key => {
                reader.next_shaped(shape, builder)
            }
            Plan::GroupedValues(shapes) if !is_key => Some(reader.group(shapes, builder)),
            _ => reader.next(builder),
        }
    }
}

impl Reader<'_> {
    /// Builds the next reply in this shape, or as it came if it does not fit.
    pub fn next_shaped<B: Build>(
        &mut self,
        shape: &'static Shape,
        builder: &mut B,
    ) -> Option<Result<B::Value, B::Error>> {
        if matches!(shape, Shape::Raw) {
            return self.next(builder);
        }
        self.skip_all_attributes();
        match shape {
            Shape::Tuple(shapes) => return self.tuple(shapes, builder),
            Shape::Double | Shape::Integer | Shape::Boolean | Shape::Text => {
                return self.scalar(shape, builder);
            }
            _ => {}
        }
        let Some((aggregate, left, plan)) = self.plan(shape) else {
            return self.next(builder);
        };
        self.open();
        Some(match aggregate {
            Aggregate::List => self.items(builder, left, plan, B::list),
            Aggregate::Set => self.items(builder, left, plan, B::set),
            Aggregate::Map => self.items(builder, left, plan, B::map),
        })
    }

    /// What becomes of an aggregate of this shape, if it has it.
    fn plan(&self, shape: &'static Shape) -> Option<(Aggregate, usize, Plan)> {
        use Aggregate::{List, Map, Set};
        let (kind, length) = self.head()?;
        Some(match (shape, kind) {
            (Shape::Set(shape), b'*' | b'~') => (Set, length, Plan::each(shape)),
            (Shape::List(shape), b'*' | b'~') => (List, length, Plan::each(shape)),
            (Shape::Rows(shapes), b'*') => {
                if self.at(0).head().is_some() {
                    (List, length, Plan::Tuples(shapes))
                } else {
                    (List, groups(length, shapes.len())?, Plan::Grouped(shapes))
                }
            }
            (Shape::Map(shape), b'%') => (Map, length * 2, Plan::values(shape)),
            (Shape::Map(shape), b'*') if self.holds_pairs(length) => {
                (Map, length * 2, Plan::Paired(shape))
            }
            (Shape::Map(Shape::Tuple(shapes @ [_, ..])), b'*') if self.at(1).head().is_none() => {
                (Map, groups(length, 1 + shapes.len())? * 2, Plan::GroupedValues(shapes))
            }
            (Shape::Map(shape), b'*') if self.holds_turns(length) => {
                (Map, length, Plan::values(shape))
            }
            (Shape::Record(fields, others), b'%') => {
                (Map, length * 2, Plan::Fields(fields, others, others))
            }
            (Shape::Record(fields, others), b'*') if self.holds_turns(length) => {
                (Map, length, Plan::Fields(fields, others, others))
            }
            _ => return None,
        })
    }

    fn tuple<B: Build>(
        &mut self,
        shapes: &'static [Shape],
        builder: &mut B,
    ) -> Option<Result<B::Value, B::Error>> {
        match self.head() {
            Some((b'*', 0)) => {
                self.open();
                Some(builder.null())
            }
            Some((b'*', length)) => {
                self.open();
                Some(self.items(builder, length, Plan::Places(shapes), B::tuple))
            }
            _ => self.next(builder),
        }
    }

    /// A tuple whose brackets are missing.
    fn group<B: Build>(
        &mut self,
        shapes: &'static [Shape],
        builder: &mut B,
    ) -> Result<B::Value, B::Error> {
        self.items(builder, shapes.len(), Plan::Places(shapes), B::tuple)
    }

    fn scalar<B: Build>(
        &mut self,
        shape: &Shape,
        builder: &mut B,
    ) -> Option<Result<B::Value, B::Error>> {
        let before = self.rest;
        let value = match (shape, self.rest.first()) {
            (Shape::Boolean, Some(b':')) => match self.take_line() {
                b"1" => Some(builder.boolean(true)),
                b"0" => Some(builder.boolean(false)),
                _ => None,
            },
            (Shape::Boolean, _) | (_, Some(b':')) => None,
            _ => self.take_text().and_then(|text| match shape {
                Shape::Double => number::double(text).map(|number| builder.double(number)),
                Shape::Integer => number::number(text).map(|number| builder.integer(number)),
                _ => Some(builder.verbatim(b"txt", text)),
            }),
        };
        if value.is_none() {
            self.rest = before;
            return self.next(builder);
        }
        value
    }

    /// Every item is a list of two.
    fn holds_pairs(&self, length: usize) -> bool {
        let mut items = self.at(0);
        length > 0
            && (0..length).all(|_| {
                items.skip_all_attributes();
                items.head() == Some((b'*', 2)) && items.next(&mut Skip).is_some()
            })
    }

    /// Keys, which are no aggregates, and values in turn.
    fn holds_turns(&self, length: usize) -> bool {
        length.is_multiple_of(2) && (length == 0 || self.at(0).head().is_none())
    }

    /// A reader in front of an item of the aggregate that comes next.
    fn at(&self, place: usize) -> Reader<'_> {
        let mut items = Reader { rest: self.rest };
        items.open();
        for _ in 0..place {
            items.next(&mut Skip);
        }
        items.skip_all_attributes();
        items
    }

    /// The mark and the length of the aggregate that comes next.
    fn head(&self) -> Option<(u8, usize)> {
        match self.rest.split_first()? {
            (kind @ (b'*' | b'~' | b'%' | b'>'), rest) => {
                let length = number::length(line(rest).0).ok().flatten()?;
                Some((*kind, length))
            }
            _ => None,
        }
    }

    /// Steps into the list that comes next.
    pub(super) fn into_list(mut self) -> Option<(usize, Self)> {
        let (b'*', length) = self.head()? else { return None };
        self.open();
        Some((length, self))
    }

    /// Steps into the aggregate that comes next.
    fn open(&mut self) {
        self.skip_all_attributes();
        self.take_line();
    }

    fn peek_text(&self) -> Option<&[u8]> {
        Reader { rest: self.rest }.take_text()
    }
}

impl<'a> Reader<'a> {
    fn take_line(&mut self) -> &'a [u8] {
        let (line, rest) = line(self.rest.get(1..).unwrap_or_default());
        self.rest = rest;
        line
    }

    /// The text that comes next, if it is text and not null.
    fn take_text(&mut self) -> Option<&'a [u8]> {
        match self.rest.first()? {
            b'+' => Some(self.take_line()),
            b'$' => {
                let head = self.take_line();
                self.bulk(head)
            }
            _ => None,
        }
    }

    fn skip_all_attributes(&mut self) {
        while self.rest.first() == Some(&b'|') {
            self.skip_attributes();
        }
    }
}

/// How many groups of this size there are, if they come out even.
fn groups(length: usize, size: usize) -> Option<usize> {
    let groups = length.checked_div(size)?;
    (groups * size == length).then_some(groups)
}
