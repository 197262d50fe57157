//! The replies that the table names.
//!
//! The shape is that of RESP3. Where RESP3 too leaves pairs lying flat (fields of a stream entry,
//! HSCAN, ZSCAN, PUBSUB NUMSUB), they become maps and pairs as well.

use super::form::Form::{self, Any, Boolean, Bytes, Double, Integer, Nullable, Status};
use crate::proto::shape::{Fields, Shape};

/// What a command answers.
#[derive(Debug, Clone)]
pub struct Reply {
    /// As the table calls it.
    pub name: &'static str,
    /// For documents. Besides this, an answer can always be an error.
    pub phrase: &'static str,
    pub form: Form,
    pub shape: Shape,
    /// It can be null too: the table says so with a `?`.
    pub nullable: bool,
}

const fn reply(name: &'static str, phrase: &'static str, form: Form, shape: Shape) -> Reply {
    Reply { name, phrase, form, shape, nullable: false }
}

/// Every reply by its name.
pub static REPLIES: &[Reply] = &[
    reply("-", "as the server sends it", Any, Shape::Raw),
    reply("any", "what the code returns", Any, Shape::Raw),
    reply("int", "integer", Integer, Shape::Raw),
    reply("ok", "the status OK", Status, Shape::Raw),
    reply("bytes", "text", Bytes, Shape::Raw),
    reply("list", "list of texts", TEXTS, Shape::Raw),
    reply("values", "list of texts or nulls", Form::List(&Nullable(&Bytes)), Shape::Raw),
    reply("ints", "list of integers", INTEGERS, Shape::Raw),
    reply("maybe-ints", "list of integers or nulls", MAYBE_INTEGERS, Shape::Raw),
    reply("bool", "true or false", Boolean, Shape::Boolean),
    reply("text", "text for people", Bytes, Shape::Text),
    reply("double", "number", Double, Shape::Double),
    reply("doubles", "list of numbers", Form::List(&Double), Shape::List(&Shape::Double)),
    reply("scores", "list of numbers or nulls", SCORES, Shape::List(&Shape::Double)),
    reply("set", "set of texts", Form::Set(&Bytes), Shape::Set(&Shape::Raw)),
    reply("map", "map from text to text", MAP, Shape::Map(&Shape::Raw)),
    reply("counts", "map from text to integer", COUNTS, Shape::Map(&Shape::Raw)),
    reply("record", "map", RECORD, Shape::Map(&Shape::Raw)),
    reply("records", "list of maps", RECORDS, Shape::List(&Shape::Map(&Shape::Raw))),
    reply("pair", "[key, element]", PAIR, Shape::Tuple(&[Shape::Raw, Shape::Raw])),
    reply("pairs", "list of [field, value]", Form::List(&PAIR), PAIRS),
    reply("taken", "[key, list of elements]", Form::Tuple(&[Bytes, TEXTS]), TUPLE),
    reply("score", "[member, score]", SCORE, Shape::Tuple(&[Shape::Raw, Shape::Double])),
    reply("rank", "[rank, score]", RANK, Shape::Tuple(&[Shape::Raw, Shape::Double])),
    reply("scored", "list of [member, score]", Form::List(&SCORE), SCORED),
    reply("popped", "[key, member, score]", POPPED, POPPED_SHAPE),
    reply("mpopped", "[key, list of [member, score]]", MPOPPED, WITH_SCORED),
    reply("scanned", "[cursor, list of texts]", Form::Tuple(&[Bytes, TEXTS]), TUPLE),
    reply("scanned-map", "[cursor, map]", Form::Tuple(&[Bytes, MAP]), WITH_MAP),
    reply("scanned-scores", "[cursor, list of [member, score]]", MPOPPED, WITH_SCORED),
    reply("entries", "list of [id, map]", ENTRIES, ENTRIES_SHAPE),
    reply("streams", "map from key to list of [id, map]", STREAMS, Shape::Map(&ENTRIES_SHAPE)),
    reply("delivered", DELIVERED_PHRASE, DELIVERED, Shape::Map(&ENTRIES_SHAPE)),
    reply("claimed", "[next start, list of [id, map], deleted ids]", CLAIMED, CLAIMED_SHAPE),
    reply("claimed-ids", "[next start, list of ids, deleted ids]", CLAIMED_IDS, TUPLE),
    reply("pending", "[count, lowest id, highest id, map from consumer to count]", PENDING, GROUPS),
    reply("unacked", "list of [id, consumer, milliseconds, deliveries]", UNACKED, UNACKED_SHAPE),
    reply("stream", "map", RECORD, Shape::Record(STREAM, &Shape::Raw)),
    reply("places", "list of [member, …, [longitude, latitude]]", PLACES, PLACES_SHAPE),
    reply("positions", "list of [longitude, latitude] or nulls", POSITIONS, POSITIONS_SHAPE),
    reply("similar", "map from element to score", SIMILAR, Shape::Map(&Shape::Double)),
    reply("attributes", "map from element to text or null", ATTRIBUTES, Shape::Map(&Shape::Raw)),
    reply("similar-attributes", "map from element to [score, attributes]", BOTH, BOTH_SHAPE),
    reply("layers", "list of lists of elements", Form::List(&TEXTS), Shape::Raw),
    reply("neighbours", "list of maps from element to score", NEIGHBOURS, NEIGHBOURS_SHAPE),
    reply("functions", "list of maps", RECORDS, Shape::List(&Shape::Record(LIBRARY, &Shape::Raw))),
    reply("engines", "map", RECORD, Shape::Record(ENGINES, &Shape::Raw)),
    reply("docs", "map from command to map", RECORD, Shape::Map(&DOCUMENT)),
    reply("commands", "list of descriptions", Form::List(&Any), Shape::List(&COMMAND)),
    reply("getkeys", "list of [key, set of flags]", KEYS_AND_FLAGS, KEYS_AND_FLAGS_SHAPE),
    reply("memory", "map", RECORD, Shape::Record(MEMORY, &Shape::Map(&Shape::Raw))),
    reply("user", "map", RECORD, Shape::Record(USER, &Shape::Raw)),
    reply("denials", "list of maps", RECORDS, Shape::List(&Shape::Record(DENIAL, &Shape::Raw))),
    reply("tracking", "map", RECORD, Shape::Record(TRACKING, &Shape::Raw)),
    reply("histogram", "map from command to map", RECORD, HISTOGRAMS),
    reply("server", "map", RECORD, Shape::Record(SERVER, &Shape::Raw)),
];

