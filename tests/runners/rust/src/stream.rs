//! A reader of a stream, and how far it has come.

use crate::order::PATIENCE;
use steadis::proto::reply::Reply;

#[derive(Debug)]
pub(crate) struct Reader {
    last: String,
}

impl Reader {
    pub(crate) fn new() -> Self {
        Self { last: "0".to_owned() }
    }

    /// Waits for the entry behind the last one.
    pub(crate) fn request(&self, stream: &str) -> Vec<String> {
        let patience = PATIENCE.as_millis().to_string();
        let words = ["XREAD", "COUNT", "1", "BLOCK", &patience, "STREAMS", stream, &self.last];
        words.map(str::to_owned).to_vec()
    }

    /// What was read: stream and number, as from a queue; null if nothing came.
    pub(crate) fn take(&mut self, stream: &str, reply: &Reply) -> Reply {
        let Some((id, number)) = entry(reply) else { return Reply::Null };
        self.last = id;
        Reply::List(vec![Reply::Bulk(stream.into()), number])
    }
}

/// The id of the one entry of the one stream, and the value of its one field.
fn entry(reply: &Reply) -> Option<(String, Reply)> {
    let Reply::Map(streams) = reply else { return None };
    let entry = streams.first()?.1.as_list()?.first()?.as_list()?;
    Some((entry.first()?.as_str()?.to_owned(), entry.get(1)?.as_list()?.get(1)?.clone()))
}
