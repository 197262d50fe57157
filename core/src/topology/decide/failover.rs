//! An announced failover of our primary, and how long writes wait for it.

use super::{Action, Decide, SentinelId, Time, Told};

/// Several Sentinels may want to replace our primary; each of them may call off its own attempt,
/// and nobody else's.
#[derive(Debug)]
pub(super) struct Failover {
    pub(super) since: Time,
    /// They want to, and may still fail to be elected.
    attempted_by: Vec<SentinelId>,
    /// They are about to do it: writes wait.
    begun_by: Vec<SentinelId>,
}

impl Failover {
    pub(super) fn begun(now: Time, begun_by: Vec<SentinelId>) -> Self {
        Self { since: now, attempted_by: Vec::new(), begun_by }
    }
}

impl Decide {
    /// This Sentinel wants to replace our primary, or is about to.
    pub(super) fn announce(&mut self, now: Time, sentinel: SentinelId, begun: bool) {
        let known = self.failover.get_or_insert_with(|| Failover::begun(now, Vec::new()));
        if begun && known.begun_by.is_empty() {
            known.since = now;
        }
        let by = if begun { &mut known.begun_by } else { &mut known.attempted_by };
        if !by.contains(&sentinel) {
            by.push(sentinel);
        }
    }

    /// This Sentinel has given up. Another may go on.
    pub(super) fn called_off(
        &mut self,
        now: Time,
        sentinel: SentinelId,
        actions: &mut Vec<Action>,
    ) {
        let Some(known) = &mut self.failover else { return };
        let by = if known.begun_by.is_empty() { &known.attempted_by } else { &known.begun_by };
        if by.iter().all(|by| *by == sentinel) {
            self.unfence(now, "the Sentinels called it off", actions);
        } else {
            known.attempted_by.retain(|by| *by != sentinel);
            known.begun_by.retain(|by| *by != sentinel);
        }
    }

    /// Whether writes wait.
    pub(super) fn is_fenced(&self) -> bool {
        self.fence && self.failover.as_ref().is_some_and(|known| !known.begun_by.is_empty())
    }

    /// A fence that leads nowhere must not hold writes for ever.
    pub(super) fn end_stale_failover(&mut self, now: Time, actions: &mut Vec<Action>) {
        let stale = |since: Time| now >= since + self.timing.fence;
        if self.failover.as_ref().is_some_and(|failover| stale(failover.since)) {
            self.unfence(now, "no switch followed in time", actions);
        }
    }

    pub(super) fn unfence(&mut self, now: Time, why: &'static str, actions: &mut Vec<Action>) {
        let fenced = self.is_fenced();
        self.failover = None;
        if let Some(primary) = self.primary.as_ref().map(|primary| primary.address.clone()) {
            if fenced {
                actions.push(Action::Tell(Told::Unfenced { primary: primary.clone(), why }));
            }
            self.check(now, primary, actions);
        }
        self.ask(now, actions);
    }
}
