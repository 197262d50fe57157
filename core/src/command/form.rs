//! What a reply is made of, as far as a type checker can be told.

/// The type of a reply. A [`Shape`] makes a reply so; this says what has become of it.
///
/// [`Shape`]: crate::proto::shape::Shape
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Not known before it comes.
    Any,
    Integer,
    Double,
    Boolean,
    /// The word OK.
    Status,
    /// Text or bytes, as the client was told.
    Bytes,
    /// This or null.
    Nullable(&'static Form),
    List(&'static Form),
    Set(&'static Form),
    /// Keys and values.
    Map(&'static Form, &'static Form),
    /// A list with a form for each place.
    Tuple(&'static [Form]),
}
