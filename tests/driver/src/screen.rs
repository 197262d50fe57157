//! Lines that stay, and below them lines that change; on a pipe only the former.

use rustix::termios::isatty;
use std::io::{Write, stdout};

pub(crate) struct Screen {
    live: bool,
    /// How many lines are to be written over.
    shown: usize,
}

impl Screen {
    pub(crate) fn new() -> Self {
        Self { live: isatty(stdout()), shown: 0 }
    }

    /// Whether there is anybody to see lines change.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// Prints a line that stays.
    pub(crate) fn say(&mut self, line: &str) {
        self.clear();
        println!("{line}");
    }

    /// Replaces the lines that change.
    pub(crate) fn show(&mut self, lines: &[String]) {
        if !self.live {
            return;
        }
        self.clear();
        lines.iter().for_each(|line| println!("{line}"));
        self.shown = lines.len();
        // What cannot be shown is not needed.
        let _ = stdout().flush();
    }

    fn clear(&mut self) {
        if self.shown > 0 {
            print!("\x1b[{}A\x1b[J", self.shown);
            self.shown = 0;
        }
    }
}
