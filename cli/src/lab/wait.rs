//! Waiting until something holds, so that nobody has to sleep.

use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::time::sleep;

use super::deployment::Lab;
use super::error::{Error, Result};
use super::events::{Event, Pattern};
use super::roles::Role;

/// What can be waited for.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Condition {
    /// The named node is the primary.
    Primary(String),
    /// Another node than the named one is the primary.
    PrimaryOtherThan(String),
    /// The node called `name` says it has this role.
    Role {
        /// A node.
        name: String,
        /// Its role.
        role: Role,
    },
    /// Every running replica follows the primary and has all its data.
    InSync,
    /// Every running Sentinel names the primary, and sees all running replicas and Sentinels well.
    Agreed,
    /// HAProxy sends everybody to the primary and nobody to another node.
    Haproxy,
    /// Such an event has happened or happens.
    Event(Pattern),
}

/// How often what cannot announce itself is looked at.
const PERIOD: Duration = Duration::from_millis(10);

impl Lab {
    /// Waits until the condition holds; the answer is the event that was waited for, if it was one.
    pub async fn wait(&self, condition: &Condition, patience: Duration) -> Result<Option<Event>> {
        let end = Instant::now() + patience;
        loop {
            let obstacle = match condition {
                Condition::Event(pattern) => {
                    let left = end.saturating_duration_since(Instant::now());
                    match tokio::time::timeout(left, self.events.first(pattern)).await {
                        Ok(event) => return Ok(Some(event)),
                        Err(_) => format!("there was no event {}", pattern.event),
                    }
                }
                _ => match self.check(condition).await {
                    Ok(()) => return Ok(None),
                    Err(obstacle) => obstacle.to_string(),
                },
            };
            if Instant::now() >= end {
                let waited = patience.as_millis();
                return Err(Error::new(format!("waited {waited} ms in vain: {obstacle}")));
            }
            sleep(PERIOD).await;
        }
    }

    /// Says what stands in the way of a condition.
    async fn check(&self, condition: &Condition) -> Result<()> {
        match condition {
            Condition::Primary(name) => {
                let primary = self.primary().name();
                let wanted = self.node(name)?.name();
                hold(primary == wanted, || format!("{primary} is the primary, not {wanted}"))
            }
            Condition::PrimaryOtherThan(name) => {
                let primary = self.primary().name();
                hold(primary != self.node(name)?.name(), || {
                    format!("{primary} is still the primary")
                })
            }
            Condition::Role { name, role } => {
                let index = self.node_index(name)?;
                let now = self.roles.of(index);
                hold(now == *role, || format!("{} is a {now}", self.nodes[index].name()))
            }
            Condition::InSync => self.in_sync().await,
            Condition::Agreed => self.agreed().await,
            Condition::Haproxy => match &self.haproxy {
                Some(haproxy) => haproxy.leads_to(self.primary().name()).await,
                None => Err(Error::new("there is no HAProxy; start the lab with --haproxy")),
            },
            Condition::Event(_) => Ok(()),
        }
    }
}

/// An obstacle unless the condition holds.
pub(crate) fn hold(condition: bool, obstacle: impl FnOnce() -> String) -> Result<()> {
    if condition { Ok(()) } else { Err(Error::new(obstacle())) }
}
