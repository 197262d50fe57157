//! The replies that the table names.
//!
//! The shape is that of RESP3. Where RESP3 too leaves pairs lying flat (fields of a stream entry,
//! HSCAN, ZSCAN, PUBSUB NUMSUB), they become maps and pairs as well.

use crate::proto::shape::Fields;
use crate::proto::shape::Shape::{self, *};

/// What a command answers.
#[derive(Debug)]
pub struct Reply {
    /// As the table calls it.
    pub name: &'static str,
    /// For documents and stubs. Besides this, an answer can always be null or an error.
    pub phrase: &'static str,
    pub shape: Shape,
}

const fn reply(name: &'static str, phrase: &'static str, shape: Shape) -> Reply {
    Reply { name, phrase, shape }
}

/// Every reply by its name.
pub static REPLIES: &[Reply] = &[
    reply("-", "as the server sends it", Raw),
    reply("any", "text, an integer or a list, as the options say", Raw),
    reply("int", "integer", Raw),
    reply("ok", "the status OK", Raw),
    reply("bytes", "text", Raw),
    reply("list", "list", Raw),
    reply("ints", "list of integers", Raw),
    reply("bool", "true or false", Boolean),
    reply("text", "text for people", Text),
    reply("double", "number", Double),
    reply("doubles", "list of numbers", List(&Double)),
    reply("set", "set", Set(&Raw)),
    reply("map", "map", Map(&Raw)),
    reply("records", "list of maps", List(&Map(&Raw))),
    reply("pairs", "list of [field, value]", Rows(&[Raw, Raw])),
    reply("score", "[member or rank, score]", Tuple(&[Raw, Double])),
    reply("scored", "list of [member, score]", SCORED),
    reply("popped", "[key, member, score]", Tuple(&[Raw, Raw, Double])),
    reply("mpopped", "[key, list of [member, score]]", Tuple(&[Raw, SCORED])),
    reply("scanned-map", "[cursor, map]", Tuple(&[Raw, Map(&Raw)])),
    reply("scanned-scores", "[cursor, list of [member, score]]", Tuple(&[Raw, SCORED])),
    reply("entries", "list of [id, map]", ENTRIES),
    reply("streams", "map from key to list of [id, map]", Map(&ENTRIES)),
    reply("claimed", "[next start, list of [id, map], deleted ids]", Tuple(&[Raw, ENTRIES])),
    reply("pending", "[count, lowest id, highest id, map from consumer to count]", PENDING),
    reply("stream", "map", Record(STREAM, &Raw)),
    reply("places", "list of members, or of [member, …, [longitude, latitude]]", List(&PLACES)),
    reply("positions", "list of [longitude, latitude]", List(&List(&Double))),
    reply("similar", "map from element to score", Map(&Double)),
    reply("similar-attributes", "map from element to [score, attributes]", Map(&SIMILAR)),
    reply("neighbours", "list of maps from element to score", List(&Map(&Double))),
    reply("functions", "list of maps", List(&Record(LIBRARY, &Raw))),
    reply("engines", "map", Record(ENGINES, &Raw)),
    reply("docs", "map from command to map", Map(&DOCUMENT)),
    reply("commands", "list of descriptions", List(&COMMAND)),
    reply("getkeys", "list of [key, set of flags]", List(&Tuple(&[Raw, FLAGS]))),
    reply("memory", "map", Record(MEMORY, &Map(&Raw))),
    reply("user", "map", Record(USER, &Raw)),
    reply("denials", "list of maps", List(&Record(DENIAL, &Raw))),
    reply("tracking", "map", Record(TRACKING, &Raw)),
    reply("histogram", "map from command to map", Map(&Record(HISTOGRAM, &Raw))),
    reply("server", "map", Record(SERVER, &Raw)),
];

const SCORED: Shape = Rows(&[Raw, Double]);
const ENTRIES: Shape = List(&Tuple(&[Raw, Map(&Raw)]));
const PENDING: Shape = Tuple(&[Raw, Raw, Raw, Map(&Integer)]);
/// A coordinate is the only list in a place, so whatever else stands there goes through.
const PLACES: Shape = List(&List(&Double));
const SIMILAR: Shape = Tuple(&[Double, Raw]);

const ENTRY: Shape = Tuple(&[Raw, Map(&Raw)]);
const STREAM: Fields = &[
    ("first-entry", &ENTRY),
    ("last-entry", &ENTRY),
    ("entries", &ENTRIES),
    ("groups", &List(&Record(GROUP, &Raw))),
];
const GROUP: Fields = &[("consumers", &List(&Map(&Raw)))];

const LIBRARY: Fields = &[("functions", &List(&Record(FUNCTION, &Raw)))];
const FUNCTION: Fields = &[("flags", &FLAGS)];
const ENGINES: Fields = &[("running_script", &Map(&Raw)), ("engines", &Map(&Map(&Raw)))];

static ARGUMENTS: Shape = List(&Record(&[("arguments", &ARGUMENTS), ("flags", &FLAGS)], &Raw));
static DOCUMENT: Shape = Record(
    &[
        ("history", &FLAGS),
        ("arguments", &ARGUMENTS),
        ("subcommands", &Map(&DOCUMENT)),
        ("doc_flags", &FLAGS),
    ],
    &Raw,
);
static COMMAND: Shape =
    Tuple(&[Raw, Raw, FLAGS, Raw, Raw, Raw, FLAGS, FLAGS, Set(&KEYS), List(&COMMAND)]);
const FLAGS: Shape = Set(&Raw);
const KEYS: Shape = Record(
    &[
        ("flags", &FLAGS),
        ("begin_search", &Record(&[("spec", &Map(&Raw))], &Raw)),
        ("find_keys", &Record(&[("spec", &Map(&Raw))], &Raw)),
    ],
    &Raw,
);

const MEMORY: Fields = &[
    ("dataset.percentage", &Double),
    ("peak.percentage", &Double),
    ("allocator-fragmentation.ratio", &Double),
    ("allocator-rss.ratio", &Double),
    ("rss-overhead.ratio", &Double),
    ("fragmentation", &Double),
];

const USER: Fields = &[("flags", &FLAGS), ("selectors", &List(&Map(&Raw)))];
const DENIAL: Fields = &[("age-seconds", &Double)];
const TRACKING: Fields = &[("flags", &FLAGS)];
const HISTOGRAM: Fields = &[("histogram_usec", &Map(&Raw))];
const SERVER: Fields = &[("modules", &List(&Map(&Raw)))];

/// The reply of this name.
pub(super) fn named(name: &str) -> Option<&'static Reply> {
    REPLIES.iter().find(|reply| reply.name == name)
}
