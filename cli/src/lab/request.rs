//! The verbs of `steadis lab serve`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::control::PATIENCE;
use super::deployment::Lab;
use super::error::{Error, Result};
use super::process::State;
use super::proxy::Fault;
use super::reply;
use super::verbs::PauseMode;
use super::wait::Condition;

/// One line of input: what is to be done, and to whom. docs/lab.md explains the verbs.
#[derive(Debug, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    Status,
    Environment,
    Kill {
        name: String,
    },
    Freeze {
        name: String,
    },
    Thaw {
        name: String,
    },
    Restart {
        name: String,
    },
    StopSentinel {
        name: String,
    },
    StartSentinel {
        name: String,
    },
    FreezeSentinel {
        name: String,
    },
    ThawSentinel {
        name: String,
    },
    Failover {
        name: Option<String>,
    },
    Stall {
        name: String,
        ms: u64,
    },
    Pause {
        name: String,
        ms: u64,
        #[serde(default)]
        mode: PauseMode,
    },
    Config {
        name: String,
        key: String,
        value: Word,
    },
    Call {
        name: String,
        command: Vec<Word>,
        timeout_ms: Option<u64>,
    },
    Refuse,
    Mute,
    Drop,
    Stale {
        name: String,
    },
    Proxy {
        name: String,
    },
    Dns {
        name: String,
    },
    Fault {
        name: String,
        fault: Fault,
    },
    Remove {
        name: String,
    },
    Wait {
        until: Condition,
        timeout_ms: u64,
    },
}

/// A word of a command; numbers may be written as numbers.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Word {
    Text(String),
    Number(serde_json::Number),
}

impl Word {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
        }
    }
}

impl Request {
    /// Understands a request, whose `id` has been taken out.
    pub fn parse(request: Json) -> Result<Self> {
        serde_json::from_value(request)
            .map_err(|error| Error::new(format!("the request is not understood: {error}")))
    }

    /// Does what is asked and returns the result.
    pub async fn run(self, lab: &Lab) -> Result<Json> {
        match self {
            Self::Status => return json_of(&lab.status()),
            Self::Environment => return Ok(lab.environment().json()),
            Self::Kill { name } => lab.kill(&name).await?,
            Self::Freeze { name } => lab.freeze(&name).await?,
            Self::Thaw { name } => lab.thaw(&name)?,
            Self::Restart { name } => lab.restart(&name).await?,
            Self::StopSentinel { name } => {
                for name in lab.sentinels_named(&name, |state| state != State::Down)? {
                    lab.kill(name).await?;
                }
            }
            Self::StartSentinel { name } => {
                for name in lab.sentinels_named(&name, |state| state == State::Down)? {
                    lab.revive(name).await?;
                }
            }
            Self::FreezeSentinel { name } => {
                for name in lab.sentinels_named(&name, |state| state == State::Running)? {
                    lab.freeze(name).await?;
                }
            }
            Self::ThawSentinel { name } => {
                for name in lab.sentinels_named(&name, |state| state == State::Frozen)? {
                    lab.thaw(name)?;
                }
            }
            Self::Failover { name } => lab.failover(name.as_deref()).await?,
            Self::Stall { name, ms } => lab.stall(&name, Duration::from_millis(ms)).await?,
            Self::Pause { name, ms, mode } => {
                lab.pause(&name, Duration::from_millis(ms), mode).await?;
            }
            Self::Config { name, key, value } => lab.config(&name, &key, &value.text()).await?,
            Self::Call { name, command, timeout_ms } => {
                let words: Vec<String> = command.iter().map(Word::text).collect();
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                let patience = timeout_ms.map_or(PATIENCE, Duration::from_millis);
                return Ok(
                    json!({ "reply": reply::json(&lab.call(&name, &words, patience).await?) }),
                );
            }
            Self::Refuse => return json_of(&lab.refuse()?),
            Self::Mute => return json_of(&lab.mute()?),
            Self::Drop => return json_of(&lab.drop_syn().await?),
            Self::Stale { name } => return json_of(&lab.stale(&name).await?),
            Self::Proxy { name } => return json_of(&lab.proxy(&name).await?),
            Self::Dns { name } => return json_of(&lab.dns(&name).await?),
            Self::Fault { name, fault } => lab.fault(&name, fault)?,
            Self::Remove { name } => lab.remove(&name)?,
            Self::Wait { until, timeout_ms } => {
                let event = lab.wait(&until, Duration::from_millis(timeout_ms)).await?;
                return event.map_or(Ok(json!({})), |event| json_of(&event));
            }
        }
        Ok(json!({}))
    }
}

fn json_of(result: &impl Serialize) -> Result<Json> {
    serde_json::to_value(result).map_err(|error| Error::new(error.to_string()))
}