const DELIVERED_PHRASE: &str = "map from key to list of [id, map, milliseconds, deliveries]";

const TEXTS: Form = Form::List(&Bytes);
const INTEGERS: Form = Form::List(&Integer);
const MAYBE_INTEGERS: Form = Form::List(&Nullable(&Integer));
const SCORES: Form = Form::List(&Nullable(&Double));
const MAP: Form = Form::Map(&Bytes, &Bytes);
const COUNTS: Form = Form::Map(&Bytes, &Integer);
const RECORD: Form = Form::Map(&Bytes, &Any);
const RECORDS: Form = Form::List(&RECORD);
const PAIR: Form = Form::Tuple(&[Bytes, Bytes]);
const SCORE: Form = Form::Tuple(&[Bytes, Double]);
const RANK: Form = Form::Tuple(&[Integer, Double]);
const POPPED: Form = Form::Tuple(&[Bytes, Bytes, Double]);
const MPOPPED: Form = Form::Tuple(&[Bytes, Form::List(&SCORE)]);
/// An entry that was deleted meanwhile can still be pending: it has no fields.
const ENTRIES: Form = Form::List(&Form::Tuple(&[Bytes, Nullable(&MAP)]));
const STREAMS: Form = Form::Map(&Bytes, &ENTRIES);
const DELIVERED: Form =
    Form::Map(&Bytes, &Form::List(&Form::Tuple(&[Bytes, Nullable(&MAP), Integer, Integer])));
const CLAIMED: Form = Form::Tuple(&[Bytes, ENTRIES, TEXTS]);
const CLAIMED_IDS: Form = Form::Tuple(&[Bytes, TEXTS, TEXTS]);
const PENDING: Form =
    Form::Tuple(&[Integer, Nullable(&Bytes), Nullable(&Bytes), Nullable(&COUNTS)]);
const UNACKED: Form = Form::List(&Form::Tuple(&[Bytes, Bytes, Integer, Integer]));
const PLACES: Form = Form::List(&Form::List(&Any));
const POSITIONS: Form = Form::List(&Nullable(&Form::Tuple(&[Double, Double])));
const SIMILAR: Form = Form::Map(&Bytes, &Double);
const ATTRIBUTES: Form = Form::Map(&Bytes, &Nullable(&Bytes));
const BOTH: Form = Form::Map(&Bytes, &Form::Tuple(&[Double, Nullable(&Bytes)]));
const NEIGHBOURS: Form = Form::List(&SIMILAR);
const KEYS_AND_FLAGS: Form = Form::List(&Form::Tuple(&[Bytes, Form::Set(&Bytes)]));

/// Raw places, which are handed out as the tuple that they are.
const TUPLE: Shape = Shape::Tuple(&[]);
const PAIRS: Shape = Shape::Rows(&[Shape::Raw, Shape::Raw]);
const SCORED: Shape = Shape::Rows(&[Shape::Raw, Shape::Double]);
const POPPED_SHAPE: Shape = Shape::Tuple(&[Shape::Raw, Shape::Raw, Shape::Double]);
const WITH_SCORED: Shape = Shape::Tuple(&[Shape::Raw, SCORED]);
const WITH_MAP: Shape = Shape::Tuple(&[Shape::Raw, Shape::Map(&Shape::Raw)]);
const ENTRIES_SHAPE: Shape = Shape::List(&ENTRY);
const CLAIMED_SHAPE: Shape = Shape::Tuple(&[Shape::Raw, ENTRIES_SHAPE]);
const GROUPS: Shape =
    Shape::Tuple(&[Shape::Raw, Shape::Raw, Shape::Raw, Shape::Map(&Shape::Integer)]);
