//! What each Sentinel has said.

use super::Time;
use crate::config::Address;
use crate::error::Error;
use crate::topology::Sentinel;

/// What a Sentinel answers when asked about our primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Names {
        primary: Address,
        /// Counts failovers; `None` where the right to ask for it is refused.
        config_epoch: Option<u64>,
        /// It calls this primary down.
        down: bool,
        /// It leads a failover of this primary just now.
        replacing: bool,
        /// The replica that it has chosen for that.
        chosen: Option<Address>,
        /// `None` where the right to ask is refused.
        replicas: Option<Vec<Address>>,
        /// Those of them that it calls down.
        absent: Vec<Address>,
        /// The Sentinels it knows besides itself.
        sentinels: Vec<Address>,
    },
    /// It watches no primary of this name, but these.
    Unknown { names: Vec<String> },
    /// It could not be asked.
    Failed(Error),
}

impl Answer {
    /// The replica that takes this primary's place, where the answer is its Sentinel's choice.
    pub(super) fn chosen_for(&self, address: &Address) -> Option<&Address> {
        match self {
            Self::Names { primary, chosen, replacing: true, .. } if primary == address => {
                chosen.as_ref()
            }
            _ => None,
        }
    }

    /// With what config epoch it names this primary.
    pub(super) fn epoch_of(&self, address: &Address) -> Option<u64> {
        match self {
            Self::Names { primary, config_epoch, .. } if primary == address => *config_epoch,
            _ => None,
        }
    }

    /// Its Sentinel leads a failover of this primary.
    pub(super) fn replaces(&self, address: &Address) -> bool {
        matches!(self, Self::Names { primary, replacing: true, .. } if primary == address)
    }
}

/// What one Sentinel has said.
#[derive(Debug)]
pub(super) struct View {
    pub(super) address: Address,
    pub(super) answer: Option<Answer>,
    pub(super) answered_at: Time,
    /// It published that the primary is down, and not that it is up again.
    pub(super) calls_down: bool,
    /// The replicas that it calls down.
    pub(super) absent: Vec<Address>,
    /// An address that it named and ROLE disproved, and until when that is held against it.
    pub(super) doubted: Option<(Address, Time)>,
}

impl View {
    /// It names this address, and leads no failover of it. One that does not let us ask for the
    /// epoch does not let us see that either.
    pub(super) fn stands_by(&self, address: &Address) -> bool {
        matches!(
            &self.answer,
            Some(Answer::Names { primary, replacing: false, config_epoch: Some(_), .. })
                if primary == address
        )
    }

    pub(super) fn show(&self) -> Sentinel {
        let says = match &self.answer {
            None => "nothing yet".to_owned(),
            Some(Answer::Names { primary, .. }) => primary.to_string(),
            Some(Answer::Unknown { .. }) => "it knows no such primary".to_owned(),
            Some(Answer::Failed(error)) => error.to_string(),
        };
        let up = matches!(self.answer, Some(Answer::Names { .. } | Answer::Unknown { .. }));
        Sentinel { address: self.address.clone(), up, says }
    }
}
