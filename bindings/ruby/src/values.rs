//! What a client says of itself and of its deployment.

use magnus::{Error, RArray, Ruby};
use steadis::config::{Config, Explanation};
use steadis::topology::{Phase, Topology};

/// Epoch, phase, primary, replicas, Sentinels, reason; then health: state and its reason.
pub(crate) fn topology(ruby: &Ruby, topology: &Topology) -> Result<RArray, Error> {
    let phase = match topology.phase {
        Phase::Resolving => "resolving",
        Phase::Ready => "ready",
        Phase::Fenced => "fenced",
        Phase::Lost => "lost",
    };
    let replicas = ruby.ary_new();
    topology.replicas.iter().try_for_each(|replica| replicas.push(replica.to_string()))?;
    let sentinels = ruby.ary_new();
    for sentinel in &topology.sentinels {
        sentinels.push((sentinel.address.to_string(), sentinel.up, sentinel.says.clone()))?;
    }
    let health = topology.health();
    let refused = topology.refused.as_ref().map(ToString::to_string);
    let all = ruby.ary_new();
    all.push(topology.epoch)?;
    all.push(phase)?;
    all.push(topology.primary.as_ref().map(ToString::to_string))?;
    all.push(replicas)?;
    all.push(sentinels)?;
    all.push(refused.or_else(|| topology.reason.clone()))?;
    all.push(health.state.name())?;
    all.push(health.reason)?;
    Ok(all)
}

/// A table for people; then name, value and source of each setting.
pub(crate) fn explanation(ruby: &Ruby, explanation: &Explanation) -> Result<RArray, Error> {
    let rows = ruby.ary_new();
    for row in &explanation.rows {
        rows.push((row.name, row.value.clone(), row.source()))?;
    }
    let all = ruby.ary_new();
    all.push(explanation.to_string())?;
    all.push(rows)?;
    Ok(all)
}

pub(crate) fn inspect(class: &str, config: &Config, closed: bool) -> String {
    format!("#<Steadis::{class} of {}{}>", config.target, if closed { ", closed" } else { "" })
}
