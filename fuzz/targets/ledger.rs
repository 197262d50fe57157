//! Any sequence of appends, writes, answers, withdrawals and a loss: no fate contradicts another.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use steadis::proto::ledger::{Fate, Ledger, Span};

#[derive(Debug, Arbitrary)]
enum Step {
    Command(u8),
    Unit(u8, u8),
    Batch(Vec<u8>),
    Wrote(u16),
    Unwrote(u8),
    Answer,
    Withdraw(u8),
}

fn order(fate: Fate) -> u8 {
    match fate {
        Fate::Sent => 0,
        Fate::PartlySent => 1,
        Fate::NotSent => 2,
    }
}

fuzz_target!(|steps: Vec<Step>| {
    let mut ledger = Ledger::default();
    let (mut token, mut appended, mut wrote) = (0u32, 0usize, 0usize);
    for step in steps {
        let span = match step {
            Step::Command(bytes) => Some(Span::Command { bytes: usize::from(bytes) + 1 }),
            Step::Unit(bytes, replies) => Some(Span::Unit {
                bytes: usize::from(bytes) + 1,
                replies: usize::from(replies) + 1,
            }),
            Step::Batch(lengths) if !lengths.is_empty() => {
                let mut end = 0;
                let ends = lengths.iter().map(|length| {
                    end += usize::from(*length) + 1;
                    end
                });
                Some(Span::Batch { ends: ends.collect() })
            }
            Step::Batch(_) => None,
            Step::Wrote(bytes) => {
                let bytes = usize::from(bytes).min(appended - wrote);
                ledger.wrote(bytes);
                wrote += bytes;
                None
            }
            Step::Unwrote(bytes) => {
                let bytes = usize::from(bytes).min(wrote);
                ledger.unwrote(bytes);
                wrote -= bytes;
                None
            }
            Step::Answer => {
                ledger.answer();
                ledger.retire();
                None
            }
            Step::Withdraw(which) => {
                let which = u32::from(which);
                if let Some(range) = ledger.withdraw(appended - wrote, |&it| it == which) {
                    assert!(range.end <= appended - wrote);
                    appended -= range.len();
                }
                None
            }
        };
        if let Some(span) = span {
            appended += span.bytes();
            ledger.append(token, span);
            token += 1;
        }
    }
    // What was written is a beginning of the stream: once something was not sent, nothing after
    // it was, and at most one command was cut in the middle.
    let fates: Vec<Fate> = ledger.lost().into_iter().flat_map(|lost| lost.fates).collect();
    assert!(fates.is_sorted_by_key(|fate| order(*fate)), "{fates:?}");
    assert!(fates.iter().filter(|fate| **fate == Fate::PartlySent).count() <= 1, "{fates:?}");
    assert!(ledger.is_empty());
});
