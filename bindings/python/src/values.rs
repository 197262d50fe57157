//! What a client says of itself and of its deployment.

use pyo3::IntoPyObject;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use steadis::config::{Config, Explanation};
use steadis::topology::{Phase, Topology};

/// Epoch, phase, primary, replicas, Sentinels, reason; then health: state and its reason.
pub(crate) fn topology<'py>(py: Python<'py>, topology: &Topology) -> PyResult<Bound<'py, PyTuple>> {
    let phase = match topology.phase {
        Phase::Resolving => "resolving",
        Phase::Ready => "ready",
        Phase::Fenced => "fenced",
        Phase::Lost => "lost",
    };
    let primary = topology.primary.as_ref().map(ToString::to_string);
    let replicas: Vec<String> = topology.replicas.iter().map(ToString::to_string).collect();
    let sentinels = topology.sentinels.iter();
    let sentinels = sentinels.map(|it| (it.address.to_string(), it.up, it.says.clone()));
    let sentinels: Vec<(String, bool, String)> = sentinels.collect();
    let health = topology.health();
    let refused = topology.refused.as_ref().map(ToString::to_string);
    let reason = refused.or_else(|| topology.reason.clone());
    (
        topology.epoch,
        phase,
        primary,
        replicas,
        sentinels,
        reason,
        health.state.name(),
        health.reason,
    )
        .into_pyobject(py)
}

/// The same before anything was asked.
pub(crate) fn unknown(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
    let none: Option<String> = None;
    let (replicas, sentinels): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    (0, "resolving", &none, replicas, sentinels, &none, "down", &none).into_pyobject(py)
}

/// A table for people, and name, value and source of each setting.
pub(crate) fn explanation(
    explanation: &Explanation,
) -> (String, Vec<(&'static str, String, String)>) {
    let rows = explanation.rows.iter().map(|row| (row.name, row.value.clone(), row.source()));
    (explanation.to_string(), rows.collect())
}

pub(crate) fn repr(class: &str, config: &Config, closed: bool) -> String {
    format!("<steadis.{class} of {}{}>", config.target, if closed { ", closed" } else { "" })
}
