//! The redis crate's typed commands, pipelines and scripts, on top of our clients.
//!
//! ```no_run
//! use redis::Commands;
//!
//! let mut client = steadis::connect()?;
//! let visits: u64 = client.incr("visits", 1)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! and on tokio's client:
//!
//! ```no_run
//! # async fn example() -> redis::RedisResult<()> {
//! use redis::AsyncCommands;
//!
//! let mut client = steadis::aio::connect()?;
//! let visits: u64 = client.incr("visits", 1).await?;
//! # Ok(()) }
//! ```
//!
//! `examples/rust/typed.rs` is a program that shows pipelines and scripts as well.

use crate::client::blocking::Client;
use crate::client::{Answer, Batch, Exchange, Outcomes};
use crate::error::{Error, Kind};
use crate::proto::read::{Build, Frame, Items, Reader};
use crate::proto::reply::Reply;
use crate::proto::scan::Limits;
use redis::{RedisError, RedisResult, Value};

impl From<Error> for RedisError {
    fn from(error: Error) -> Self {
        match error.kind() {
            Kind::Server | Kind::Auth if error.code().is_some() => server_error(error.message()),
            kind => {
                let name = kind.name().to_uppercase();
                redis::make_extension_error(name, Some(error.to_string()))
            }
        }
    }
}

/// The crate makes its server errors itself, out of their lines.
fn server_error(line: &str) -> RedisError {
    match redis::parse_redis_value(format!("-{line}\r\n").as_bytes()) {
        Ok(Value::ServerError(error)) => error.into(),
        _ => redis::make_extension_error("ERR".into(), Some(line.to_owned())),
    }
}

/// Commands that were packed for the wire, taken apart again.
pub(crate) struct Packed {
    commands: Vec<Vec<Vec<u8>>>,
}

impl Packed {
    pub(crate) fn parse(bytes: &[u8]) -> RedisResult<Self> {
        let frame = Frame::check(bytes, Limits::default()).map_err(|error| {
            RedisError::from(Error::usage(format!("not a packed command: {error}")))
        })?;
        let mut reader = Reader::new(frame);
        let words = |reply: &Reply| Some(reply.as_bytes()?.to_vec());
        let commands = std::iter::from_fn(|| Reply::next(&mut reader))
            .map(|reply| reply.as_list().into_iter().flatten().filter_map(words).collect())
            .collect();
        Ok(Self { commands })
    }

    /// MULTI … EXEC: together or not at all.
    pub(crate) fn is_transaction(&self) -> bool {
        let is = |args: Option<&Vec<Vec<u8>>>, name: &[u8]| {
            args.and_then(|args| args.first()).is_some_and(|word| word.eq_ignore_ascii_case(name))
        };
        is(self.commands.first(), b"MULTI") && is(self.commands.last(), b"EXEC")
    }

    /// The commands, without those around a transaction.
    pub(crate) fn batch(&self) -> RedisResult<Batch> {
        let mut batch = Batch::default();
        let around = usize::from(self.is_transaction());
        for args in &self.commands[around..self.commands.len() - around] {
            batch.add_raw(args)?;
        }
        Ok(batch)
    }

    /// The only command.
    pub(crate) fn exchange(&self) -> RedisResult<Exchange> {
        Ok(Exchange::raw(self.commands.first().map_or(&[], Vec::as_slice))?)
    }
}

/// What a transaction came to: the crate expects EXEC's reply alone.
pub(crate) fn executed(outcomes: &Outcomes) -> RedisResult<Vec<Value>> {
    let values: RedisResult<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Ok(answer) => answer.build(&mut Values),
            Err(error) => Values.error(error.message().as_bytes()),
        })
        .collect();
    Ok(vec![Value::Array(values?)])
}

