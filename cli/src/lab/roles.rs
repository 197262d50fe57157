//! Which node is primary, by the word of the nodes themselves.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::{RedisResult, Value};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::events::Events;
use super::server::Server;

/// How often a node is asked.
const PERIOD: Duration = Duration::from_millis(4);

/// What a node answers to ROLE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It takes writes.
    Primary,
    /// It follows another node.
    Replica,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary",
            Self::Replica => "replica",
        })
    }
}

/// What the nodes answered last. A node that is down keeps the role it had, so that coming back as
/// the primary it was is no promotion.
#[derive(Debug)]
pub(crate) struct Roles {
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    roles: Vec<Role>,
    primary: usize,
}

impl Roles {
    /// The first of `count` nodes is the primary.
    pub(crate) fn new(count: usize) -> Self {
        let mut roles = vec![Role::Replica; count];
        roles[0] = Role::Primary;
        Self { known: Mutex::new(Known { roles, primary: 0 }) }
    }

    /// The node that was promoted last. For seconds after a planned failover two nodes say they
    /// are primary; the one promoted last is.
    pub(crate) fn primary(&self) -> usize {
        self.known().primary
    }

    /// What the node answered last.
    pub(crate) fn of(&self, node: usize) -> Role {
        self.known().roles[node]
    }

    /// Asks a node for its role, over and over, and tells of every change.
    pub(crate) async fn follow(
        self: Arc<Self>,
        index: usize,
        node: Arc<Server>,
        events: Arc<Events>,
    ) {
        loop {
            node.process.running().await;
            if let Ok(mut connection) = node.control.connect().await {
                // A frozen node answers when it is thawed, a killed one breaks the connection.
                while let Ok(role) = ask(&mut connection).await {
                    self.learn(index, role, node.name(), &events);
                    sleep(PERIOD).await;
                }
            }
            sleep(PERIOD).await;
        }
    }

    fn learn(&self, index: usize, role: Role, name: &str, events: &Events) {
        let mut known = self.known();
        if known.roles[index] == role {
            return;
        }
        known.roles[index] = role;
        if role == Role::Primary {
            known.primary = index;
        }
        drop(known);
        events.push(if role == Role::Primary { "promoted" } else { "demoted" }, name, None);
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(connection: &mut redis::aio::MultiplexedConnection) -> RedisResult<Role> {
    let reply: Vec<Value> = redis::cmd("ROLE").query_async(connection).await?;
    let role: String = redis::from_redis_value(reply.into_iter().next().unwrap_or_default())?;
    Ok(if role == "master" { Role::Primary } else { Role::Replica })
}