const UNACKED_SHAPE: Shape = Shape::List(&TUPLE);
/// A coordinate is the only list in a place, so whatever else stands there goes through.
const PLACES_SHAPE: Shape = Shape::List(&Shape::List(&COORDINATE));
const COORDINATE: Shape = Shape::Tuple(&[Shape::Double, Shape::Double]);
const POSITIONS_SHAPE: Shape = Shape::List(&COORDINATE);
const BOTH_SHAPE: Shape = Shape::Map(&Shape::Tuple(&[Shape::Double, Shape::Raw]));
const NEIGHBOURS_SHAPE: Shape = Shape::List(&Shape::Map(&Shape::Double));
const KEYS_AND_FLAGS_SHAPE: Shape = Shape::List(&Shape::Tuple(&[Shape::Raw, FLAGS]));
const HISTOGRAMS: Shape = Shape::Map(&Shape::Record(HISTOGRAM, &Shape::Raw));

const ENTRY: Shape = Shape::Tuple(&[Shape::Raw, Shape::Map(&Shape::Raw)]);
const STREAM: Fields = &[
    ("first-entry", &ENTRY),
    ("last-entry", &ENTRY),
    ("entries", &ENTRIES_SHAPE),
    ("groups", &Shape::List(&Shape::Record(GROUP, &Shape::Raw))),
];
const GROUP: Fields = &[("consumers", &Shape::List(&Shape::Map(&Shape::Raw)))];

const LIBRARY: Fields = &[("functions", &Shape::List(&Shape::Record(FUNCTION, &Shape::Raw)))];
const FUNCTION: Fields = &[("flags", &FLAGS)];
const ENGINES: Fields = &[
    ("running_script", &Shape::Map(&Shape::Raw)),
    ("engines", &Shape::Map(&Shape::Map(&Shape::Raw))),
];

static ARGUMENTS: Shape =
    Shape::List(&Shape::Record(&[("arguments", &ARGUMENTS), ("flags", &FLAGS)], &Shape::Raw));
static DOCUMENT: Shape = Shape::Record(
    &[
        ("history", &FLAGS),
        ("arguments", &ARGUMENTS),
        ("subcommands", &Shape::Map(&DOCUMENT)),
        ("doc_flags", &FLAGS),
    ],
    &Shape::Raw,
);
static COMMAND: Shape = Shape::Tuple(&[
    Shape::Raw,
    Shape::Raw,
    FLAGS,
    Shape::Raw,
    Shape::Raw,
    Shape::Raw,
    FLAGS,
    FLAGS,
    Shape::Set(&KEYS),
    Shape::List(&COMMAND),
]);
const FLAGS: Shape = Shape::Set(&Shape::Raw);
const KEYS: Shape = Shape::Record(
    &[
        ("flags", &FLAGS),
        ("begin_search", &Shape::Record(&[("spec", &Shape::Map(&Shape::Raw))], &Shape::Raw)),
        ("find_keys", &Shape::Record(&[("spec", &Shape::Map(&Shape::Raw))], &Shape::Raw)),
    ],
    &Shape::Raw,
);

const MEMORY: Fields = &[
    ("dataset.percentage", &Shape::Double),
    ("peak.percentage", &Shape::Double),
    ("allocator-fragmentation.ratio", &Shape::Double),
    ("allocator-rss.ratio", &Shape::Double),
    ("rss-overhead.ratio", &Shape::Double),
    ("fragmentation", &Shape::Double),
];

const USER: Fields = &[("flags", &FLAGS), ("selectors", &Shape::List(&Shape::Map(&Shape::Raw)))];
const DENIAL: Fields = &[("age-seconds", &Shape::Double)];
const TRACKING: Fields = &[("flags", &FLAGS)];
const HISTOGRAM: Fields = &[("histogram_usec", &Shape::Map(&Shape::Raw))];
const SERVER: Fields = &[("modules", &Shape::List(&Shape::Map(&Shape::Raw)))];

/// The reply of this name; with a `?`, one that can be null. The table asks once, so what leaks
/// lives as long as the table.
pub(super) fn named(name: &str) -> Option<&'static Reply> {
    match name.strip_suffix('?') {
        None => REPLIES.iter().find(|reply| reply.name == name),
        Some(name) => Some(Box::leak(Box::new(Reply { nullable: true, ..named(name)?.clone() }))),
    }
}