/// What a pipeline came to; an error of ours is the error of the whole.
pub(crate) fn values(outcomes: &Outcomes, offset: usize, count: usize) -> RedisResult<Vec<Value>> {
    let value = |outcome: Result<Answer<'_>, &Error>| match outcome {
        Ok(answer) => answer.build(&mut Values),
        Err(error) if matches!(error.kind(), Kind::Server | Kind::Auth) => {
            Values.error(error.message().as_bytes())
        }
        Err(error) => Err(error.clone().into()),
    };
    outcomes.iter().skip(offset).take(count).map(value).collect()
}

impl redis::ConnectionLike for Client {
    fn req_packed_command(&mut self, bytes: &[u8]) -> RedisResult<Value> {
        let mut exchange = Packed::parse(bytes)?.exchange()?;
        self.run(&mut exchange, &self.options(), &())?;
        value(&exchange)
    }

    fn req_packed_commands(
        &mut self,
        bytes: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        let packed = Packed::parse(bytes)?;
        let (batch, options) = (packed.batch()?, self.options());
        if packed.is_transaction() {
            return executed(&self.run_transaction(batch, &options, &())?);
        }
        values(&self.run_pipeline(batch, &options, &())?, offset, count)
    }

    fn get_db(&self) -> i64 {
        self.config().data.db.into()
    }

    fn check_connection(&mut self) -> bool {
        self.ready().is_ok()
    }

    /// A lost connection is replaced; only [`close`](Client::close) ends a client.
    fn is_open(&self) -> bool {
        !self.is_closed()
    }
}

/// A reply as the crate's value.
pub(crate) fn value(exchange: &Exchange) -> RedisResult<Value> {
    exchange.answer()?.build(&mut Values)
}

struct Values;

impl Values {
    fn all(&mut self, items: &mut Items<'_, '_>) -> RedisResult<Vec<Value>> {
        let mut values = Vec::with_capacity(items.len());
        while let Some(value) = items.next(self) {
            values.push(value?);
        }
        Ok(values)
    }
}

impl Build for Values {
    type Value = Value;
    type Error = RedisError;

    fn null(&mut self) -> RedisResult<Value> {
        Ok(Value::Nil)
    }
    fn integer(&mut self, value: i64) -> RedisResult<Value> {
        Ok(Value::Int(value))
    }
    fn double(&mut self, value: f64) -> RedisResult<Value> {
        Ok(Value::Double(value))
    }
    fn boolean(&mut self, value: bool) -> RedisResult<Value> {
        Ok(Value::Boolean(value))
    }
    fn big_number(&mut self, digits: &[u8]) -> RedisResult<Value> {
        Ok(Value::BigNumber(digits.to_vec()))
    }
    fn simple(&mut self, text: &[u8]) -> RedisResult<Value> {
        Ok(match text {
            b"OK" => Value::Okay,
            text => Value::SimpleString(String::from_utf8_lossy(text).into_owned()),
        })
    }
    fn bulk(&mut self, bytes: &[u8]) -> RedisResult<Value> {
        Ok(Value::BulkString(bytes.to_vec()))
    }
    /// Errors inside a reply stay where they are; the crate looks for them itself.
    fn error(&mut self, line: &[u8]) -> RedisResult<Value> {
        redis::parse_redis_value(&[b"-", line, b"\r\n"].concat())
            .map_err(|_| server_error(&String::from_utf8_lossy(line)))
    }
    fn list(&mut self, items: &mut Items<'_, '_>) -> RedisResult<Value> {
        self.all(items).map(Value::Array)
    }
    fn set(&mut self, items: &mut Items<'_, '_>) -> RedisResult<Value> {
        self.all(items).map(Value::Set)
    }
    fn push(&mut self, items: &mut Items<'_, '_>) -> RedisResult<Value> {
        self.all(items).map(Value::Array)
    }
    fn map(&mut self, items: &mut Items<'_, '_>) -> RedisResult<Value> {
        let mut pairs = Vec::with_capacity(items.len() / 2);
        while let (Some(key), Some(value)) = (items.next(self), items.next(self)) {
            pairs.push((key?, value?));
        }
        Ok(Value::Map(pairs))
    }
}
