//! Values that are made at their first use, without a lock.
//!
//! A thread that forks while another one makes such a value would leave a lock behind in the child
//! that nobody ever opens. So whoever comes makes one; the first to be ready is kept.

use once_cell::race::OnceRef;

pub(crate) struct Lazy<T: 'static> {
    value: OnceRef<'static, T>,
    make: fn() -> T,
}

impl<T> Lazy<T> {
    pub(crate) const fn new(make: fn() -> T) -> Self {
        Self { value: OnceRef::new(), make }
    }

    pub(crate) fn get(&self) -> &'static T {
        self.value.get_or_init(|| Box::leak(Box::new((self.make)())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[test]
    fn everybody_gets_the_same_one() {
        static VALUE: Lazy<String> = Lazy::new(|| "made".to_owned());
        let start = Barrier::new(8);
        let get = || {
            start.wait();
            std::ptr::from_ref(VALUE.get()).addr()
        };
        let places: Vec<usize> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(get)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(places.iter().all(|place| *place == places[0]));
        assert_eq!(VALUE.get(), "made");
    }
}
